package library

import (
	"testing"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/match"
)

// TestNames asks an index of many indicators about many values: what it finds, Check
// looks for too, and nothing else, or it would tell of matches that there never are.
func TestNames(t *testing.T) {
	kinds := map[schema.ObservableType][]string{
		schema.ObservableIP:          {"192.0.2.1", "2001:db8::1"},
		schema.ObservableCIDR:        {"192.0.2.0/24", "192.0.0.0/8", "192.0.2.1/32", "2001:db8::/32", "2001:db8::1/128"},
		schema.ObservableSocket:      {"192.0.2.1:80", "[2001:db8::1]:443", "192.0.2.1:8080"},
		schema.ObservableDomain:      {"bad.example", "www.bad.example", "a.b.c.bad.example"},
		schema.ObservableSender:      {"bad.example", "mail.bad.example"},
		schema.ObservableEmail:       {"x@mail.bad.example", "x@bad.example"},
		schema.ObservableURL:         {"http://www.bad.example/a/b?q=1", "//www.bad.example/a/b?q=1", "http://192.0.2.1/a/b", "https://[2001:db8::1]/a/b", "http://192.0.2.1:8080/a/b?x", "//192.0.2.1/"},
		schema.ObservableURLPrefix:   {"http://www.bad.example/a/", "//www.bad.example/a/", "//192.0.2.1/a/"},
		schema.ObservableURLPath:     {"/a/b?q=1", "/a/bc", "/a/b"},
		schema.ObservableHash:        {"0123456789abcdef0123456789abcdef"},
		schema.ObservableUserAgent:   {"Evil/1.0"},
		schema.ObservableCertificate: {"0123456789abcdef0123456789abcdef"},
	}
	var list []schema.Indicator
	for ty, values := range kinds {
		for _, v := range values {
			i := schema.Indicator{ID: v, Feed: "acme", Type: ty, Value: v, Verdict: schema.VerdictMalicious}
			if match.Check(i) == nil {
				list = append(list, i)
			}
		}
	}
	x, err := match.Build(match.DefaultConfig(), list)
	if err != nil || len(list) < 20 {
		t.Fatal(len(list), err)
	}
	found := 0
	for ty, values := range kinds {
		for _, v := range values {
			places := map[string]bool{}
			for _, p := range namesOf(schema.Observable{Type: ty, Value: v}) {
				places[string(p)] = true
			}
			names := map[string]bool{}
			x.Find(schema.Observable{Type: ty, Value: v}, func(i *schema.Indicator) {
				found++
				names[place(i.Type, i.Value)] = true
				if !places[place(i.Type, i.Value)] {
					t.Errorf("%s %s: the index finds %s %s, Check does not look for it", ty, v, i.Type, i.Value)
				}
			})
			for _, i := range list {
				if at := place(i.Type, i.Value); places[at] && !names[at] {
					t.Errorf("%s %s: Check looks for %s %s, the index does not find it", ty, v, i.Type, i.Value)
				}
			}
		}
	}
	if found < 40 {
		t.Errorf("only %d finds", found)
	}
}

func FuzzNames(f *testing.F) {
	for ty := range schema.ObservableTypes {
		f.Add(uint8(ty), "http://u@[2001:db8::1]:80/a//b?c#d")
	}
	f.Add(uint8(schema.ObservableEmail), "@")
	f.Fuzz(func(t *testing.T, ty uint8, v string) {
		if n := len(namesOf(schema.Observable{Type: schema.ObservableType(ty), Value: v})); n > 2*len(v)+2*deepestURL+300 {
			t.Fatalf("%d places for %d bytes", n, len(v))
		}
	})
}
