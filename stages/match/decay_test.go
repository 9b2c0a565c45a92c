package match

import (
	"math"
	"testing"
	"time"

	"github.com/interdict/interdict/schema"
	"pgregory.net/rapid"
)

// TestDecay holds the whole-number arithmetic against the formula, and that
// confidence never grows with age.
func TestDecay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Decay{Curve: rapid.SampledFrom([]Curve{CurveLinear, CurveSlow, CurveFast}).Draw(t, "curve"), Others: time.Duration(rapid.Int64Range(int64(time.Hour), math.MaxInt64).Draw(t, "lifetime"))}
		life := d.Others.Milliseconds()
		i := schema.Indicator{Type: schema.ObservableHash, Confidence: rapid.Uint8Range(0, 100).Draw(t, "confidence"), Fresh: schema.Millis(rapid.Int64Range(1, 1<<50).Draw(t, "fresh"))}
		age := rapid.Int64Range(0, life-1).Draw(t, "age")
		got, enough := d.Confidence(&i, i.Fresh+schema.Millis(age))
		x := float64(age) / float64(life)
		switch d.Curve {
		case CurveSlow:
			x *= x
		case CurveFast:
			x = math.Sqrt(x)
		}
		if want := float64(i.Confidence) * (1 - x); !enough || math.Abs(float64(got)-want) > 0.501 {
			t.Fatalf("got %d, %v, want %v", got, enough, want)
		}
		if older, _ := d.Confidence(&i, i.Fresh+schema.Millis(rapid.Int64Range(age, life).Draw(t, "older"))); older > got {
			t.Fatalf("%d at first, %d later", got, older)
		}
	})
	d := DefaultConfig().Decay
	f := func(want uint8, enough bool, i schema.Indicator, at schema.Millis) {
		t.Helper()
		i.Type, i.Confidence = schema.ObservableIP, 80
		if got, is := d.Confidence(&i, at); got != want || is != enough {
			t.Errorf("%+v at %d: %d, %v; want %d, %v", i, at, got, is, want, enough)
		}
	}
	f(0, false, schema.Indicator{Fresh: math.MinInt64}, math.MaxInt64)
	f(80, true, schema.Indicator{Fresh: math.MaxInt64}, math.MinInt64)
	f(80, true, schema.Indicator{}, math.MaxInt64)
	f(80, true, schema.Indicator{Fresh: 1, Listed: true}, math.MaxInt64)
	f(80, true, schema.Indicator{Fresh: 1, Wish: schema.WishAllow}, math.MaxInt64)
	f(0, false, schema.Indicator{Fresh: 1, Wish: schema.WishBlock}, math.MaxInt64)
	d = Decay{}
	f(80, true, schema.Indicator{Fresh: 1}, math.MaxInt64)
}
