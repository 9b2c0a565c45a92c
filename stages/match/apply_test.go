package match

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/interdict/interdict/schema"
	"pgregory.net/rapid"
)

// identity is what one indicator is known by.
func identity(i schema.Indicator) string {
	return fmt.Sprintf("%d %s %s %s", i.Type, i.Value, i.Feed, i.ID)
}

// content renders what an index holds.
func content(x *Index) string {
	var lines []string
	for i := range x.All() {
		lines = append(lines, fmt.Sprintf("%+v", i))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// TestApplyOracle makes changes of all kinds in lists of all sizes, with rebuilds and
// reopened snapshots between them, and holds the index against a map: what it holds,
// what it finds, and that its id is that of an index built anew.
func TestApplyOracle(t *testing.T) {
	dir := t.TempDir()
	value := rapid.Custom(func(t *rapid.T) schema.Indicator {
		n := rapid.IntRange(0, 30).Draw(t, "n")
		i := schema.Indicator{Feed: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "feed"), ID: rapid.SampledFrom([]string{"", "x",
			"indicator--01234567-89ab-cdef-0123-456789abcdef", "indicator--01234567-89AB-cdef-0123-456789abcdef"}).Draw(t, "id"),
			Confidence: rapid.Uint8Range(0, 3).Draw(t, "confidence"), ValidUntil: schema.Millis(rapid.Int64Range(-1, 2).Draw(t, "until")),
			Labels: rapid.SliceOfN(rapid.SampledFrom([]string{"", "l"}), 0, 2).Draw(t, "labels"),
			Fresh:  schema.Millis(rapid.Int64Range(0, 1).Draw(t, "fresh")), Tenant: rapid.SampledFrom([]string{"", "acme"}).Draw(t, "tenant"), Exact: n%2 == 0}
		if n%5 == 0 {
			i.Threats = []schema.Threat{{Kind: schema.ThreatTool, Name: "t"}}
		}
		switch n % 3 {
		case 0:
			i.Type, i.Value = schema.ObservableIP, fmt.Sprintf("198.51.100.%d", n)
		case 1:
			i.Type, i.Value = schema.ObservableDomain, fmt.Sprintf("d%d.example", n)
		default:
			i.Type, i.Value = schema.ObservableCIDR, fmt.Sprintf("198.51.%d.0/24", 90+n)
		}
		if len(i.Labels) == 0 {
			i.Labels = nil
		}
		return i
	})
	rapid.Check(t, func(t *rapid.T) {
		x, err := Build(DefaultConfig(), nil)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]schema.Indicator{}
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			var list []Change
			for range rapid.SampledFrom([]int{0, 1, 5, 60}).Draw(t, "changes") {
				i := value.Draw(t, "indicator")
				op := rapid.SampledFrom([]Op{Add, Add, Remove}).Draw(t, "op")
				list = append(list, Change{op, i})
				if delete(want, identity(i)); op == Add {
					want[identity(i)] = i
				}
			}
			before, held := x, content(x)
			var done Applied
			if x, done, err = x.Apply(list); err != nil {
				t.Fatal(err)
			}
			if done.Added+done.Changed+done.Removed+done.Unchanged != len(list) {
				t.Fatalf("%d changes, counted %+v", len(list), done)
			}
			if content(before) != held {
				t.Fatal("an older version has changed")
			}
			switch rapid.IntRange(0, 3).Draw(t, "then") {
			case 0:
				for i, s := range x.shards {
					if x.shards[i], err = s.compact(x.own, x.cfg.FalsePositives); err != nil {
						t.Fatal(err)
					}
				}
			case 1:
				path := filepath.Join(dir, "s")
				if err := x.WriteSnapshot(path); err != nil {
					t.Fatal(err)
				}
				id := x.ID()
				if x, err = OpenSnapshot(path); err != nil || x.ID() != id {
					t.Fatal("the snapshot is another index", err)
				}
			}
		}
		var all []schema.Indicator
		for _, i := range want {
			all = append(all, i)
		}
		fresh, err := Build(DefaultConfig(), all)
		if err != nil {
			t.Fatal(err)
		}
		if x.Len() != len(all) || x.ID() != fresh.ID() || x.types != fresh.types || content(x) != content(fresh) {
			t.Fatalf("%d indicators, want %d:\n%s\nwant:\n%s", x.Len(), len(all), content(x), content(fresh))
		}
		for n := range 40 {
			for _, o := range []schema.Observable{{Type: schema.ObservableIP, Value: fmt.Sprintf("198.51.%d.1", 90+n)},
				{Type: schema.ObservableIP, Value: fmt.Sprintf("198.51.100.%d", n)}, {Type: schema.ObservableDomain, Value: fmt.Sprintf("w.d%d.example", n)}} {
				if got, want := values(x, o), values(fresh, o); !slices.Equal(got, want) {
					t.Fatalf("%v: %v, want %v", o, got, want)
				}
			}
		}
	})
}

