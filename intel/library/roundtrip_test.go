package library

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/intel/parse"
	"github.com/interdict/interdict/schema"
	"pgregory.net/rapid"
)

// written draws a value of a type as somebody would write it.
func written(t *rapid.T, typ schema.ObservableType) string {
	hex := func(n int) string { return rapid.StringMatching(fmt.Sprintf("[0-9a-f]{%d}", n)).Draw(t, "hex") }
	name := func() string {
		return rapid.StringMatching(`[a-z0-9]([a-z0-9_-]{0,6}[a-z0-9])?`).Draw(t, "label") + ".bad.example"
	}
	address := func() string {
		if rapid.Bool().Draw(t, "v6") {
			return "2001:db8::" + strings.TrimLeft(hex(3), "0") + "1"
		}
		return fmt.Sprintf("203.0.113.%d", rapid.IntRange(0, 255).Draw(t, "host"))
	}
	path := func() string {
		return rapid.StringMatching(`(/[a-z_.~'()$*+-]{1,5}(%20|%27|;x)?){1,3}`).Draw(t, "path")
	}
	scheme := func() string { return rapid.SampledFrom([]string{"http:", "https:", "ftp:", ""}).Draw(t, "scheme") }
	text := func() string { return rapid.StringMatching(`[A-Za-z0-9 \\'"=/();:.\[\]_%-]{4,30}`).Draw(t, "text") }
	switch typ {
	case schema.ObservableIP:
		return address()
	case schema.ObservableCIDR:
		return rapid.SampledFrom([]string{"198.51.100.0/24", "192.0.2.128/25", "2001:db8::/32"}).Draw(t, "network")
	case schema.ObservableSocket:
		host := address()
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		return fmt.Sprintf("%s:%d", host, rapid.IntRange(1, 65535).Draw(t, "port"))
	case schema.ObservableDomain, schema.ObservableSender:
		return name()
	case schema.ObservableURL:
		return scheme() + "//" + name() + path()
	case schema.ObservableURLPrefix:
		return scheme() + "//" + name() + path() + "/"
	case schema.ObservableURLPath:
		return path() + "/gate.php"
	case schema.ObservableHash, schema.ObservableCertificate:
		return hex(rapid.SampledFrom([]int{32, 40, 64}).Draw(t, "digits"))
	case schema.ObservableJA3, schema.ObservableJA3S:
		return hex(32)
	case schema.ObservableJA4:
		return "t13d1516h2_" + hex(12) + "_" + hex(12)
	case schema.ObservableEmail:
		return "x" + hex(3) + "@" + name()
	case schema.ObservableRegistry:
		return `HKEY_LOCAL_MACHINE\Software\` + text()
	case schema.ObservableSSDeep:
		return "96:" + hex(10) + ":" + hex(8)
	}
	return text()
}

// heard keeps what is read.
type heard struct {
	said    []fact.Said
	refused []fact.Refusal
}

func (h *heard) Said(_ int, s fact.Said) error         { h.said = append(h.said, s); return nil }
func (h *heard) Refuse(r fact.Refusal) error           { h.refused = append(h.refused, r); return nil }
func (h *heard) Object(int, fact.Object) error         { return nil }
func (h *heard) Relation(int, fact.Relation) error     { return nil }
func (h *heard) Sighting(_ int, _ fact.Sighting) error { return nil }

// TestExportIsRead draws indicators of every type, exports them as STIX and reads the
// bundle again: what comes out says the same of the same values.
func TestExportIsRead(t *testing.T) {
	feed := feedOf("acme")
	for typ := schema.ObservableIP; int(typ) < schema.ObservableTypes; typ++ {
		feed.Types = append(feed.Types, typ.String())
	}
	drawn := map[schema.ObservableType]int{}
	tell := func(i *schema.Indicator) string {
		// The kind of an indicator is read as a label besides.
		labels := slices.DeleteFunc(slices.Clone(i.Labels), func(l string) bool { return strings.HasSuffix(l, "-activity") || l == "benign" })
		slices.Sort(labels)
		return fmt.Sprint(i.Type, " ", i.Value, " ", i.Verdict, " ", i.Confidence, " ", i.TLP, " ", i.ValidFrom, " ", i.ValidUntil, " ", i.Fresh, " ", labels)
	}
	rapid.Check(t, func(t *rapid.T) {
		var bundle bytes.Buffer
		out := bufio.NewWriter(&bundle)
		e := &stixExporter{w: out}
		if err := e.begin(); err != nil {
			t.Fatal(err)
		}
		var want []string
		for typ := schema.ObservableIP; int(typ) < schema.ObservableTypes; typ++ {
			o, err := parse.Value(typ, written(t, typ))
			if err != nil || o.Type != typ {
				continue
			}
			i := said(o.Type, o.Value, "").Indicator
			if standing(&i) != "" {
				continue
			}
			i.Confidence = uint8(rapid.IntRange(1, 100).Draw(t, "confidence"))
			i.Verdict = rapid.SampledFrom([]schema.Verdict{schema.VerdictMalicious, schema.VerdictSuspicious, schema.VerdictBenign}).Draw(t, "verdict")
			i.TLP = rapid.SampledFrom([]schema.TLP{schema.TLPClear, schema.TLPGreen, schema.TLPAmber}).Draw(t, "tlp")
			i.ValidFrom = millis(rapid.IntRange(0, 9).Draw(t, "from"))
			i.Fresh = i.ValidFrom
			if rapid.Bool().Draw(t, "ends") {
				i.ValidUntil = millis(rapid.IntRange(10, 90).Draw(t, "until"))
			}
			i.Labels = rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z'"<&]{1,6}`), 0, 3, rapid.ID[string]).Draw(t, "labels")
			if why := e.leaves(&i); why != "" {
				t.Fatalf("%s %q is left out: %s", i.Type, i.Value, why)
			}
			if err := e.put(&i, beside{times: times{i.ValidFrom, i.Fresh}}); err != nil {
				t.Fatal(err)
			}
			want = append(want, tell(&i))
			drawn[typ]++
		}
		if err := errors.Join(e.end(), out.Flush()); err != nil {
			t.Fatal(err)
		}
		var h heard
		if err := parse.Read(context.Background(), bytes.NewReader(bundle.Bytes()), feed, fact.Part{Name: "bundle", Format: fact.FormatSTIX}, millis(20), &h); err != nil {
			t.Fatal(err)
		}
		var got []string
		for k := range h.said {
			got = append(got, tell(&h.said[k].Indicator))
		}
		if !slices.Equal(got, want) || len(h.refused) > 0 {
			t.Fatalf("exported\n%s\nread\n%s\nrefused %+v\nfrom\n%s", strings.Join(want, "\n"), strings.Join(got, "\n"), h.refused, bundle.String())
		}
	})
	for typ := schema.ObservableIP; int(typ) < schema.ObservableTypes; typ++ {
		if drawn[typ] == 0 {
			t.Errorf("no %s was drawn", typ)
		}
	}
}
