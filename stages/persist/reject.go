package persist

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/interdict/interdict/schema"
)

// reject takes one record of the dead letter. What is known of the document is
// in the headers; the value is its bytes.
func (d *decoder) reject(r *Record) error {
	row := Reject{Chunks: 1, Size: uint64(len(r.Value)), Bytes: r.Value, At: d.at(r), Written: r.Time}
	if len(row.Bytes) > d.cfg.MaxReject {
		row.Bytes = row.Bytes[:d.cfg.MaxReject]
	}
	for _, h := range r.Headers {
		if err := row.header(h.Key, string(h.Value)); err != nil {
			return fmt.Errorf("dead letter header %s: %w", h.Key, err)
		}
	}
	if row.Topic == "" || row.Reason == schema.ReasonNone {
		return errors.New("dead letter record without topic or reason header")
	}
	if err := needTenant("dead letter record", row.Tenant); err != nil {
		return err
	}
	d.rows.Rejects = append(d.rows.Rejects, row)
	return nil
}

// header takes one header; those of newer writers are passed over.
func (x *Reject) header(key, value string) error {
	switch key {
	case "tenant":
		x.Tenant = value
	case "source":
		x.Source = value
	case "topic":
		x.Topic = value
	case "detail":
		x.Detail = value
	case "partition":
		return parseInt(&x.Partition, value)
	case "offset":
		return parseInt(&x.Offset, value)
	case "doc":
		return parseInt(&x.Doc, value)
	case "time":
		return parseInt(&x.Time, value)
	case "chunk":
		return parseInt(&x.Chunk, value)
	case "chunks":
		return parseInt(&x.Chunks, value)
	case "reason":
		r, ok := schema.ParseReason(value)
		if !ok {
			return fmt.Errorf("%q is not known", value)
		}
		x.Reason = r
	}
	return nil
}

func parseInt[T ~int32 | ~int64](p *T, text string) error {
	n, err := strconv.ParseInt(text, 10, 64)
	if err == nil && int64(T(n)) != n {
		err = strconv.ErrRange
	}
	*p = T(n)
	return err
}