func TestApplyRefuses(t *testing.T) {
	x := build(t, ind(schema.ObservableIP, "203.0.113.7"))
	bad := []Change{{Add, ind(schema.ObservableIP, "203.0.113.8")}, {Add, ind(schema.ObservableDomain, "com")}}
	if _, _, err := x.Apply(bad); !errors.Is(err, ErrSuffix) || !strings.Contains(err.Error(), "change 1") {
		t.Errorf("a public suffix was added: %v", err)
	}
	if _, _, err := x.Apply([]Change{{0, ind(schema.ObservableIP, "203.0.113.8")}}); err == nil {
		t.Error("an unknown operation was applied")
	}
	y, _, err := x.Apply(bad[:1])
	if err != nil || x.Len() != 1 || y.Len() != 2 {
		t.Fatalf("after refusals: %v, %d, %d", err, x.Len(), y.Len())
	}
	if _, _, err := x.Apply(bad[:1]); !errors.Is(err, ErrStale) {
		t.Errorf("an old version was changed: %v", err)
	}
	long := ind(schema.ObservableURL, "http://a.example/"+strings.Repeat("x", maxValue))
	if _, _, err := y.Apply([]Change{{Add, long}}); !errors.Is(err, ErrLong) {
		t.Errorf("a monstrous value was added: %v", err)
	}
}

// TestApplyGrows fills one index change by change beyond every threshold, so that
// shards are merged, rebuilt and widened, and empties it again.
func TestApplyGrows(t *testing.T) {
	n := 200_000
	if testing.Short() {
		n = 50_000
	}
	domain := func(i int) schema.Indicator { return ind(schema.ObservableDomain, fmt.Sprintf("d%d.example", i)) }
	path := filepath.Join(t.TempDir(), "s")
	if err := build(t, domain(0)).WriteSnapshot(path); err != nil {
		t.Fatal(err)
	}
	x, err := OpenSnapshot(path)
	if err != nil {
		t.Fatal(err)
	}
	step := func(op Op, from, to int) {
		t.Helper()
		var list []Change
		for i := from; i < to; i++ {
			list = append(list, Change{op, domain(i)})
		}
		if x, _, err = x.Apply(list); err != nil {
			t.Fatal(err)
		}
	}
	for i := 0; i < n; i += 1000 {
		step(Add, i, i+1000)
	}
	if x.Len() != n {
		t.Fatalf("%d indicators, want %d", x.Len(), n)
	}
	passed := 0
	for i := range n {
		if got := values(x, schema.Observable{Type: schema.ObservableDomain, Value: domain(i).Value}); len(got) != 1 {
			t.Fatalf("%s: %v", domain(i).Value, got)
		}
		if filter, exact := x.Contains(schema.Observable{Type: schema.ObservableDomain, Value: domain(n + i).Value}); exact {
			t.Fatalf("%s is there", domain(n+i).Value)
		} else if filter {
			passed++
		}
	}
	if st := x.Stats(); passed > n/1000 {
		t.Errorf("the filters of a grown index let %d of %d through: %+v", passed, n, st)
	}
	for i := 0; i < n; i += 1000 {
		step(Remove, i, i+1000)
	}
	if x.Len() != 0 || x.ID() != build(t).ID() || content(x) != "" {
		t.Errorf("an emptied index has %d indicators", x.Len())
	}
}

// TestCrowd: a value that a feed has under many ids costs no more per change than
// others, whatever comes, goes and changes, in memory and beside a snapshot.
func TestCrowd(t *testing.T) {
	x := build(t)
	r := rand.New(rand.NewPCG(4, 5))
	now := map[string]uint8{}
	start := time.Now()
	for round := range 60 {
		var list []Change
		for range 1000 {
			i := ind(schema.ObservableIP, "192.0.2.1")
			i.ID, i.Confidence = fmt.Sprintf("id-%d", r.IntN(20_000)), uint8(r.IntN(100))
			if r.IntN(3) == 0 {
				list = append(list, Change{Remove, i})
				delete(now, i.ID)
			} else {
				list = append(list, Change{Add, i})
				now[i.ID] = i.Confidence
			}
		}
		next, _, err := x.Apply(list)
		if err != nil {
			t.Fatal(err)
		}
		x = next
		if round == 30 {
			path := filepath.Join(t.TempDir(), "s")
			if err := x.WriteSnapshot(path); err != nil {
				t.Fatal(err)
			}
			id := x.ID()
			if x, err = OpenSnapshot(path); err != nil || x.ID() != id {
				t.Fatal(err)
			}
		}
	}
	took := time.Since(start)
	got := map[string]uint8{}
	x.Find(schema.Observable{Type: schema.ObservableIP, Value: "192.0.2.1"}, func(i *schema.Indicator) {
		if _, ok := got[i.ID]; ok {
			t.Fatalf("%s twice", i.ID)
		}
		got[i.ID] = i.Confidence
	})
	if !maps.Equal(got, now) || x.Len() != len(now) {
		t.Errorf("%d of %d are as they should be, the index says %d", len(got), len(now), x.Len())
	}
	var list []schema.Indicator
	for id, confidence := range now {
		i := ind(schema.ObservableIP, "192.0.2.1")
		i.ID, i.Confidence = id, confidence
		list = append(list, i)
	}
	if want := build(t, list...).ID(); x.ID() != want {
		t.Errorf("content %x, built at once it is %x", x.ID(), want)
	}
	if took > 15*time.Second { // each with each takes half a minute
		t.Errorf("%s for 60,000 changes", took)
	}
}
