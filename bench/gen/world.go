package gen

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"time"
)

// World is a planned stretch of days. It does not change after New; its methods
// may be called from several goroutines.
type World struct {
	cfg       Config
	start     int64
	catalog   *catalog
	fleet     *fleet
	accounts  *accounts
	campaigns []Campaign
	events    []event // by creation time
	alerts    int

	popularIP, popularDomain, popularHash weights
	ids                                   nativeIDs
}

// Record is one message of a sensor.
type Record struct {
	Source string    // one of Sources
	Time   time.Time // when the vendor made it: the order of Records
	Value  []byte    // vendor-native JSON on one line, without a newline; never changed later
	Truth  Truth
}

// New plans a world. It fails only if the config is not valid.
func New(cfg Config) (*World, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	w := newCompany(cfg)
	r := rng{s: mix(cfg.Seed, 0x63616d70)}
	w.addCampaigns(&r)
	background := cfg.Background
	if background == 0 {
		background = int(math.Round(float64(len(w.events)) * cfg.NoiseRatio))
	}
	r = rng{s: mix(cfg.Seed, 0x6e6f6973)}
	w.addBackground(&r, background)
	r = rng{s: mix(cfg.Seed, 0x62757273)}
	w.addBursts(&r)
	w.alerts = len(w.events)
	r = rng{s: mix(cfg.Seed, 0x74656c65)}
	for range int(math.Round(float64(w.alerts) * (cfg.TelemetryShare / (1 - cfg.TelemetryShare)))) {
		w.add(w.telemetryEvent(&r, w.moment(&r)))
	}
	slices.SortFunc(w.events, func(a, b event) int {
		return cmp.Or(cmp.Compare(a.created, b.created), cmp.Compare(a.id, b.id))
	})
	return w, nil
}

// newCompany makes the enterprise without any event.
func newCompany(cfg Config) *World {
	cfg.Start = cfg.Start.UTC().Truncate(time.Second)
	f := newFleet(cfg)
	return &World{
		cfg: cfg, start: cfg.Start.UnixNano(),
		catalog: newCatalog(cfg.Mix), fleet: f, accounts: newAccounts(cfg, f),
		popularIP: zipf(popularIPs), popularDomain: zipf(popularDomains), popularHash: zipf(popularHashes),
		ids: newNativeIDs(cfg.Seed),
	}
}

// add gives an event its identity. Ids are a bijection of the position, so they
// are unique and say nothing about the kind of event.
func (w *World) add(ev event) {
	ev.id = mix(w.cfg.Seed^0x6964, uint64(len(w.events)))
	w.events = append(w.events, ev)
}

// Records yields every record in the order of its Time. Values share blocks of
// memory; holding on to one keeps about 256 KB alive.
func (w *World) Records() iter.Seq[Record] {
	return func(yield func(Record) bool) {
		const block = 256 << 10
		var buf []byte
		for i := range w.events {
			ev := &w.events[i]
			if cap(buf)-len(buf) < maxRecord {
				buf = make([]byte, 0, block)
			}
			from := len(buf)
			buf = w.append(buf, ev)
			rec := Record{
				Source: w.rule(ev).source.String(), Time: time.Unix(0, ev.created).UTC(),
				Value: buf[from:len(buf):len(buf)], Truth: w.truth(ev),
			}
			if !yield(rec) {
				return
			}
		}
	}
}

// maxRecord is more than the largest record the encoders write; a larger one
// would only cost an allocation.
const maxRecord = 16 << 10

// append writes the record of an event in its vendor's format.
func (w *World) append(dst []byte, ev *event) []byte {
	e := enc{b: dst}
	ru := w.rule(ev)
	switch ru.source {
	case suricata:
		w.suricata(&e, ev, ru)
	case defender:
		w.defender(&e, ev, ru)
	case guardDuty:
		w.guardDuty(&e, ev, ru)
	case okta:
		w.okta(&e, ev, ru)
	case edr:
		w.edr(&e, ev, ru)
	}
	return e.b
}

// Config returns the config of the world.
func (w *World) Config() Config { return w.cfg }

// Len is the number of records, and Alerts the number of those that are alerts.
func (w *World) Len() int    { return len(w.events) }
func (w *World) Alerts() int { return w.alerts }

// Campaigns lists the hidden attacks; the first is always human-operated
// ransomware. The caller must not change the slices within.
func (w *World) Campaigns() []Campaign { return slices.Clone(w.campaigns) }
