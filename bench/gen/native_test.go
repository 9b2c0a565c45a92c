package gen

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// mandatoryFields lists, per source, the paths that the vendor's own consumers
// rely on. "[]" steps into the first element of an array.
var mandatoryFields = map[string][]string{
	"suricata":  {"timestamp", "flow_id", "event_type", "src_ip", "src_port", "dest_ip", "dest_port", "proto", "alert.action", "alert.gid", "alert.signature_id", "alert.rev", "alert.signature", "alert.category", "alert.severity"},
	"defender":  {"id", "providerAlertId", "incidentId", "status", "severity", "serviceSource", "detectionSource", "tenantId", "title", "description", "category", "mitreTechniques", "createdDateTime", "lastUpdateDateTime", "firstActivityDateTime", "lastActivityDateTime", "evidence.[].@odata.type", "evidence.[].verdict"},
	"guardduty": {"schemaVersion", "accountId", "region", "partition", "id", "arn", "type", "resource.resourceType", "service.serviceName", "service.detectorId", "service.action.actionType", "service.eventFirstSeen", "service.eventLastSeen", "service.count", "severity", "createdAt", "updatedAt", "title", "description"},
	"okta":      {"uuid", "published", "eventType", "version", "severity", "displayMessage", "actor.id", "actor.type", "actor.alternateId", "client.ipAddress", "outcome.result", "debugContext.debugData", "securityContext", "transaction.id", "request.ipChain", "target"},
	"edr":       {"activity_id", "category_uid", "class_uid", "type_uid", "time", "severity_id", "metadata.version", "metadata.product.name", "metadata.product.vendor_name", "finding_info.uid", "finding_info.title", "finding_info.created_time", "evidences.[]"},
}

// TestNativeShape decodes every record with the standard library and compares
// it with its truth: the id field, the key, the times and the mandatory fields.
func TestNativeShape(t *testing.T) {
	cfg := small()
	cfg.EntityLoss = 0.3
	for _, rec := range all(mustNew(t, cfg)) {
		if err := checkKeys(rec.Value); err != nil {
			t.Fatalf("%v in %s", err, rec.Value)
		}
		var doc map[string]any
		d := json.NewDecoder(bytes.NewReader(rec.Value))
		d.UseNumber()
		if err := d.Decode(&doc); err != nil {
			t.Fatalf("%v in %s", err, rec.Value)
		}
		if bytes.ContainsRune(rec.Value, '\n') {
			t.Fatalf("record has a newline: %s", rec.Value)
		}
		if rec.Truth.Alert {
			for _, p := range mandatoryFields[rec.Source] {
				if _, ok := at(doc, p); !ok {
					t.Errorf("%s lacks %s: %s", rec.Source, p, rec.Value)
				}
			}
		}
		if got, want := nativeID(t, rec.Source, doc), rec.Truth.VendorID+rec.Truth.Key; got != want {
			t.Errorf("record says id %q, truth %q", got, want)
		}
		if got := nativeTime(t, rec.Source, doc); !rec.Time.Equal(got) {
			t.Errorf("%s record says %s, Record.Time is %s", rec.Source, got, rec.Time)
		}
		if alert := nativeAlert(rec.Source, doc); alert != rec.Truth.Alert {
			t.Errorf("record looks like alert=%v, truth says %v: %s", alert, rec.Truth.Alert, rec.Value)
		}
	}
}

func at(v any, path string) (any, bool) {
	for _, p := range strings.Split(strings.ReplaceAll(path, "@odata.type", "@odata:type"), ".") {
		p = strings.ReplaceAll(p, ":", ".")
		switch x := v.(type) {
		case map[string]any:
			var ok bool
			if v, ok = x[p]; !ok {
				return nil, false
			}
		case []any:
			if len(x) == 0 {
				return nil, false
			}
			v = x[0]
		default:
			return nil, false
		}
	}
	return v, true
}

func text(doc map[string]any, path string) string {
	v, _ := at(doc, path)
	return fmt.Sprint(v)
}

func nativeID(t *testing.T, source string, doc map[string]any) string {
	t.Helper()
	switch source {
	case "suricata":
		last := text(doc, "alert.signature_id")
		if text(doc, "event_type") != "alert" {
			last = text(doc, "event_type")
		}
		return text(doc, "flow_id") + "|" + text(doc, "timestamp") + "|" + last
	case "okta":
		return text(doc, "uuid")
	case "edr":
		return text(doc, "finding_info.uid")
	default:
		return text(doc, "id")
	}
}

func nativeTime(t *testing.T, source string, doc map[string]any) time.Time {
	t.Helper()
	field, layout := "createdDateTime", time.RFC3339Nano
	switch source {
	case "suricata":
		field, layout = "timestamp", "2006-01-02T15:04:05.999999-0700"
	case "guardduty":
		field = "createdAt"
	case "okta":
		field = "published"
	case "edr":
		v, _ := at(doc, "time")
		ms, err := v.(json.Number).Int64()
		if err != nil {
			t.Fatal(err)
		}
		return time.UnixMilli(ms)
	}
	got, err := time.Parse(layout, text(doc, field))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// nativeAlert is what a reader of the vendor's manual would call an alert.
func nativeAlert(source string, doc map[string]any) bool {
	switch source {
	case "suricata":
		return text(doc, "event_type") == "alert"
	case "okta":
		switch text(doc, "eventType") {
		case "security.threat.detected", "user.account.report_suspicious_activity_by_enduser":
			return true
		case "user.session.start":
			return text(doc, "outcome.result") == "FAILURE"
		}
		return false
	default:
		return true
	}
}

// checkKeys fails on duplicate keys, which encoding/json lets pass.
func checkKeys(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	type level struct {
		keys  map[string]bool
		value bool
	}
	var stack []level
	for {
		tok, err := d.Token()
		if err != nil {
			if len(stack) == 0 && err.Error() == "EOF" {
				return nil
			}
			return err
		}
		if n := len(stack); n > 0 && stack[n-1].keys != nil && !stack[n-1].value {
			if k, ok := tok.(string); ok {
				if stack[n-1].keys[k] {
					return fmt.Errorf("duplicate key %q", k)
				}
				stack[n-1].keys[k] = true
				stack[n-1].value = true
				continue
			}
		} else if n > 0 {
			stack[n-1].value = false
		}
		switch tok {
		case json.Delim('{'):
			stack = append(stack, level{keys: map[string]bool{}})
		case json.Delim('['):
			stack = append(stack, level{})
		case json.Delim('}'), json.Delim(']'):
			stack = stack[:len(stack)-1]
		}
	}
}

func TestCheckKeys(t *testing.T) {
	if err := checkKeys([]byte(`{"a":{"b":1,"c":[{"b":2},{"b":3}]},"b":"a"}`)); err != nil {
		t.Error(err)
	}
	if err := checkKeys([]byte(`{"a":[1],"b":"x","a":2}`)); err == nil {
		t.Error("duplicate key passed")
	}
}
