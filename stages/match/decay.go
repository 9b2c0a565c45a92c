package match

import (
	"math"
	"math/bits"
	"time"

	"github.com/interdict/interdict/schema"
)

// lifetime gives how long indicators of a type last; zero: forever.
func (d Decay) lifetime(t schema.ObservableType) time.Duration {
	switch t {
	case schema.ObservableIP, schema.ObservableCIDR, schema.ObservableSocket:
		return d.Addresses
	case schema.ObservableDomain, schema.ObservableURL, schema.ObservableURLPrefix, schema.ObservableEmail, schema.ObservableSender:
		return d.Names
	}
	return d.Others
}

// Confidence gives what is left of an indicator's confidence at a time, and whether
// it is enough to count.
//
// The same alert must give the same bytes on every machine, so this is integer
// arithmetic. The one square root is of an exact number and correctly rounded
// wherever Go runs.
func (d Decay) Confidence(i *schema.Indicator, at schema.Millis) (left uint8, enough bool) {
	life := uint64(max(0, d.lifetime(i.Type).Milliseconds()))
	if life == 0 || i.Fresh == 0 || at <= i.Fresh || i.Listed || i.Wish == schema.WishAllow {
		return i.Confidence, true
	}
	age := uint64(at) - uint64(i.Fresh)
	if age >= life {
		return 0, false
	}
	hi, lo := bits.Mul64(age, 1<<32)
	x, _ := bits.Div64(hi, lo, life) // share of the life that is over, times 2^32
	switch d.Curve {
	case CurveSlow:
		x = x * x >> 32
	case CurveFast:
		x = uint64(math.Sqrt(float64(x << 32)))
	}
	left = uint8((uint64(i.Confidence)*(1<<32-x) + 1<<31) >> 32)
	return left, left >= d.Floor || left == i.Confidence
}
