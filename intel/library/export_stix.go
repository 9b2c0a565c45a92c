package library

import (
	"bufio"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

// stixExporter writes a STIX 2.1 bundle: an identity, the TLP markings that are
// used, an indicator with its pattern for each that is exported, and what is behind them.
type stixExporter struct {
	w      *bufio.Writer
	sum    *xxh3.Hasher // of what was written
	n      int
	last   string // id of the last indicator
	seen   map[digest]bool
	marked [8]bool
}

// markingID gives the id of a TLP marking. The four of TLP 1 are those that the
// standard fixes; of the fifth, amber+strict, those of FIRST's TLP 2 extension.
func markingID(t schema.TLP) string {
	switch t {
	case schema.TLPClear:
		return "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"
	case schema.TLPGreen:
		return "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"
	case schema.TLPAmber:
		return "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"
	case schema.TLPAmberStrict:
		return "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"
	}
	return "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"
}

// patternOf gives the STIX pattern of an indicator; empty where STIX has no word for
// it.
func patternOf(i *schema.Indicator) string {
	is := func(path string) string { return "[" + path + " = '" + quoted(i.Value) + "']" }
	ip := "ipv4-addr"
	if strings.Contains(i.Value, ":") && i.Type != schema.ObservableSocket || strings.HasPrefix(i.Value, "[") {
		ip = "ipv6-addr"
	}
	// like compares a part of the value: with LIKE where nothing in it would be taken for
	// a wildcard, which cannot be escaped there.
	like := func(path, like, exactly, value, end, matches string) string {
		if !strings.ContainsAny(value, "%_") {
			return "[" + path + " LIKE '" + like + quoted(value) + end + "']"
		}
		return "[" + path + " MATCHES '" + quoted(exactly+regexp.QuoteMeta(value)+matches) + "']"
	}
	hash := map[int]string{32: "MD5", 40: "'SHA-1'", 64: "'SHA-256'"}[len(i.Value)]
	switch i.Type {
	case schema.ObservableIP:
		return is(ip + ":value")
	case schema.ObservableCIDR:
		return is(ip + ":value")
	case schema.ObservableDomain:
		return is("domain-name:value")
	case schema.ObservableURL, schema.ObservableURLPrefix:
		end, matches := "", "$"
		if i.Type == schema.ObservableURLPrefix {
			end, matches = "%", ""
		}
		if rest, any := strings.CutPrefix(i.Value, "//"); any {
			return like("url:value", "%://", "^[^:]+://", rest, end, matches)
		}
		if i.Type == schema.ObservableURL {
			return is("url:value")
		}
		return like("url:value", "", "^", i.Value, end, matches)
	case schema.ObservableURLPath:
		return is("network-traffic:extensions.'http-request-ext'.request_value")
	case schema.ObservableHash:
		return is("file:hashes." + hash)
	case schema.ObservableCertificate:
		return is("x509-certificate:hashes." + hash)
	case schema.ObservableSSDeep:
		return is("file:hashes.SSDEEP")
	case schema.ObservableEmail:
		return is("email-addr:value")
	case schema.ObservableSender:
		return like("email-message:from_ref.value", "%@", "@", i.Value, "", "$")
	case schema.ObservableSocket:
		at := strings.LastIndexByte(i.Value, ':')
		return "[network-traffic:dst_ref.type = '" + ip + "' AND network-traffic:dst_ref.value = '" + strings.Trim(i.Value[:at], "[]") + "' AND network-traffic:dst_port = " + i.Value[at+1:] + "]"
	case schema.ObservableUserAgent:
		return is("network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'")
	case schema.ObservableMutex:
		return is("mutex:name")
	case schema.ObservableRegistry:
		return is("windows-registry-key:key")
	case schema.ObservableJA3, schema.ObservableJA3S, schema.ObservableJA4:
		// STIX has no place for fingerprints of TLS; this is the one that tools write.
		return is("network-traffic:extensions.'tls-ext'." + i.Type.String())
	}
	return ""
}

// quoted is a text within a pattern.
func quoted(text string) string { return strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) }

func (e *stixExporter) tellsThreats() bool { return true }

func (e *stixExporter) leaves(i *schema.Indicator) string {
	if patternOf(i) == "" {
		return "STIX has no pattern for it"
	}
	return ""
}

const stixTime = "2006-01-02T15:04:05.000Z"

func (e *stixExporter) begin() error {
	e.sum = xxh3.New()
	e.seen = map[digest]bool{}
	_, err := e.w.WriteString(`{"type":"bundle","objects":[` + "\n")
	return err
}

