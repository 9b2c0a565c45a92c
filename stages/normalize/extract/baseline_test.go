package extract

import "errors"

var errInvalid = errors.New("not JSON")

// The structs that the general decoders fill in BenchmarkBaseline: about the
// values that the paths of the samples name.

type eve struct {
	Timestamp string `json:"timestamp"`
	FlowID    int64  `json:"flow_id"`
	EventType string `json:"event_type"`
	SrcIP     string `json:"src_ip"`
	SrcPort   int    `json:"src_port"`
	DestIP    string `json:"dest_ip"`
	DestPort  int    `json:"dest_port"`
	Proto     string `json:"proto"`
	Host      string `json:"host"`
	AppProto  string `json:"app_proto"`
	Alert     struct {
		Action      string `json:"action"`
		GID         int    `json:"gid"`
		SignatureID int    `json:"signature_id"`
		Rev         int    `json:"rev"`
		Signature   string `json:"signature"`
		Category    string `json:"category"`
		Severity    int    `json:"severity"`
		Metadata    struct {
			Technique []string `json:"mitre_technique_id"`
			Tactic    []string `json:"mitre_tactic_id"`
			Severity  []string `json:"signature_severity"`
		} `json:"metadata"`
	} `json:"alert"`
	HTTP struct {
		Hostname string `json:"hostname"`
		URL      string `json:"url"`
		XFF      string `json:"xff"`
	} `json:"http"`
	Flow struct {
		Start string `json:"start"`
		SrcIP string `json:"src_ip"`
	} `json:"flow"`
}

type guardDuty struct {
	ID          string  `json:"id"`
	ARN         string  `json:"arn"`
	AccountID   string  `json:"accountId"`
	Region      string  `json:"region"`
	Type        string  `json:"type"`
	Title       string  `json:"title"`
	Description string  `json:"description"`
	Severity    float64 `json:"severity"`
	CreatedAt   string  `json:"createdAt"`
	UpdatedAt   string  `json:"updatedAt"`
	Resource    struct {
		ResourceType    string `json:"resourceType"`
		InstanceDetails struct {
			InstanceID string `json:"instanceId"`
			Interfaces []struct {
				PrivateIP string `json:"privateIpAddress"`
				PublicIP  string `json:"publicIp"`
			} `json:"networkInterfaces"`
		} `json:"instanceDetails"`
	} `json:"resource"`
	Service struct {
		ServiceName string `json:"serviceName"`
		Archived    bool   `json:"archived"`
		FirstSeen   string `json:"eventFirstSeen"`
		LastSeen    string `json:"eventLastSeen"`
		Action      struct {
			ActionType string `json:"actionType"`
			DNS        struct {
				Domain string `json:"domain"`
			} `json:"dnsRequestAction"`
		} `json:"action"`
		Evidence struct {
			Details []struct {
				Names []string `json:"threatNames"`
			} `json:"threatIntelligenceDetails"`
		} `json:"evidence"`
	} `json:"service"`
}

type graph struct {
	ID            string   `json:"id"`
	Provider      string   `json:"providerAlertId"`
	Incident      string   `json:"incidentId"`
	Status        string   `json:"status"`
	Severity      string   `json:"severity"`
	ServiceSource string   `json:"serviceSource"`
	DetectorID    string   `json:"detectorId"`
	Title         string   `json:"title"`
	Description   string   `json:"description"`
	Category      string   `json:"category"`
	Techniques    []string `json:"mitreTechniques"`
	Created       string   `json:"createdDateTime"`
	Updated       string   `json:"lastUpdateDateTime"`
	First         string   `json:"firstActivityDateTime"`
	Last          string   `json:"lastActivityDateTime"`
	Evidence      []struct {
		Type        string   `json:"@odata.type"`
		Roles       []string `json:"roles"`
		Verdict     string   `json:"verdict"`
		DNSName     string   `json:"deviceDnsName"`
		DeviceID    string   `json:"mdeDeviceId"`
		Interfaces  []string `json:"ipInterfaces"`
		CommandLine string   `json:"processCommandLine"`
		ProcessID   int      `json:"processId"`
		Image       struct {
			SHA256   string `json:"sha256"`
			SHA1     string `json:"sha1"`
			FileName string `json:"fileName"`
			FilePath string `json:"filePath"`
		} `json:"imageFile"`
		User struct {
			Name   string `json:"accountName"`
			Domain string `json:"domainName"`
		} `json:"userAccount"`
		IP  string `json:"ipAddress"`
		URL string `json:"url"`
	} `json:"evidence"`
}
