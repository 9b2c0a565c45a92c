package intel

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/interdict/interdict/schema"
)

// stixObject is what is read of a STIX 2.0 or 2.1 object.
type stixObject struct {
	Type        string          `json:"type"`
	ID          string          `json:"id"`
	Pattern     string          `json:"pattern"`
	PatternType string          `json:"pattern_type"`
	Modified    string          `json:"modified"` // tells versions of an object apart: the newest holds
	ValidFrom   string          `json:"valid_from"`
	ValidUntil  string          `json:"valid_until"`
	Revoked     bool            `json:"revoked"`
	Confidence  *uint8          `json:"confidence"`
	Labels      []string        `json:"labels"`
	Types       []string        `json:"indicator_types"`
	Markings    []string        `json:"object_marking_refs"`
	Objects     json.RawMessage `json:"objects"` // of a bundle
}

// stix reads bundles, arrays of objects, or objects, one after another, and one
// object at a time.
func (r *reader) stix(br *bufio.Reader) error {
	d := json.NewDecoder(br)
	for n := 1; ; n++ {
		tok, err := d.Token()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
		case tok == json.Delim('['):
			err = r.stixArray(d)
		case tok == json.Delim('{'):
			err = r.stixDocument(n, d)
		default:
			err = fmt.Errorf("%v is neither an object nor an array", tok)
		}
		if err != nil {
			return fmt.Errorf("reading the STIX feed: %w", err)
		}
	}
}

// stixDocument reads the rest of a bundle or of a single object. One that is cut
// short is an error, never a smaller feed.
func (r *reader) stixDocument(n int, d *json.Decoder) error {
	fields := map[string]json.RawMessage{}
	bundle := false
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		if key == "objects" {
			bundle = true
			if tok, err := d.Token(); err != nil || tok != json.Delim('[') {
				return errors.New("objects is not an array")
			}
			if err := r.stixArray(d); err != nil {
				return err
			}
			continue
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return fmt.Errorf("%v: %w", key, err)
		}
		fields[fmt.Sprint(key)] = v
	}
	if err := stixEnd(d); err != nil || bundle {
		return err
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	r.stixObject(n, raw)
	return nil
}

func (r *reader) stixArray(d *json.Decoder) error {
	for n := 1; d.More(); n++ {
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return fmt.Errorf("object %d: %w", n, err)
		}
		r.stixObject(n, raw)
	}
	return stixEnd(d)
}

// stixEnd reads the bracket that ends an object or array.
func stixEnd(d *json.Decoder) error {
	_, err := d.Token()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return err
}

func (r *reader) stixObject(n int, raw json.RawMessage) {
	var o stixObject
	if err := json.Unmarshal(raw, &o); err != nil {
		r.refuse(n, "", err)
		return
	}
	if o.Type == "" {
		r.refuse(n, "", errors.New("no STIX object: it has no type"))
		return
	}
	r.stixIndicator(n, o)
}

func (r *reader) stixIndicator(n int, o stixObject) {
	if o.Type != "indicator" {
		return // identities, relationships, markings: nothing to match
	}
	modified, err := stixTime(o.Modified)
	if err != nil {
		r.refuse(n, o.ID, err)
		return
	}
	if o.ID != "" {
		r.newest[o.ID] = max(r.newest[o.ID], modified)
	}
	switch {
	case o.PatternType != "" && o.PatternType != "stix":
		r.refuse(n, o.ID, fmt.Errorf("pattern type %q is not supported", o.PatternType))
		return
	case o.Revoked:
		r.refuse(n, o.ID, errors.New("revoked"))
		return
	}
	from, err1 := stixTime(o.ValidFrom)
	until, err2 := stixTime(o.ValidUntil)
	if err := errors.Join(err1, err2); err != nil {
		r.refuse(n, o.ID, err)
		return
	}
	values, err := ParsePattern(o.Pattern)
	if err != nil {
		r.refuse(n, o.ID, err)
		return
	}
	for _, v := range values {
		i := r.indicator(v)
		if o.ID != "" {
			i.ID = o.ID
		}
		i.ValidFrom, i.ValidUntil = from, until
		i.Labels = append(o.Labels, o.Types...)
		if o.Confidence != nil {
			i.Confidence = min(*o.Confidence, 100)
		}
		for _, l := range i.Labels {
			if strings.EqualFold(l, "benign") {
				i.Verdict = schema.VerdictBenign
			}
		}
		i.TLP = max(i.TLP, stixTLP(o.Markings))
		r.take(n, v.Value, i, modified)
	}
}

func stixTime(s string) (schema.Millis, error) {
	if s == "" {
		return 0, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return 0, fmt.Errorf("time %q is not RFC 3339", s)
	}
	return schema.FromTime(t), nil
}

// stixTLP reads the marking definitions that STIX 2.1 (section 7.2.1.4) fixes.
func stixTLP(refs []string) schema.TLP {
	tlp := schema.TLPClear
	for _, ref := range refs {
		switch strings.TrimPrefix(ref, "marking-definition--") {
		case "34098fce-860f-48ae-8e50-ebd3cc5e41da":
			tlp = max(tlp, schema.TLPGreen)
		case "f88d31f6-486f-44da-b317-01333bde0b82":
			tlp = max(tlp, schema.TLPAmber)
		case "5e57c739-391a-4eb3-b6be-7d15ca92d5ed":
			tlp = max(tlp, schema.TLPRed)
		}
	}
	return tlp
}
