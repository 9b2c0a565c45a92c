package pipeline

import (
	"cmp"
	"slices"
	"sync"

	"github.com/interdict/interdict/schema"
)

// Progress is how far the time of each tenant has come, for people. Lanes report
// at commits; any goroutine may ask. A nil *Progress takes no reports.
type Progress struct {
	mu      sync.Mutex
	tenants map[string]TenantProgress
}

// TenantProgress is one tenant's place in time.
type TenantProgress struct {
	Tenant    string        `json:"tenant"`
	Shard     schema.Shard  `json:"shard"`
	Watermark schema.Millis `json:"watermark"`
	Now       schema.Millis `json:"now"`       // time of the log
	Topic     string        `json:"held_by"`   // raw topic that holds the watermark back; empty: none does
	Partition int32         `json:"partition"` // of that topic
	Held      int           `json:"held"`      // observations that wait for the watermark
}

func (p *Progress) report(s *shard) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tenants == nil {
		p.tenants = map[string]TenantProgress{}
	}
	for name, t := range s.clock.tenants {
		x := TenantProgress{Tenant: name, Shard: s.id, Watermark: t.watermark, Now: t.now}
		held, _, _ := t.holder(s.clock.lateness)
		x.Topic, x.Partition = held.topic, held.partition
		for _, step := range s.chain.steps {
			if h, ok := step.Stage.(interface{ Held(tenant string) int }); ok {
				x.Held += h.Held(name)
			}
		}
		p.tenants[name] = x
	}
}

// forget drops the tenants of a shard that another process may have now.
func (p *Progress) forget(s *shard) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for name := range s.clock.tenants {
		delete(p.tenants, name)
	}
}

// Tenants gives every tenant's place, by name.
func (p *Progress) Tenants() []TenantProgress {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]TenantProgress, 0, len(p.tenants))
	for _, t := range p.tenants {
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b TenantProgress) int { return cmp.Compare(a.Tenant, b.Tenant) })
	return out
}
