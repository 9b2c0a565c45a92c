package disrupt

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/interdict/interdict/schema"
)

// Config is what disruption decides by.
type Config struct {
	Policies       []Policy      `yaml:"policies"`         // default: the shipped one, in shadow mode
	DefaultLease   time.Duration `yaml:"default_lease"`    // of policies that name none; 1m to 168h. Default 4h
	MaxEvidenceAge time.Duration `yaml:"max_evidence_age"` // evidence older than this, by event or by ingest, never acts by itself. Default 10m
	MaxAssetAge    time.Duration `yaml:"max_asset_age"`    // an inventory record older than this is stale: approval, not action. Default 168h
	NeverContain   NeverContain  `yaml:"never_contain"`    // what no policy may touch
	Exclude        []Exclusion   `yaml:"exclude"`          // what people have taken out. Default none
	Budget         Budget        `yaml:"budget"`           // how much may be contained
	MaxSuspects    int           `yaml:"max_suspects"`     // targets with evidence per tenant; beyond it the ones that nobody attests go first. Default 100000
	SigningKeyFile string        `yaml:"signing_key_file"` // PEM file (PKCS #8) of the Ed25519 key that signs actions; empty: unsigned, which respond may refuse. Default empty
	SigningKey     []byte        `yaml:"-"`                // the same as bytes; wins over the file
}

// NeverContain lists classes and targets that are never acted on.
type NeverContain struct {
	Classes []string `yaml:"classes"` // asset classes; '-' and a final "_server" do not matter. Default: see DefaultConfig
	Targets []string `yaml:"targets"` // "type:key"; a host also by its short name. Default none
}

// Exclusion takes targets out of disruption. Exactly one of Target and Range is
// given.
type Exclusion struct {
	Target string `yaml:"target"` // "type:key"
	Range  string `yaml:"range"`  // CIDR; for targets whose key is an address
	Note   string `yaml:"note"`   // why, for people; shown with the veto
}

// Budget is a token bucket per tenant and target type. A tenant lives in one
// shard, so each bucket has one owner.
type Budget struct {
	FleetShare float64 `yaml:"fleet_share"` // share of the inventory's targets of the type that may be acted on per hour, 0 to 1. Default 0.01
	Floor      int     `yaml:"floor"`       // actions per hour that are allowed however small the fleet is. Default 3
}

// DefaultConfig holds the shipped policy and careful bounds.
func DefaultConfig() Config {
	data, err := shipped.ReadFile(ShippedPolicy)
	if err != nil {
		panic("BUG: the shipped policy is not embedded: " + err.Error())
	}
	policies, err := LoadPolicies(bytes.NewReader(data), ShippedPolicy)
	if err != nil {
		panic("BUG: the shipped policy does not load: " + err.Error())
	}
	return Config{
		Policies:       policies,
		DefaultLease:   defaultLease,
		MaxEvidenceAge: 10 * time.Minute,
		MaxAssetAge:    7 * 24 * time.Hour,
		NeverContain: NeverContain{Classes: []string{"domain_controller", "dns", "dhcp", "pki", "identity_provider", "hypervisor", "backup",
			"edr_server", "nat_gateway", "egress_proxy", "proxy", "firewall", "router", "vpn_gateway", "pipeline", "break_glass"}},
		Budget:      Budget{FleetShare: 0.01, Floor: 3},
		MaxSuspects: 100_000,
	}
}

// maxPolicies bounds a configuration.
const maxPolicies = 10_000

