package gen

import (
	"strconv"
	"time"
)

// Truth says what a record really is. It never travels with the record.
type Truth struct {
	Source string `json:"source"`
	// VendorID is the value of the vendor's own id field: id (Graph, GuardDuty),
	// uuid (Okta), finding_info.uid (OCSF). Empty for Suricata, which has none.
	VendorID string `json:"vendor_id,omitempty"`
	// Key finds a Suricata record: flow_id, timestamp and signature_id exactly as
	// they stand in the JSON, joined by "|"; event_type takes the place of
	// signature_id where the record is no alert. Empty for the others.
	Key string `json:"key,omitempty"`
	// Alert is false for telemetry, which a pipeline must ignore.
	Alert bool `json:"alert"`
	// Kind is campaign, background, noisy_pair, burst or telemetry.
	Kind string `json:"kind"`
	// Campaign, Stage (an ATT&CK tactic, lower case with underscores) and
	// Technique are set for records of campaigns only.
	Campaign  string `json:"campaign,omitempty"`
	Stage     string `json:"stage,omitempty"`
	Technique string `json:"technique,omitempty"`
	// Burst names the false-positive burst.
	Burst string `json:"burst,omitempty"`
	// Host and User are the short names of the machine and the account concerned,
	// also where the record has lost them or shows only an address.
	Host string `json:"host,omitempty"`
	User string `json:"user,omitempty"`
	// Time is when the vendor made the record, Activity when the thing happened.
	Time     time.Time `json:"time"`
	Activity time.Time `json:"activity"`
}

func (w *World) truth(ev *event) Truth {
	ru := w.rule(ev)
	t := Truth{
		Source: ru.source.String(), Alert: ev.kind != kindTelemetry, Kind: kindNames[ev.kind],
		Time: time.Unix(0, ev.created).UTC(), Activity: time.Unix(0, ev.at).UTC(),
	}
	if ru.source == suricata {
		t.Key = string(w.appendKey(nil, ev, ru))
	} else {
		t.VendorID = string(appendVendorID(nil, ev, ru))
	}
	if ev.campaign >= 0 {
		t.Campaign, t.Stage, t.Technique = w.campaigns[ev.campaign].ID, tactics[ru.tactic].stage, ru.technique
	}
	if ev.burst >= 0 {
		t.Burst = "b-" + strconv.Itoa(int(ev.burst)+1)
	}
	if ev.host >= 0 {
		t.Host = w.fleet.hosts[ev.host].name
	}
	if ev.user >= 0 {
		t.User = w.accounts.list[ev.user].name
	}
	return t
}

// appendVendorID writes the id that the encoders put into the vendor's field.
func appendVendorID(b []byte, ev *event, ru *rule) []byte {
	switch ru.source {
	case defender:
		b = append(b, 'd', 'a')
		b = appendUUID(b, ev.id)
		return append(b, '_', '1')
	case guardDuty:
		return appendHex(b, ev.id, 32)
	default:
		return appendUUID(b, ev.id)
	}
}

func (w *World) appendKey(b []byte, ev *event, ru *rule) []byte {
	b = strconv.AppendUint(b, flowID(ev), 10)
	b = append(b, '|')
	b = time.Unix(0, ev.created).UTC().AppendFormat(b, eveTime)
	b = append(b, '|')
	if ru.id == "" {
		return append(b, ru.detail...)
	}
	return append(b, ru.id...)
}
