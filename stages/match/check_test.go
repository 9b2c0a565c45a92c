package match

import (
	"bufio"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/interdict/interdict/schema"
)

// TestCheckValues goes through testdata/check.txt.
func TestCheckValues(t *testing.T) {
	f, err := os.Open("testdata/check.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	seen := [schema.ObservableTypes][2]int{}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		name, rest, _ := strings.Cut(line, " ")
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil {
			t.Fatalf("line %d: %v", n, err)
		}
		want := strings.TrimSpace(rest[len(quoted):])
		value, err := strconv.Unquote(quoted)
		if err != nil {
			t.Fatalf("line %d: %v", n, err)
		}
		var typ schema.ObservableType
		if err := typ.UnmarshalText([]byte(name)); err != nil {
			t.Fatalf("line %d: %v", n, err)
		}
		got, good := "ok", 0
		if err := Check(ind(typ, value)); err != nil {
			got, good = err.Error(), 1
		}
		seen[typ][good]++
		if !strings.HasPrefix(got, want) || want == "ok" && got != "ok" {
			t.Errorf("line %d: %s %q: %s, want %s", n, typ, value, got, want)
		}
		if _, err := Build(DefaultConfig(), []schema.Indicator{ind(typ, value)}); (err == nil) != (got == "ok") {
			t.Errorf("line %d: Check says %s, Build %v", n, got, err)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	for typ := schema.ObservableUnknown + 1; int(typ) < schema.ObservableTypes; typ++ {
		if seen[typ][0] == 0 || seen[typ][1] == 0 {
			t.Errorf("%s: the table has %d good and %d bad values", typ, seen[typ][0], seen[typ][1])
		}
	}
}

func TestCheckFields(t *testing.T) {
	long := strings.Repeat("x", maxName+1)
	f := func(want error, change func(i *schema.Indicator)) {
		t.Helper()
		i := ind(schema.ObservableDomain, "bad.example")
		change(&i)
		if err := Check(i); !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	f(nil, func(i *schema.Indicator) {
		i.Tenant, i.TLP, i.Threats = "acme", schema.TLPRed, make([]schema.Threat, maxThreats)
	})
	f(ErrBound, func(i *schema.Indicator) { i.TLP = schema.TLPRed })
	f(ErrBound, func(i *schema.Indicator) { i.TLP = schema.TLPAmberStrict })
	f(nil, func(i *schema.Indicator) { i.TLP = schema.TLPAmber })
	f(ErrLong, func(i *schema.Indicator) { i.Tenant = long })
	f(ErrLong, func(i *schema.Indicator) { i.Feed = long })
	f(ErrLong, func(i *schema.Indicator) { i.Labels = []string{long} })
	f(ErrLong, func(i *schema.Indicator) { i.Labels = make([]string, maxLabels+1) })
	f(ErrLong, func(i *schema.Indicator) { i.Threats = make([]schema.Threat, maxThreats+1) })
	f(ErrLong, func(i *schema.Indicator) { i.Threats = []schema.Threat{{ID: long}} })
	f(ErrLong, func(i *schema.Indicator) { i.Threats = []schema.Threat{{Name: long}} })
	f(ErrRange, func(i *schema.Indicator) { i.Confidence = 101 })
	f(ErrRange, func(i *schema.Indicator) { i.Wish = schema.WishBlock + 1 })
	f(ErrRange, func(i *schema.Indicator) { i.Verdict = 99 })
	f(ErrRange, func(i *schema.Indicator) { i.Severity = 99 })
	f(ErrRange, func(i *schema.Indicator) { i.TLP = 99 })
	f(ErrSuffix, func(i *schema.Indicator) { i.Value = "co.uk" })
	f(ErrSuffix, func(i *schema.Indicator) { i.Value, i.Exact = "co.uk", true })
	f(ErrSuffix, func(i *schema.Indicator) { i.Value, i.Listed = "co.uk", true })
	f(ErrSuffix, func(i *schema.Indicator) { i.Value, i.Exact = "github.io", true })
	f(ErrSuffix, func(i *schema.Indicator) { i.Value, i.Exact = "example.ck", true }) // a wildcard, but of ICANN's: a registry
	f(ErrSuffix, func(i *schema.Indicator) { i.Value = "ec2-203-0-113-7.compute-1.amazonaws.com" })
	f(ErrSuffix, func(i *schema.Indicator) { i.Value = "compute-1.amazonaws.com" }) // what stands below it are suffixes
	f(nil, func(i *schema.Indicator) { i.Value, i.Exact = "ec2-203-0-113-7.compute-1.amazonaws.com", true })
	f(nil, func(i *schema.Indicator) {
		i.Type, i.Value = schema.ObservableSender, "ec2-203-0-113-7.compute-1.amazonaws.com"
		Narrow(i)
	})
	f(ErrSuffix, func(i *schema.Indicator) { i.Value = "github.io"; Narrow(i) })
	f(nil, func(i *schema.Indicator) { i.Value, i.Listed, i.Exact = "co.uk", true, true })
}

func TestConfigValidate(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	f := func(want string, change func(c *Config)) {
		t.Helper()
		c := DefaultConfig()
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	f("false_positives", func(c *Config) { c.FalsePositives = 0 })
	f("false_positives", func(c *Config) { c.FalsePositives = nan() })
	f("decay.curve", func(c *Config) { c.Decay.Curve = "steep" })
	f("decay.floor", func(c *Config) { c.Decay.Floor = 101 })
	f("decay.addresses", func(c *Config) { c.Decay.Addresses = -1 })
	f("decay.names", func(c *Config) { c.Decay.Names = 1 })
	f("decay.others", func(c *Config) { c.Decay.Others = -1 })
}

func nan() float64 {
	zero := 0.0
	return zero / zero
}
