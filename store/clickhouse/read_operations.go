package clickhouse

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/persist"
)

// DeadLetterFilter says which rejected documents to list. Tenant is required; the
// zero value of any other field does not filter.
type DeadLetterFilter struct {
	Tenant       string
	Source       string
	Reason       schema.Reason
	Since, Until schema.Millis // of the raw record
	Limit        int           // default: 100
}

// DeadLetters gives rejected documents, newest first. A document in chunks is one
// row per chunk; Bytes may be cut short, the dead letter topic has all of them.
func (s *Store) DeadLetters(ctx context.Context, f DeadLetterFilter) ([]persist.Reject, error) {
	w := of(f.Tenant).within("time", f.Since, f.Until)
	if f.Source != "" {
		w.and("source = {source:String}", "source", text(f.Source))
	}
	if f.Reason != schema.ReasonNone {
		w.and("reason = {reason:String}", "reason", f.Reason.String())
	}
	return read(ctx, s, rejectsTable(), w, "ORDER BY time DESC, raw_topic, raw_partition, raw_offset, raw_doc, chunk"+limit(f.Limit))
}

// SourceHealth is how one source of a tenant does.
type SourceHealth struct {
	Source     string             `json:"source"`
	Topic      string             `json:"topic"`
	State      string             `json:"state"` // ok, silent or never heard
	Stats      schema.SourceStats `json:"stats"`
	LastRecord schema.Millis      `json:"last_record,omitzero"`
	MaxCreated schema.Millis      `json:"max_created,omitzero"` // newest event time
	Silence    schema.Millis      `json:"-"`                    // longest expected silence
}

// SourceHealth gives a tenant's sources by name.
func (s *Store) SourceHealth(ctx context.Context, tenant string) ([]SourceHealth, error) {
	if tenant == "" {
		return nil, ErrTenant
	}
	var all []SourceHealth
	err := s.each(ctx, `SELECT toString(source), toString(raw_topic), state, records, accepted, rejected, ignored, bytes, last_record, max_created,
		silence_ms FROM v_source_health WHERE tenant = {tenant:String} ORDER BY source, raw_topic`, of(tenant).params, func(r driver.Rows) error {
		var h SourceHealth
		var last, created time.Time
		st := &h.Stats
		if err := r.Scan(&h.Source, &h.Topic, &h.State, &st.Records, &st.Accepted, &st.Rejected, &st.Ignored, &st.Bytes, &last, &created,
			(*int64)(&h.Silence)); err != nil {
			return err
		}
		h.LastRecord, h.MaxCreated = schema.FromTime(last), schema.FromTime(created)
		all = append(all, h)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading v_source_health: %w", err)
	}
	return all, nil
}

// Completeness says up to when a tenant's alerts are in the store.
type Completeness struct {
	To       schema.Millis `json:"complete_to,omitzero"` // zero: not known yet
	HeldBy   string        `json:"held_by,omitzero"`     // the raw partition furthest behind
	Heard    int64         `json:"partitions"`
	Unheard  int64         `json:"partitions_unheard"` // raw partitions nothing is known of
	Inactive int64         `json:"partitions_idle"`
}

// Completeness reads v_completeness for a tenant. ErrNotFound before any of its
// sources was heard.
func (s *Store) Completeness(ctx context.Context, tenant string) (c Completeness, err error) {
	if tenant == "" {
		return c, ErrTenant
	}
	found := false
	err = s.each(ctx, `SELECT complete_to, held_by, toInt64(partitions), toInt64(partitions_unheard), toInt64(partitions_idle)
		FROM v_completeness WHERE tenant = {tenant:String}`, of(tenant).params, func(r driver.Rows) error {
		found = true
		var to *time.Time
		if err := r.Scan(&to, &c.HeldBy, &c.Heard, &c.Unheard, &c.Inactive); err != nil {
			return err
		}
		if to != nil {
			c.To = schema.FromTime(*to)
		}
		return nil
	})
	if err == nil && !found {
		err = ErrNotFound
	}
	if err != nil {
		return c, fmt.Errorf("reading v_completeness: %w", err)
	}
	return c, nil
}
