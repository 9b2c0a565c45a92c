package correlate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/interdict/interdict/schema"
	"github.com/zeebo/xxh3"
)

// Config is the evidence ladder's parameters. Every field is part of ConfigHash:
// another value is another correlation.
type Config struct {
	Base         BaseWindows     `yaml:"base_windows"`  // window of an unshared single key, by entity type
	PairWindows  []time.Duration `yaml:"pair_windows"`  // windows of pair keys at levels 0 to 3; must not grow. Default 48h, 48h, 24h, 8h
	Slice        time.Duration   `yaml:"slice"`         // level 4: aligned slice of time that pair keys link within; at most the last pair window. Default 8h
	Caps         []uint32        `yaml:"caps"`          // heaviest component, in alerts, at levels 0 to 2; heavier ones need stronger evidence. Default 15, 40, 120
	SliceWeight  uint32          `yaml:"slice_weight"`  // heaviest component, in alerts, at level 3; heavier ones are sliced. Default 500
	HubDegree    int             `yaml:"hub_degree"`    // observations per 24 h above which a single key is silent (K). Default 20
	RareDegree   int             `yaml:"rare_degree"`   // the same for level 2. Default 2
	MaxEntities  int             `yaml:"max_entities"`  // linking entities used per observation. Default 16
	Allowlist    []string        `yaml:"allowlist"`     // entities that never link, as "type:key", such as "user:system". Default none
	Lateness     time.Duration   `yaml:"lateness"`      // how long after the watermark an incident stays open for late alerts. Default 30m
	Promote      Promotion       `yaml:"promote"`       // which incidents are put before people
	HeadEntities int             `yaml:"head_entities"` // entities listed in an incident's head. Default 32
	PathEdges    int             `yaml:"path_edges"`    // edges written of an attack path. Default 256
}

// BaseWindows are the base windows of single keys.
type BaseWindows struct {
	Host          time.Duration `yaml:"host"`           // default 8h
	User          time.Duration `yaml:"user"`           // default 8h
	InternalIP    time.Duration `yaml:"internal_ip"`    // private, loopback, link-local, unique local, carrier-grade NAT; default 3h
	ExternalIP    time.Duration `yaml:"external_ip"`    // default 12h
	Mailbox       time.Duration `yaml:"mailbox"`        // default 12h
	CloudResource time.Duration `yaml:"cloud_resource"` // default 8h
	CloudAccount  time.Duration `yaml:"cloud_account"`  // default 8h
	Application   time.Duration `yaml:"application"`    // default 8h
	FileHash      time.Duration `yaml:"file_hash"`      // default 24h
	Domain        time.Duration `yaml:"domain"`         // default 24h
	URL           time.Duration `yaml:"url"`            // default 24h
}

// Promotion says which incidents become promoted: those that meet any of it.
type Promotion struct {
	Severity  string `yaml:"severity"`        // least severity, by name; empty: not by severity. Default high
	Sources   int    `yaml:"sources"`         // least number of sources; zero: not by sources. Default 2
	Tactics   int    `yaml:"tactics"`         // least number of distinct tactics; zero: not by tactics. Default 3
	Malicious bool   `yaml:"malicious_match"` // an indicator match with verdict malicious. Default true
}

// Default gives the parameters argued for in docs/correlation.md.
func Default() Config {
	const h = time.Hour
	return Config{
		Base: BaseWindows{Host: 8 * h, User: 8 * h, InternalIP: 3 * h, ExternalIP: 12 * h, Mailbox: 12 * h, CloudResource: 8 * h,
			CloudAccount: 8 * h, Application: 8 * h, FileHash: 24 * h, Domain: 24 * h, URL: 24 * h},
		PairWindows:  []time.Duration{48 * h, 48 * h, 24 * h, 8 * h},
		Slice:        8 * h,
		Caps:         []uint32{15, 40, 120},
		SliceWeight:  500,
		HubDegree:    20,
		RareDegree:   2,
		MaxEntities:  16,
		Lateness:     30 * time.Minute,
		Promote:      Promotion{Severity: "high", Sources: 2, Tactics: 3, Malicious: true},
		HeadEntities: 32,
		PathEdges:    256,
	}
}

// Bounds that keep windows in an int32 of milliseconds and one observation's
// keys in one small record.
const (
	maxWindow   = 14 * 24 * time.Hour
	maxLinking  = 32
	maxHub      = 10_000
	maxListed   = 256
	maxEdges    = 1024
	maxLateness = 30 * 24 * time.Hour
)