// Validate reports everything that is out of bounds, the expressions of the
// policies excepted: New compiles those.
func (c Config) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("disrupt: "+format, args...)) }
	span := func(name string, d, least, most time.Duration) {
		if d < least || d > most {
			bad("%s: %v is not from %v to %v", name, d, least, most)
		}
	}
	span("default_lease", c.DefaultLease, minLease, maxLease)
	span("max_evidence_age", c.MaxEvidenceAge, time.Second, 24*time.Hour)
	span("max_asset_age", c.MaxAssetAge, time.Minute, 365*24*time.Hour)
	if !(c.Budget.FleetShare >= 0 && c.Budget.FleetShare <= 1) {
		bad("budget.fleet_share: %v is not from 0 to 1", c.Budget.FleetShare)
	}
	if c.Budget.Floor < 0 || c.Budget.Floor > 1_000_000 {
		bad("budget.floor: %d is not from 0 to 1000000", c.Budget.Floor)
	}
	if c.MaxSuspects < 1 || c.MaxSuspects > 10_000_000 {
		bad("max_suspects: %d is not from 1 to 10000000", c.MaxSuspects)
	}
	if len(c.Policies) > maxPolicies {
		bad("policies: %d are more than %d", len(c.Policies), maxPolicies)
	}
	seen := map[string]bool{}
	for i, p := range c.Policies {
		p = p.withDefaults(c.DefaultLease)
		if err := p.validate(); err != nil {
			bad("policies[%d] %q: %w", i, p.Name, err)
		}
		if seen[p.Name] {
			bad("policies[%d]: %q is defined twice", i, p.Name)
		}
		seen[p.Name] = true
	}
	for i, class := range c.NeverContain.Classes {
		if canonicalClass(class) == "" {
			bad("never_contain.classes[%d] is empty", i)
		}
	}
	if _, err := newTargetSet(c.NeverContain.Targets); err != nil {
		bad("never_contain.targets: %w", err)
	}
	for i, x := range c.Exclude {
		if (x.Target == "") == (x.Range == "") {
			bad("exclude[%d]: give either target or range", i)
		}
		if _, err := newExclusion(x); err != nil {
			bad("exclude[%d]: %w", i, err)
		}
	}
	return errors.Join(errs...)
}

// Hash names what the configuration decides; the signing key and the notes are no
// part of it.
func (c Config) Hash() uint64 {
	h := xxh3.New()
	fmt.Fprintf(h, "%d|%d|%d|%v|%d|", stateVersion, c.MaxEvidenceAge, c.MaxAssetAge, c.Budget, c.MaxSuspects)
	for _, p := range c.Policies {
		fmt.Fprintf(h, "%s|", p.withDefaults(c.DefaultLease).hash())
	}
	list := func(items []string) {
		items = slices.Clone(items)
		slices.Sort(items)
		fmt.Fprintf(h, "%q|", slices.Compact(items))
	}
	list(c.NeverContain.Classes)
	list(c.NeverContain.Targets)
	var out []string
	for _, x := range c.Exclude {
		out = append(out, x.Target+"|"+x.Range)
	}
	list(out)
	return h.Sum64()
}

// canonicalClass makes "Domain-Controller" and "dns_server" the class that lists
// name: "domain_controller", "dns".
func canonicalClass(s string) string {
	s = strings.NewReplacer("-", "_", " ", "_").Replace(strings.ToLower(strings.TrimSpace(s)))
	return strings.TrimSuffix(s, "_server")
}

// targetSet holds listed targets, compared without case; a host is also in it
// when its short name is a listed one's, since the two name one machine.
type targetSet map[schema.EntityRef]bool

func newTargetSet(list []string) (targetSet, error) {
	set := targetSet{}
	for _, s := range list {
		name, key, ok := strings.Cut(s, ":")
		t, known := schema.ParseEntityType(name)
		if !ok || !known || key == "" {
			return nil, fmt.Errorf("%q is not an entity type, a colon and a key", s)
		}
		for _, k := range spellings(t, key) {
			set[schema.EntityRef{Type: t, Key: k}] = true
		}
	}
	return set, nil
}

func (s targetSet) has(r schema.EntityRef) bool {
	if len(s) == 0 {
		return false
	}
	for _, k := range spellings(r.Type, r.Key) {
		if s[schema.EntityRef{Type: r.Type, Key: k}] {
			return true
		}
	}
	return false
}

// spellings gives the keys that a listed target is compared under.
func spellings(t schema.EntityType, key string) []string {
	key = strings.ToLower(key)
	if t == schema.EntityHost {
		if _, err := netip.ParseAddr(key); err != nil {
			if short, _, full := strings.Cut(key, "."); full && short != "" {
				return []string{key, short}
			}
		}
	}
	return []string{key}
}

// exclusion is an Exclusion ready for comparing.
type exclusion struct {
	targets targetSet
	prefix  netip.Prefix
	note    string
}

func newExclusion(x Exclusion) (e exclusion, err error) {
	e.note = x.Note
	if x.Range != "" {
		e.prefix, err = netip.ParsePrefix(x.Range)
		if err != nil {
			return e, fmt.Errorf("range: %w", err)
		}
		e.prefix = e.prefix.Masked()
		return e, nil
	}
	e.targets, err = newTargetSet([]string{x.Target})
	return e, err
}

func (e *exclusion) covers(r schema.EntityRef) bool {
	if !e.prefix.IsValid() {
		return e.targets.has(r)
	}
	addr, err := netip.ParseAddr(r.Key)
	return err == nil && e.prefix.Contains(addr.Unmap())
}
