package library

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/interdict/interdict/schema"
	"github.com/zeebo/xxh3"
)

// The journal is what analysts set, one line each: the xxh3 of the rest as 16 hex
// digits, a space, and JSON with a number that grows by one. A first line may say
// that the entries before a number have been folded: what they came to follows it. A
// last line without its end was being written by a process that died; it was told to
// nobody and does not count.

const (
	maxEntry  = 64 << 10
	foldAfter = 20_000 // entries, half of them without effect
	maxEffect = 1_000_000
)

// overlay is what the journal comes to.
type overlay struct {
	seq       uint64
	base      uint64 // entries up to it have been folded
	entries   int
	overrides map[string]*Override // by ID
	places    map[string][]*Override
	sighted   map[string]schema.Millis // by place
}

func newOverlay() *overlay {
	return &overlay{overrides: map[string]*Override{}, places: map[string][]*Override{}, sighted: map[string]schema.Millis{}}
}

func (l *Library) journal() string { return filepath.Join(l.dir, "journal") }

// overlay reads the journal.
func (l *Library) overlay() (*overlay, error) { return l.overlayAt(0) }

// overlayAt reads the journal up to an entry; 0: all of it.
func (l *Library) overlayAt(until uint64) (*overlay, error) {
	text, err := os.ReadFile(l.journal())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the overrides: %w", err)
	}
	over, _, err := decodeJournal(text, until)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l.journal(), err)
	}
	return over, nil
}

// decodeJournal reads a journal up to an entry, and tells how long its whole lines
// are.
func decodeJournal(text []byte, until uint64) (over *overlay, whole int, err error) {
	over = newOverlay()
	for n := 1; ; n++ {
		line, rest, ok := bytes.Cut(text[whole:], []byte{'\n'})
		if !ok {
			return over, whole, nil
		}
		bad := func(why string) (*overlay, int, error) {
			return nil, 0, fmt.Errorf("line %d: %w: %s", n, ErrDamaged, why)
		}
		if len(line) < 18 || len(line) > maxEntry+17 || line[16] != ' ' {
			return bad("it is no entry")
		}
		sum, err := strconv.ParseUint(string(line[:16]), 16, 64)
		if err != nil || sum != xxh3.Hash(line[17:]) || !bytes.Equal(line[:16], fmt.Appendf(nil, "%016x", sum)) {
			return bad("its sum does not fit")
		}
		var e struct {
			Base *uint64 `json:"base"`
			journalEntry
		}
		if err := json.Unmarshal(line[17:], &e); err != nil {
			return bad(err.Error())
		}
		whole = len(text) - len(rest)
		if e.Base != nil {
			if n != 1 {
				return bad("only the first line may say what has been folded")
			}
			over.base, over.seq = *e.Base, *e.Base
			continue
		}
		folded := e.Seq == over.base && over.base > 0 && over.seq == over.base // what the folded entries came to
		if !e.valid() || !folded && e.Seq != over.seq+1 {
			return bad("an entry is missing, or it is none")
		}
		if until > 0 && e.Seq > until {
			return over, whole, nil
		}
		over.seq = e.Seq
		over.entries++
		over.take(&e.journalEntry)
	}
}

func place(t schema.ObservableType, value string) string { return string(appendPlace(nil, t, value)) }

// take puts an entry on top.
func (v *overlay) take(e *journalEntry) {
	switch {
	case e.Sight != nil:
		at := place(e.Sight.Type, e.Sight.Value)
		v.sighted[at] = max(v.sighted[at], e.Sight.Last)
	case e.Set != nil:
		o := *e.Set
		if before := v.overrides[o.ID]; before != nil {
			o = before.and(o)
		}
		v.put(o.ID, &o)
	default:
		v.put(e.Drop, nil)
	}
}

// put makes an override the one of its id; nil: there is none.
func (v *overlay) put(id string, o *Override) {
	before := v.overrides[id]
	if before != nil {
		at := place(before.Type, before.Value)
		list := slices.DeleteFunc(slices.Clone(v.places[at]), func(p *Override) bool { return p == before })
		if v.places[at] = list; len(list) == 0 {
			delete(v.places, at)
		}
		delete(v.overrides, id)
	}
	if o == nil {
		return
	}
	v.overrides[id] = o
	at := place(o.Type, o.Value)
	list := append(slices.Clone(v.places[at]), o)
	slices.SortFunc(list, compareOverrides) // what is about all feeds first, so that the closer one decides
	v.places[at] = list
}

// about reports whether there are overrides of the indicator's value.
func (v *overlay) about(i *schema.Indicator) bool {
	return v != nil && len(v.places) > 0 && len(v.places[place(i.Type, i.Value)]) > 0
}

