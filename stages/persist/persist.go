package persist

import (
	"context"
	"fmt"

	"github.com/interdict/interdict/stages"
)

// Writer is the store.
type Writer interface {
	// Write inserts rows, one block per table that has any, and reports how many
	// blocks it sent. It must drop a block whose table and token it has seen
	// before, even after a restart. It may be called from many goroutines, must
	// not keep rows, and returns a Permanent error only where trying again
	// cannot help. After an error some tables may be written: the caller calls
	// again with the same arguments.
	Write(ctx context.Context, token string, rows *Rows) (blocks int, err error)
}

// Persister decodes ranges and writes them. It is safe for concurrent use.
type Persister struct {
	cfg    Config
	writer Writer
	free   chan *Rows // those not in use: a range of 10,000 alerts needs some 30 MB
}

// idleRows is how many Rows are kept for later ranges.
const idleRows = 4

// New makes a Persister. The configuration must be valid.
func New(w Writer, cfg Config) *Persister {
	return &Persister{cfg: cfg, writer: w, free: make(chan *Rows, idleRows)}
}

// Insert makes a range durable and reports how many blocks that took. It may be
// called again with the same range, with no further effect. An error is
// Permanent if the range can never be inserted as it is.
func (p *Persister) Insert(ctx context.Context, in Input) (blocks int, err error) {
	rows := p.rows()
	defer p.release(rows)
	if err := Decode(in, p.cfg, rows); err != nil {
		return 0, stages.Permanent(err)
	}
	blocks, err = p.writer.Write(ctx, in.Token, rows)
	if err != nil {
		return blocks, fmt.Errorf("writing %s/%d %d-%d: %w", in.Topic, in.Partition, in.Lo, in.Hi, err)
	}
	return blocks, nil
}

func (p *Persister) rows() *Rows {
	select {
	case rows := <-p.free:
		return rows
	default:
		return new(Rows)
	}
}

func (p *Persister) release(rows *Rows) {
	select {
	case p.free <- rows:
	default:
	}
}

// decoder decodes one range. Its fields are what all records of the range share.
type decoder struct {
	cfg  Config
	in   Input
	rows *Rows
	done Completeness
}

// Decode replaces rows with what in becomes.
func Decode(in Input, cfg Config, rows *Rows) error {
	rows.Reset()
	d := decoder{cfg: cfg, in: in, rows: rows, done: Completeness{Topic: in.Topic, Partition: in.Partition,
		Lo: in.Lo, Hi: in.Hi, Token: in.Token, Records: uint64(len(in.Records))}}
	for i := range in.Records {
		r := &in.Records[i]
		if err := d.record(r); err != nil {
			return fmt.Errorf("%s partition %d offset %d: %w", in.Topic, in.Partition, r.Offset, err)
		}
	}
	rows.Completeness = append(rows.Completeness, d.done)
	return nil
}

func (d *decoder) record(r *Record) error {
	switch d.in.Kind {
	case KindAlerts:
		return d.entry(r)
	case KindIncidents:
		return d.incident(r)
	case KindMembers:
		return d.member(r)
	case KindPaths:
		return d.path(r)
	case KindDecisions:
		return d.decision(r)
	case KindLeases:
		return d.lease(r)
	case KindActions:
		return d.action(r)
	case KindResults:
		return d.result(r)
	case KindLedger:
		return d.ledger(r)
	case KindDeadLetter:
		return d.reject(r)
	case KindAssets:
		return d.asset(r)
	case KindIndicators:
		return d.indicators(r)
	}
	return fmt.Errorf("kind %d of topic is not known", d.in.Kind)
}

func (d *decoder) at(r *Record) Position {
	return Position{Topic: d.in.Topic, Partition: d.in.Partition, Offset: r.Offset}
}

func (d *decoder) life(r *Record) Life { return Life{Written: r.Time, Position: d.at(r)} }

// needTenant refuses a row that would belong to nobody, or to everybody.
func needTenant(noun, tenant string) error {
	if tenant == "" {
		return fmt.Errorf("%s without a tenant", noun)
	}
	return nil
}

// wire is a noun that travels.
type wire interface{ DecodeWire(b []byte) error }

func decode(m wire, noun string, b []byte, tenant *string) error {
	if err := m.DecodeWire(b); err != nil {
		return err
	}
	return needTenant(noun, *tenant)
}
