package normalize

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/interdict/interdict/schema"
)

// tally is what became of the documents of a folder.
type tally struct {
	accepted, ignored int
	rejected          map[string]int
	formats           map[string]int // of accepted and ignored
	labeled, found    int            // documents labeled as alerts, and those of them that were accepted
	outside           int            // labeled for a reason that is not in the document, and not accepted
	missed            []string
}

func (c *tally) count(b *schema.Batch) {
	c.accepted += len(b.Alerts)
	c.ignored += len(b.Drops)
	for i := range b.Alerts {
		c.formats[b.Alerts[i].Format]++
	}
	for _, d := range b.Drops {
		c.formats[d.Detail]++
	}
	for _, r := range b.Rejects {
		c.rejected[r.Reason.String()]++
	}
}

// TestCPTC reads 36,657 alerts of a contest: each is accepted.
func TestCPTC(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(dataDir(t), "labelled", "cptc-2017-suricata", "*.gz"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	n := newNormalizer(t, nil)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		b := run(t, n, testSource(), 0, raw)
		lines := 0
		for i := range b.Alerts {
			lines++
			if a := &b.Alerts[i]; a.Format != "suricata_eve" || a.Severity == 0 || a.RuleUID == "" || len(a.Entities) == 0 {
				t.Fatalf("%s: poor alert %+v", file, a)
			}
		}
		if len(b.Rejects)+len(b.Drops) > 0 || lines == 0 {
			t.Errorf("%s: %d accepted, %d rejected, %d dropped", filepath.Base(file), lines, len(b.Rejects), len(b.Drops))
		}
		t.Logf("%-32s %6d accepted", filepath.Base(file), lines)
	}
}

