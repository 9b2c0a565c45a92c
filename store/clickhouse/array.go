package clickhouse

import (
	"fmt"
	"strings"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/google/uuid"

	"github.com/interdict/interdict/schema"
)

// array adds an Array column. get appends the row's values to the slice it is
// given, whose memory is reused from row to row; set takes the values over.
func array[R, T any](t *tableOf[R], name string, data *proto.ColArr[T], get func(*R, []T) []T, set func(*R, []T) error) {
	var scratch []T
	c := column[R]{
		name: name, typ: string(data.Type()), data: data,
		fill: func(rows []R) {
			data.Reset()
			for i := range rows {
				scratch = get(&rows[i], scratch[:0])
				data.Append(scratch)
			}
		},
		list: func(rows []R) any {
			list := make([][]T, len(rows))
			for i := range rows {
				list[i] = get(&rows[i], nil)
			}
			return list
		},
	}
	if set != nil {
		c.scan = func(r *R) (any, func() error) {
			v := new([]T)
			return v, func() error { return set(r, *v) }
		}
	}
	t.columns = append(t.columns, c)
}

// strs adds an Array(String).
func (t *tableOf[R]) strs(name string, at func(*R) *[]string) {
	array(t, name, proto.NewArray[string](new(proto.ColStr)), func(r *R, s []string) []string { return append(s, *at(r)...) },
		func(r *R, v []string) error { *at(r) = orNil(v); return nil })
}

// words adds an Array(LowCardinality(String)) by hand.
func (t *tableOf[R]) words(name string, get func(*R, []string) []string, set func(*R, []string) error) {
	array(t, name, proto.NewArray[string](new(proto.ColStr).LowCardinality()), get, set)
}

// refs adds entities as an Array(String) of "type:key".
func (t *tableOf[R]) refs(name string, at func(*R) *[]schema.EntityRef) {
	array(t, name, proto.NewArray[string](new(proto.ColStr)), func(r *R, s []string) []string {
		for _, e := range *at(r) {
			s = append(s, e.String())
		}
		return s
	}, func(r *R, v []string) (err error) {
		refs := make([]schema.EntityRef, len(v))
		for i, s := range v {
			if refs[i], err = parseRef(s); err != nil {
				return err
			}
		}
		*at(r) = orNil(refs)
		return nil
	})
}

// parseRef reads the form that schema.EntityRef.String writes.
func parseRef(s string) (schema.EntityRef, error) {
	name, key, ok := strings.Cut(s, ":")
	t, known := schema.ParseEntityType(name)
	if !ok || !known {
		return schema.EntityRef{}, fmt.Errorf("entity %q: want type:key", s)
	}
	return schema.EntityRef{Type: t, Key: key}, nil
}

// ids adds alert ids as an Array(UUID).
func (t *tableOf[R]) ids(name string, at func(*R) *[]schema.AlertID) {
	array(t, name, proto.NewArray[uuid.UUID](new(proto.ColUUID)), func(r *R, s []uuid.UUID) []uuid.UUID {
		for _, a := range *at(r) {
			s = append(s, uuid.UUID(a))
		}
		return s
	}, func(r *R, v []uuid.UUID) error {
		list := make([]schema.AlertID, len(v))
		for i, u := range v {
			list[i] = schema.AlertID(u)
		}
		*at(r) = orNil(list)
		return nil
	})
}

// techniques adds ATT&CK techniques as two arrays of the same length, the second
// with their tactics; either may hold "".
func (t *tableOf[R]) techniques(at func(*R) *[]schema.Technique) {
	t.words("techniques", func(r *R, s []string) []string {
		for _, x := range *at(r) {
			s = append(s, x.ID)
		}
		return s
	}, func(r *R, v []string) error {
		list := make([]schema.Technique, len(v))
		for i, s := range v {
			list[i].ID = s
		}
		*at(r) = orNil(list)
		return nil
	})
	t.words("tactics", func(r *R, s []string) []string {
		for _, x := range *at(r) {
			s = append(s, x.Tactic)
		}
		return s
	}, func(r *R, v []string) error {
		return pairUp(*at(r), v, func(x *schema.Technique, s string) error { x.Tactic = s; return nil })
	})
}

// threats adds what is behind an indicator as three arrays of one length.
func (t *tableOf[R]) threats(at func(*R) *[]schema.Threat) {
	t.words("threat_kinds", func(r *R, s []string) []string {
		for _, x := range *at(r) {
			s = append(s, x.Kind.String())
		}
		return s
	}, func(r *R, v []string) error {
		list := make([]schema.Threat, len(v))
		for i, s := range v {
			if err := list[i].Kind.UnmarshalText([]byte(s)); err != nil {
				return err
			}
		}
		*at(r) = orNil(list)
		return nil
	})
	part := func(name string, field func(*schema.Threat) *string) {
		array(t, name, proto.NewArray[string](new(proto.ColStr)), func(r *R, s []string) []string {
			for i := range *at(r) {
				s = append(s, *field(&(*at(r))[i]))
			}
			return s
		}, func(r *R, v []string) error {
			return pairUp(*at(r), v, func(x *schema.Threat, s string) error { *field(x) = s; return nil })
		})
	}
	part("threat_ids", func(x *schema.Threat) *string { return &x.ID })
	part("threat_names", func(x *schema.Threat) *string { return &x.Name })
}

// pairUp puts the second of two arrays into what the first was read into.
func pairUp[T, V any](list []T, values []V, set func(*T, V) error) error {
	if len(list) != len(values) {
		return fmt.Errorf("arrays of %d and %d elements should be of one length", len(list), len(values))
	}
	for i := range list {
		if err := set(&list[i], values[i]); err != nil {
			return err
		}
	}
	return nil
}

// orNil makes what was stored as an empty array the nil it was.
func orNil[T any](s []T) []T {
	if len(s) == 0 {
		return nil
	}
	return s
}