// apply gives an indicator as it counts, and why it does not; by are the overrides
// that are about it, the last decides.
func (v *overlay) apply(i schema.Indicator, a aside) (_ schema.Indicator, why string, by []*Override) {
	if len(v.places)+len(v.sighted) == 0 {
		return i, word(a), nil
	}
	at := place(i.Type, i.Value)
	if last, ok := v.sighted[at]; ok && i.Fresh != 0 {
		i.Fresh = max(i.Fresh, last)
	}
	revived, dead := false, false
	for _, o := range v.places[at] {
		if o.Feed != "" && o.Feed != i.Feed || o.Tenant != "" && o.Tenant != i.Tenant {
			continue
		}
		by = append(by, o)
		o.edit(&i)
		revived = revived || o.ValidUntil != nil && a == expired
		if o.Revoked != nil {
			dead, revived = *o.Revoked, revived || !*o.Revoked && (a == ended || a == expired)
		}
	}
	switch {
	case dead:
		return i, "an override revokes it", by
	case a != counts && !revived:
		return i, word(a), by
	case by != nil:
		return i, standing(&i), by
	}
	return i, "", by
}

func word(a aside) string {
	if a == counts {
		return ""
	}
	return a.String()
}

// own lists the indicators that overrides are themselves, in the order of their keys.
func (v *overlay) own() []schema.Indicator {
	var list []schema.Indicator
	for _, o := range v.overrides {
		if !o.stands() {
			continue
		}
		if i := o.indicator(); standing(&i) == "" {
			list = append(list, i)
		}
	}
	slices.SortFunc(list, func(a, b schema.Indicator) int {
		return bytes.Compare(appendKey(nil, a.Type, a.Value, a.ID), appendKey(nil, b.Type, b.Value, b.ID))
	})
	return list
}

// touched lists the places about which two states of one journal differ.
func touched(a, b *overlay) []string {
	set := map[string]bool{}
	for _, pair := range [][2]*overlay{{a, b}, {b, a}} {
		for at, last := range pair[0].sighted {
			if pair[1].sighted[at] != last {
				set[at] = true
			}
		}
		for id, o := range pair[0].overrides {
			p := pair[1].overrides[id]
			x, err1 := json.Marshal(o)
			y, err2 := json.Marshal(p)
			if err1 != nil || err2 != nil || !bytes.Equal(x, y) {
				set[place(o.Type, o.Value)] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// append writes an entry, made by what it is put on, and gives what all of it comes
// to. The entry counts when its line is on disk.
func (l *Library) append(ctx context.Context, entry func(*overlay) (journalEntry, error)) (_ *overlay, err error) {
	fail := func(err error) (*overlay, error) { return nil, fmt.Errorf("writing the overrides: %w", err) }
	lock, err := lockFile(ctx, filepath.Join(l.dir, "journal.lock"), "overrides")
	if err != nil {
		return fail(err)
	}
	defer func() { err = errors.Join(err, lock.release()) }()
	text, err := os.ReadFile(l.journal())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fail(err)
	}
	isNew := err != nil
	over, whole, err := decodeJournal(text, 0)
	if err != nil {
		return fail(fmt.Errorf("%s: %w", l.journal(), err))
	}
	e, err := entry(over)
	if err != nil {
		return nil, err
	}
	if len(over.overrides)+len(over.sighted) >= maxEffect && e.Drop == "" {
		return fail(fmt.Errorf("there are %d overrides and sightings already", maxEffect))
	}
	e.Seq = over.seq + 1
	line, err := sealLine(&e)
	if err != nil {
		return fail(err)
	}
	over.take(&e)
	over.seq = e.Seq
	if over.entries++; over.entries >= foldAfter && over.entries >= 2*(len(over.overrides)+len(over.sighted)) {
		return over, l.fold(over)
	}
	if err := l.step("journal"); err != nil {
		return fail(err)
	}
	f, err := os.OpenFile(l.journal(), os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return fail(err)
	}
	// What a killed writer left of a line goes first.
	if err = f.Truncate(int64(whole)); err == nil {
		err = l.step("journal truncated")
	}
	if err == nil {
		_, err = f.WriteAt(line, int64(whole))
	}
	if err == nil {
		err = l.step("journal written")
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = l.step("journal synced")
	}
	if err == nil && isNew {
		err = l.syncFolders(filepath.Dir(l.dir), l.dir)
	}
	if err != nil { // what was told to have failed must not count
		err = errors.Join(err, f.Truncate(int64(whole)))
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fail(err)
	}
	return over, nil
}

func sealLine(v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err == nil && len(raw) > maxEntry {
		err = errTooLong
	}
	if err == nil { // a time behind the year 9999 can be written, but not read
		err = json.Unmarshal(raw, &journalEntry{})
	}
	return fmt.Appendf(nil, "%016x %s\n", xxh3.Hash(raw), raw), err
}

// fold writes the journal anew with what it comes to. Changes since before it can no
// longer be told.
func (l *Library) fold(over *overlay) error {
	text, err := sealLine(struct {
		Base uint64 `json:"base"`
	}{over.seq})
	add := func(e journalEntry) {
		e.Seq = over.seq
		line, err1 := sealLine(&e)
		text, err = append(text, line...), errors.Join(err, err1)
	}
	for _, id := range slices.Sorted(maps.Keys(over.overrides)) {
		add(journalEntry{Set: over.overrides[id]})
	}
	for _, at := range slices.Sorted(maps.Keys(over.sighted)) {
		add(journalEntry{Sight: sightingAt(at, over.sighted[at])})
	}
	if err == nil {
		err = l.replaceFile(l.journal(), text)
	}
	if err != nil {
		return fmt.Errorf("writing the overrides: %w", err)
	}
	return nil
}
