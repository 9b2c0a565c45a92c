package disrupt

import (
	"math"

	"github.com/interdict/interdict/schema"
)

// bucket is a token bucket in whole numbers: a token is an hour's milliseconds,
// so that a capacity of n per hour refills n units per millisecond.
type bucket struct {
	Level int64         `json:"level"`
	Since schema.Millis `json:"since"` // when Level was right
}

const token = int64(schema.Hour)

// capacity is how many actions on a type of target the tenant may take per hour.
func (d *Disruptor) capacity(t *tenant, typ schema.EntityType) int64 {
	n, _ := t.fleet.get(typ)
	share := int64(math.Ceil(d.cfg.Budget.FleetShare * float64(n)))
	return max(int64(d.cfg.Budget.Floor), share)
}

// level gives the bucket as it is now. A bucket that was never used is full.
func (d *Disruptor) level(t *tenant, typ schema.EntityType) bucket {
	capacity := d.capacity(t, typ)
	now := t.vars.v.Clock
	b, ok := t.buckets.get(typ)
	if !ok {
		return bucket{capacity * token, now}
	}
	elapsed := min(max(0, now-b.Since), schema.Hour)
	return bucket{min(capacity*token, b.Level+capacity*int64(elapsed)), now}
}

// spend takes a token, which level said is there.
func (d *Disruptor) spend(t *tenant, typ schema.EntityType) {
	b := d.level(t, typ)
	b.Level -= token
	t.buckets.put(typ, b)
}
