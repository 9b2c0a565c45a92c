package library

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// TestTenant: what a feed said for one tenant is handed to no other by a change of its
// settings.
func TestTenant(t *testing.T) {
	ctx := context.Background()
	owner := func(name string) *fact.Feed {
		f := feedOf("acme")
		f.Tenant = name
		return f
	}
	amber := func(value string) fact.Said {
		s := domain(value)
		s.TLP = schema.TLPAmber
		return s
	}
	shown := func(l *Library) (text string) {
		t.Helper()
		list, _ := all(t, l)
		for _, i := range list {
			text += i.Tenant + "/" + i.Value + " "
		}
		return text
	}
	for _, next := range []string{"other", ""} {
		l := Open(t.TempDir(), small())
		pull(t, l, owner("acme"), fact.Update, day(0), amber("a.bad.example"))
		if err := l.Failed(ctx, owner(next), errors.New("it rained"), day(2), day(1)); err != nil { // the note about a pull is no consent
			t.Fatal(err)
		}
		for what, err := range map[string]error{
			"an update":                  second(tryPull(l, owner(next), fact.Update, day(2), domain("b.bad.example"))),
			"a renewal":                  second(l.Renew(ctx, owner(next), day(2))),
			"a refresh":                  second(l.Refresh(ctx, owner(next), day(2))),
			"a pull that is as it was":   l.NotModified(ctx, owner(next), day(2), nil),
			"a refresh after that again": second(l.Refresh(ctx, owner(next), day(3))),
		} {
			if !errors.Is(err, ErrTenant) || !strings.Contains(err.Error(), "acme") {
				t.Errorf("%s for %q: %v", what, next, err)
			}
		}
		if got := shown(l); got != "acme/a.bad.example " {
			t.Errorf("for %q: %s", next, got)
		}
		pull(t, l, owner(next), fact.Replace, day(4), domain("b.bad.example"))
		if got := shown(l); got != next+"/b.bad.example " {
			t.Errorf("after a whole pull for %q: %s", next, got)
		}
		known, err := l.Check(ctx, schema.Observable{Type: schema.ObservableDomain, Value: "a.bad.example"})
		if err != nil || len(known) != 0 {
			t.Errorf("what was said for the other is still known: %+v, %v", known, err)
		}
		pull(t, l, owner(next), fact.Update, day(5), domain("c.bad.example"))
	}

	// The indicators of the one are removed, those of the other added, and what the one
	// had never takes the place of what is damaged of the other.
	l := Open(t.TempDir(), small())
	pull(t, l, owner("acme"), fact.Replace, day(0), amber("a.bad.example"))
	_, at := all(t, l.For("x"))
	pull(t, l, owner("other"), fact.Replace, day(1), amber("a.bad.example"))
	changes := ""
	if _, err := l.Changes(ctx, at, func(c match.Change) error { changes += fmt.Sprint(c.Op, c.Indicator.Tenant, " "); return nil }); err != nil || changes != "2acme 1other " {
		t.Errorf("changes %q, %v", changes, err)
	}
	damage(t, l, "feeds/acme/00000002.current", "flipped")
	if _, err := l.Each(ctx, func(i schema.Indicator) error { return fmt.Errorf("%s of %s", i.Value, i.Tenant) }); !errors.As(err, new(*Partial)) {
		t.Errorf("%v", err)
	}
	l = Open(t.TempDir(), small())
	pull(t, l, owner(""), fact.Update, day(0), domain("a.bad.example"))
	pull(t, l, owner("acme"), fact.Update, day(1), domain("b.bad.example")) // narrower
	if got := shown(l); got != "acme/a.bad.example acme/b.bad.example " {
		t.Errorf("%s", got)
	}
	if _, err := tryPull(l, owner(""), fact.Update, day(2), domain("c.bad.example")); !errors.Is(err, ErrTenant) {
		t.Errorf("wider again: %v", err)
	}
	if err := l.Remove(ctx, "acme"); err != nil {
		t.Fatal(err)
	}
	pull(t, l, owner("other"), fact.Update, day(3), domain("d.bad.example"))
}

// TestTenantOfOldStates: a state of before tenants were in it says whose the feed was when
// it was last tried.
func TestTenantOfOldStates(t *testing.T) {
	ctx := context.Background()
	owner := func(name string) *fact.Feed {
		f := feedOf("acme")
		f.Tenant = name
		return f
	}
	for _, was := range []string{"acme", ""} {
		l := Open(t.TempDir(), small())
		pull(t, l, owner(was), fact.Update, day(0), domain("a.bad.example"))
		st, err := l.state("acme")
		if err == nil {
			st.Tenant, st.First = "", 0
			err = l.writeState(st)
		}
		if err == nil {
			err = l.Failed(ctx, owner("other"), errors.New("it rained"), day(2), day(1))
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tryPull(l, owner("other"), fact.Update, day(2), domain("b.bad.example")); errors.Is(err, ErrTenant) != (was != "") {
			t.Errorf("of %q: %v", was, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
