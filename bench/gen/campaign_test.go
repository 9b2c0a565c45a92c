package gen

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestTemplatesHaveRules: each step can be made by each sensor it names, and
// each rule's technique has a name.
func TestTemplatesHaveRules(t *testing.T) {
	c := newCatalog(Default().Mix)
	for _, tpl := range templates() {
		for _, s := range tpl.steps {
			for _, src := range s.seenBy {
				if len(c.find(src, s.technique)) == 0 {
					t.Errorf("%s: %s has no rule for %s", tpl.name, src, s.technique)
				}
			}
		}
	}
	for _, ru := range c.rules {
		for _, id := range [...]string{ru.technique, strings.Split(ru.technique, ".")[0]} {
			if id != "" && techniqueNames[id] == "" {
				t.Errorf("technique %s has no name", id)
			}
		}
		if (ru.technique == "") != (ru.tactic == noTactic) {
			t.Errorf("%q has a technique or a tactic, not both", ru.title)
		}
	}
}

func TestCampaignsMatchTruth(t *testing.T) {
	cfg := Default()
	cfg.Campaigns, cfg.GiantCampaigns, cfg.NoiseRatio = 40, 3, 2
	cfg.Duration = 14 * 24 * time.Hour
	w := mustNew(t, cfg)
	byCampaign := map[string][]Record{}
	for _, rec := range all(w) {
		if c := rec.Truth.Campaign; c != "" {
			byCampaign[c] = append(byCampaign[c], rec)
		}
	}
	var templates []string
	sharing := 0
	for i, c := range w.Campaigns() {
		recs := byCampaign[c.ID]
		if len(recs) != c.Alerts {
			t.Errorf("%s has %d records, says %d", c.ID, len(recs), c.Alerts)
		}
		lo, hi := cfg.MinAlerts, cfg.MaxAlerts
		if i >= cfg.Campaigns-cfg.GiantCampaigns {
			lo, hi = minGiant, maxGiant
		}
		if len(recs) < lo || len(recs) > hi {
			t.Errorf("%s has %d alerts, want %d to %d", c.ID, len(recs), lo, hi)
		}
		for _, rec := range recs {
			tr := rec.Truth
			if tr.Kind != "campaign" || tr.Stage == "" || tr.Technique == "" || !tr.Alert {
				t.Errorf("incomplete truth %+v", tr)
			}
			if tr.Activity.Before(c.Start) || tr.Activity.After(c.Start.Add(c.Span)) {
				t.Errorf("%s: act at %s outside %s + %s", c.ID, tr.Activity, c.Start, c.Span)
			}
			if tr.Host != "" && !slices.Contains(c.Hosts, tr.Host) {
				t.Errorf("%s: host %s is not listed", c.ID, tr.Host)
			}
			if tr.User != "" && !slices.Contains(c.Users, tr.User) {
				t.Errorf("%s: user %s is not listed", c.ID, tr.User)
			}
		}
		if !slices.Contains(templates, c.Template) {
			templates = append(templates, c.Template)
		}
		if c.SharesC2 != "" {
			sharing++
		}
		delete(byCampaign, c.ID)
	}
	if len(byCampaign) > 0 {
		t.Errorf("truth names %d campaigns that do not exist", len(byCampaign))
	}
	want := []string{"ransomware", "phishing_exfiltration", "cloud_key_abuse", "password_spray", "web_shell"}
	if !slices.Equal(templates, want) {
		t.Errorf("templates in order of first use %v, want %v", templates, want)
	}
	if sharing == 0 {
		t.Error("no campaign shares a controller")
	}
}