func (e *stixExporter) object(v any) error {
	if e.n++; e.n > 1 {
		if _, err := e.w.WriteString(",\n"); err != nil {
			return err
		}
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, _ = e.sum.Write(text) // never fails
	_, err = e.w.Write(text)
	return err
}

// marking writes a marking when it is first used.
func (e *stixExporter) marking(t schema.TLP) error {
	if e.marked[t] {
		return nil
	}
	e.marked[t] = true
	m := map[string]any{"type": "marking-definition", "spec_version": "2.1", "id": markingID(t), "created": "2017-01-20T00:00:00.000Z"}
	switch t {
	case schema.TLPAmberStrict:
		m["name"] = "TLP:AMBER+STRICT"
		m["created"] = "2022-10-01T00:00:00.000Z"
		m["extensions"] = map[string]any{"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d": map[string]any{"extension_type": "property-extension", "tlp_2_0": "amber+strict"}}
	case schema.TLPClear:
		m["name"], m["definition_type"], m["definition"] = "TLP:WHITE", "tlp", map[string]any{"tlp": "white"}
	default:
		m["name"], m["definition_type"], m["definition"] = "TLP:"+strings.ToUpper(t.String()), "tlp", map[string]any{"tlp": t.String()}
	}
	return e.object(m)
}

// stixIndicator is an indicator as STIX 2.1 has it.
type stixIndicator struct {
	Type       string    `json:"type"`
	Spec       string    `json:"spec_version"`
	ID         string    `json:"id"`
	Created    string    `json:"created"`
	Modified   string    `json:"modified"`
	Name       string    `json:"name"`
	Types      []string  `json:"indicator_types"`
	Pattern    string    `json:"pattern"`
	Kind       string    `json:"pattern_type"`
	From       string    `json:"valid_from"`
	Until      string    `json:"valid_until,omitempty"`
	Confidence uint8     `json:"confidence"`
	Labels     []string  `json:"labels,omitempty"`
	Markings   [1]string `json:"object_marking_refs"`
}

// stamp writes a time.
func stamp(m schema.Millis) string { return m.Time().Format(stixTime) }

// begins is when an indicator of a time is valid from: where nobody says it, when it was
// seen or known first. It is before its end, which else would be none.
func begins(i *schema.Indicator, created schema.Millis) schema.Millis {
	begin := i.ValidFrom
	if begin == 0 {
		begin = created
		if i.Fresh != 0 {
			begin = min(begin, i.Fresh)
		}
	}
	if i.ValidUntil != 0 {
		begin = min(begin, i.ValidUntil-1)
	}
	return max(0, begin)
}

func (e *stixExporter) put(i *schema.Indicator, b beside) error {
	if err := e.marking(i.TLP); err != nil {
		return err
	}
	begin := begins(i, b.created)
	e.last = e.id(i)
	s := stixIndicator{Type: "indicator", Spec: "2.1", ID: e.last, Created: stamp(b.created), Modified: stamp(b.modified), Name: i.Value, Pattern: patternOf(i), Kind: "stix",
		From: stamp(begin), Confidence: i.Confidence, Markings: [1]string{markingID(i.TLP)}}
	switch i.Verdict {
	case schema.VerdictMalicious:
		s.Types = []string{"malicious-activity"}
	case schema.VerdictSuspicious:
		s.Types = []string{"anomalous-activity"}
	case schema.VerdictBenign, schema.VerdictFalsePositive:
		s.Types = []string{"benign"}
	default:
		s.Types = []string{"unknown"}
	}
	if i.ValidUntil > begin && i.ValidUntil <= lastTime {
		s.Until = stamp(i.ValidUntil)
	}
	for _, l := range i.Labels {
		if l != "" {
			s.Labels = append(s.Labels, l)
		}
	}
	if b.doubt != "" {
		s.Labels = append(s.Labels, "doubt: "+b.doubt)
	}
	return e.object(s)
}

// id gives an id that a bundle may have once: the indicator's own where it is one and
// stands for one value, else one that follows from it, as for all in a very long bundle.
func (e *stixExporter) id(i *schema.Indicator) string {
	if isSTIXID(i.ID, "indicator") && len(e.seen) < maxSeen && e.first(i.ID) {
		return i.ID
	}
	return usualID + fact.DeriveUUID("export", i.Feed, i.ID, i.Type.String(), i.Value)
}

// first notes an id, and reports whether the bundle may have it: it has it only once.
func (e *stixExporter) first(id string) bool {
	d := digestOf(id)
	if e.seen[d] {
		return false
	}
	e.seen[d] = true
	return true
}

func (e *stixExporter) end() error {
	// The id follows from what was written, so it stands behind that.
	_, err := e.w.WriteString("\n],\"id\":\"bundle--" + fact.DeriveUUID("bundle", fmt.Sprintf("%x", e.sum.Sum128().Bytes())) + "\"}\n")
	return err
}
