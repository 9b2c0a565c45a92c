package schema

// Source is one sensor family's feed of one tenant. Tenant and source come from
// the topic, never from a payload: ACLs bind producers to topics.
type Source struct {
	ID      string
	Tenant  string
	Topic   string
	Formats []string // allowed formats; empty: any, by detection
	Attests []string // entity fields the source is trusted for: a type ("host"; see EntityType.String), or a type in one role ("ip:sensor")
	Zone    string   // IANA name of the zone its times are in where they name none; empty: UTC
	Silence Millis   // expected longest silence; zero: not watched
}

// Detection is a vendor's rule, as seen in alerts.
type Detection struct {
	Tenant  string `json:"tenant,omitzero"`
	Source  string `json:"source,omitzero"`
	RuleUID string `json:"rule_uid,omitzero"`
	Name    string `json:"name,omitzero"`
	First   Millis `json:"first,omitzero"`
	Last    Millis `json:"last,omitzero"`
}

// Asset is a thing of the tenant's inventory. An unknown or stale class means
// approval, not action.
type Asset struct {
	Tenant      string    `json:"tenant,omitzero"`
	Entity      EntityRef `json:"entity,omitzero"`
	Class       string    `json:"class,omitzero"` // workstation, server, domain_controller, ...
	Criticality uint8     `json:"criticality"`    // 0-100
	Group       string    `json:"group,omitzero"`
	Scope       string    `json:"scope,omitzero"`
	Owner       string    `json:"owner,omitzero"`
	Fresh       Millis    `json:"fresh,omitzero"` // when the inventory last vouched for it
	Version     uint64    `json:"version"`
}