// Validate reports every field that is out of bounds.
func (c Config) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("correlate: "+format, args...)) }
	span := func(name string, d, most time.Duration) {
		if d < time.Millisecond || d > most || d%time.Millisecond != 0 {
			bad("%s: %v is not a whole number of milliseconds from 1ms to %v", name, d, most)
		}
	}
	for _, w := range c.Base.byClass() {
		span("base_windows."+w.name, w.window, maxWindow)
	}
	if len(c.PairWindows) != levels-1 {
		bad("pair_windows: want %d, one per level, have %d", levels-1, len(c.PairWindows))
	}
	for i, w := range c.PairWindows {
		span(fmt.Sprintf("pair_windows[%d]", i), w, maxWindow)
		if i > 0 && w > c.PairWindows[i-1] {
			bad("pair_windows[%d]: %v is longer than the level before it (%v)", i, w, c.PairWindows[i-1])
		}
	}
	span("slice", c.Slice, maxWindow)
	if n := len(c.PairWindows); n > 0 && c.Slice > c.PairWindows[n-1] {
		bad("slice: %v is longer than the last pair window (%v)", c.Slice, c.PairWindows[n-1])
	}
	if len(c.Caps) != levels-2 {
		bad("caps: want %d, one for each of levels 0 to 2, have %d", levels-2, len(c.Caps))
	}
	for i, n := range append(slices.Clone(c.Caps), c.SliceWeight) {
		if n < 1 || n > 1<<20 {
			bad("caps: level %d: %d is not from 1 to %d", i, n, 1<<20)
		}
	}
	if c.HubDegree < 0 || c.HubDegree > maxHub {
		bad("hub_degree: %d is not from 0 to %d", c.HubDegree, maxHub)
	}
	if c.RareDegree < 0 || c.RareDegree > c.HubDegree {
		bad("rare_degree: %d is not from 0 to hub_degree (%d)", c.RareDegree, c.HubDegree)
	}
	if c.MaxEntities < 1 || c.MaxEntities > maxLinking {
		bad("max_entities: %d is not from 1 to %d", c.MaxEntities, maxLinking)
	}
	if c.Lateness < 0 || c.Lateness > maxLateness {
		bad("lateness: %v is not from 0 to %v", c.Lateness, maxLateness)
	}
	if c.HeadEntities < 1 || c.HeadEntities > maxListed/4 {
		bad("head_entities: %d is not from 1 to %d", c.HeadEntities, maxListed/4)
	}
	if c.PathEdges < 1 || c.PathEdges > maxEdges {
		bad("path_edges: %d is not from 1 to %d", c.PathEdges, maxEdges)
	}
	if _, ok := parseSeverity(c.Promote.Severity); !ok {
		bad("promote.severity: %q is no severity", c.Promote.Severity)
	}
	if c.Promote.Sources < 0 || c.Promote.Tactics < 0 {
		bad("promote: sources and tactics must not be negative")
	}
	for _, s := range c.Allowlist {
		if _, err := parseRef(s); err != nil {
			bad("allowlist: %v", err)
		}
	}
	return errors.Join(errs...)
}

// Hash names the parameters: equal configurations, and only those, correlate
// alike. The order of the allowlist does not matter.
func (c Config) Hash() uint64 {
	allow := slices.Clone(c.Allowlist)
	slices.Sort(allow)
	c.Allowlist = slices.Compact(allow)
	return xxh3.HashString(fmt.Sprintf("%d %+v", stateVersion, c))
}

// parseRef reads "type:key".
func parseRef(s string) (schema.EntityRef, error) {
	name, key, ok := strings.Cut(s, ":")
	typ, known := schema.ParseEntityType(name)
	if !ok || !known || key == "" {
		return schema.EntityRef{}, fmt.Errorf("%q is not an entity type, a colon and a key", s)
	}
	return schema.EntityRef{Type: typ, Key: key}, nil
}

// parseSeverity reads a severity's name; the empty name is a severity that
// nothing reaches.
func parseSeverity(s string) (schema.Severity, bool) {
	if s == "" {
		return schema.Severity(255), true
	}
	for v := schema.SeverityInformational; v <= schema.SeverityFatal; v++ {
		if v.String() == s {
			return v, true
		}
	}
	return 0, false
}