// TestVendors reads every vendor file: nothing crashes, all is accounted for, no
// format claims another vendor's record, and of the documents that the data label
// as alerts 99 in 100 are accepted.
func TestVendors(t *testing.T) {
	dir := filepath.Join(dataDir(t), "vendors")
	folders := map[string]*tally{}
	n := newNormalizer(t, nil)
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		rel = filepath.ToSlash(rel)
		vendor, kind, _ := strings.Cut(filepath.ToSlash(filepath.Dir(rel)), "/")
		folder := vendor + "/" + kind
		c := folders[folder]
		if c == nil {
			c = &tally{rejected: map[string]int{}, formats: map[string]int{}}
			folders[folder] = c
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		before := maps.Clone(c.formats)
		if kind == "panther" {
			c.labels(t, n, rel, raw)
		} else {
			src := testSource()
			if strings.HasSuffix(path, ".csv") {
				src.Formats = []string{CSV}
			}
			c.count(run(t, n, src, 0, raw))
		}
		for format, count := range c.formats {
			if count != before[format] && !owns(format, vendor, filepath.Base(rel)) {
				t.Errorf("%s: %d documents taken for %s", rel, count-before[format], format)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	labeled, found, outside := 0, 0, 0
	for _, f := range slices.Sorted(maps.Keys(folders)) {
		c := folders[f]
		labeled, found, outside = labeled+c.labeled, found+c.found, outside+c.outside
		t.Logf("%-36s accepted %5d, not an alert %5d, rejected %v, labeled alerts %d of %d", f, c.accepted, c.ignored, c.rejected, c.found, c.labeled)
		for _, m := range c.missed {
			t.Log(m)
		}
	}
	if labeled < 500 {
		t.Errorf("only %d labeled documents", labeled)
	}
	t.Logf("labeled alerts accepted: %d of %d; %d of the rest are labeled for a reason outside the document", found, labeled, outside)
	if decidable := labeled - outside; 100*found < 99*decidable {
		t.Errorf("%d of %d labeled alerts", found, decidable)
	}
}

// labels reads lines that say of an event whether it is an alert.
func (c *tally) labels(t *testing.T, n *Normalizer, file string, lines []byte) {
	i := 0
	for line := range bytes.Lines(lines) {
		i++
		var label struct {
			Alert bool   `json:"expect_alert"`
			Rule  string `json:"rule_id"`
		}
		if err := json.Unmarshal(line, &label); err != nil {
			t.Fatal(err)
		}
		b := run(t, n, testSource(), 0, bytes.TrimSpace(line))
		c.count(b)
		if !label.Alert {
			continue
		}
		if c.labeled++; len(b.Alerts) > 0 {
			c.found++
			continue
		}
		if outsideDocument(label.Rule) {
			c.outside++
			continue
		}
		c.missed = append(c.missed, fmt.Sprintf("%s:%d: %.200s", file, i, Dump(b)))
	}
}

// outsideDocument names the rules whose label cannot be told from the document: it
// is plain telemetry, and what makes it an alert is a list of the customer's or of
// threat intelligence, a count over many documents, the history of a user, or an
// enrichment that is not part of the vendor's event.
func outsideDocument(rule string) bool {
	for _, name := range []string{
		"Standard.ImpossibleTravel", "Standard.SignInFromRogueState", "Standard.MaliciousSSODNSLookup", // history, lists
		"Standard.OTX", "Standard.GreyNoise", "Kubernetes.API.IOC", "GCP.K8s.IOC", // enrichment
		"AWS.DNS.Crypto.Domain", "CiscoUmbrella.DNS.Suspicious", "Crowdstrike.DNS.Request", // lists of names
		"AWS.VPC.", "AWS.S3.ServerAccess.", // flows and requests against lists of ports, networks and requesters
		"AWS.BedrockModelInvocation.AbnormalTokenUsage", "Auth0.PushNotification.Fatigue", "GCP.KMS.BulkEncryption", "Google.Workspace.ManyDocsDownloaded", // counts
		"AWS.UnusedRegion", "OnePassword.", "Push.Security.Unauthorized.IdP", "Salesforce.", "Okta.SSO.to.AWS", "OneLogin.Login", // the customer's lists
	} {
		if strings.HasPrefix(rule, name) {
			return true
		}
	}
	return false
}

// owns reports whether a file of a vendor may hold documents of a format. By
// default the format is named after the vendor.
func owns(format, vendor, file string) bool {
	if format == "ocsf" {
		return true // output of other mappers lies beside many vendors' logs
	}
	if strings.HasPrefix(format, "generic_") || strings.HasPrefix(format, vendor) {
		return true
	}
	others := map[string][]string{
		"apple_macos": {"macos"}, "atlassian": {"confluence", "jira"}, "aws": {"kubernetes"}, "aws_guardduty": {"aws"}, "aws_securityhub": {"aws"}, "cisco_duo": {"duo"},
		"kubernetes": {"aws", "azure", "gcp"}, "microsoft": {"windows"}, "microsoft_azure": {"azure", "microsoft_entra"}, "microsoft_graph": {"microsoft", "windows"},
		"microsoft_windows": {"windows"}, "okta": {"panther_okta"}, "other": {"senserva", "secrmm", "web_server_log", "workplace"}, "paloalto_prisma": {"prisma"},
		"pingidentity": {"ping"}, "crowdstrike": {"panther_falcon"}, "ibm_qradar": {"qradar"}, "tenable_alsid": {"tenable"}, "wazuh_ossec": {"ossec", "wazuh"}, "linux": {"auditd"},
	}
	if vendor == "multi_vendor" {
		// Files are named after a log type; some hold what a rule over it reads elsewhere.
		others[vendor] = map[string][]string{
			"AWS": {"aws"}, "Asana": {"asana"}, "Azure": {"microsoft_entra", "azure"}, "Box": {"box"}, "CiscoUmbrella": {"cisco_umbrella", "crowdstrike"}, "Crowdstrike": {"crowdstrike"},
			"GCP": {"gcp"}, "GSuite": {"google_workspace"}, "GitHub": {"github"}, "Notion": {"notion"}, "Okta": {"okta"}, "OneLogin": {"onelogin"}, "OnePassword": {"onepassword"},
		}[strings.Split(file, ".")[0]]
	}
	return slices.ContainsFunc(others[vendor], func(prefix string) bool { return strings.HasPrefix(format, prefix) })
}