// TestRansomware reads the records alone, as a pipeline would: within an hour,
// one device shows five techniques, each in both sensors, with the same user,
// file and controller.
func TestRansomware(t *testing.T) {
	for seed := range uint64(30) {
		cfg := small()
		cfg.Seed, cfg.Campaigns, cfg.EntityLoss = seed, 1, 0.5
		cfg.MinAlerts = 10
		w := mustNew(t, cfg)
		views := map[string]map[string]view{} // technique, then sensor
		var first, last time.Time
		for _, rec := range all(w) {
			if rec.Truth.Campaign == "" {
				continue
			}
			v, ok := look(t, rec)
			if !ok || v.user == "" || v.hash == "" || v.ip == "" {
				continue
			}
			if views[v.technique] == nil {
				views[v.technique] = map[string]view{}
			}
			if _, again := views[v.technique][rec.Source]; again && v.host != w.Campaigns()[0].Hosts[0] {
				continue
			}
			views[v.technique][rec.Source] = v
			if first.IsZero() {
				first = rec.Time
			}
			last = rec.Time
		}
		want := views["T1003.001"]["edr"]
		want.technique, want.peer = "", ""
		for _, tech := range []string{"T1003.001", "T1021.002", "T1562.001", "T1490", "T1486"} {
			for _, sensor := range []string{"edr", "defender"} {
				got := views[tech][sensor]
				if got.technique != tech {
					t.Errorf("seed %d: %s has no complete %s", seed, sensor, tech)
					continue
				}
				if tech == "T1021.002" && (got.peer == "" || got.peer == got.host || got.peer != views[tech]["edr"].peer) {
					t.Errorf("seed %d: %s moved from %q to %q", seed, sensor, got.host, got.peer)
				}
				got.technique, got.peer = "", ""
				if got != want {
					t.Errorf("seed %d: %s %s is about %+v, want %+v", seed, sensor, tech, got, want)
				}
			}
		}
		if last.Sub(first) > time.Hour {
			t.Errorf("seed %d: lasted %s", seed, last.Sub(first))
		}
	}
}

// view is what an analyst reads off an alert.
type view struct{ technique, host, peer, user, hash, ip string }

func look(t *testing.T, rec Record) (view, bool) {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(rec.Value, &doc); err != nil {
		t.Fatal(err)
	}
	var v view
	switch rec.Source {
	case "edr":
		v.technique = text(doc, "finding_info.attacks.[].technique.uid")
		if sub, ok := at(doc, "finding_info.attacks.[].sub_technique.uid"); ok {
			v.technique = sub.(string)
		}
		v.host = strings.ToLower(strOr(doc, "device.hostname"))
		v.user = strOr(doc, "evidences.[].actor.user.name")
		v.hash = strOr(doc, "evidences.[].file.hashes.[].value")
		for _, ev := range objects(doc, "evidences") {
			if peer := strOr(ev, "dst_endpoint.hostname"); v.technique == "T1021.002" && v.peer == "" {
				v.peer = strings.ToLower(peer)
			} else {
				v.ip = strOr(ev, "dst_endpoint.ip")
			}
		}
		return v, true
	case "defender":
		v.technique = text(doc, "mitreTechniques.[]")
		for _, ev := range objects(doc, "evidence") {
			switch strings.TrimPrefix(ev["@odata.type"].(string), "#microsoft.graph.security.") {
			case "deviceEvidence":
				if v.host == "" {
					v.host = ev["hostName"].(string)
				} else {
					v.peer = ev["hostName"].(string)
				}
			case "userEvidence":
				v.user = strOr(ev, "userAccount.accountName")
			case "fileEvidence":
				v.hash = strOr(ev, "fileDetails.sha256")
			case "ipEvidence":
				v.ip = ev["ipAddress"].(string)
			}
		}
		return v, true
	default:
		return v, false
	}
}

func strOr(doc map[string]any, path string) string {
	v, _ := at(doc, path)
	s, _ := v.(string)
	return s
}

func objects(doc map[string]any, key string) []map[string]any {
	raw, _ := doc[key].([]any)
	out := make([]map[string]any, 0, len(raw))
	for _, v := range raw {
		out = append(out, v.(map[string]any))
	}
	return out
}

// TestRansomwareSmall: with room for five alerts only, the five techniques are
// still there, seen by two sensors.
func TestRansomwareSmall(t *testing.T) {
	for n := 5; n <= 9; n++ {
		cfg := small()
		cfg.Campaigns, cfg.MinAlerts, cfg.MaxAlerts = 1, n, n
		techniques, sensors := map[string]bool{}, map[string]bool{}
		for _, rec := range all(mustNew(t, cfg)) {
			if rec.Truth.Campaign != "" {
				techniques[rec.Truth.Technique] = true
				sensors[rec.Source] = true
			}
		}
		if len(techniques) != 5 || len(sensors) != 2 {
			t.Errorf("%d alerts: techniques %v, sensors %v", n, techniques, sensors)
		}
	}
}
