package kafka

import "time"

// budget is a token bucket that may go into debt: what an insert will cost is an
// estimate until the store has answered.
type budget struct {
	rate   float64 // blocks per second, and the size of the bucket (at least one block)
	tokens float64
	last   time.Time
}

func newBudget(rate float64, now time.Time) *budget {
	return &budget{rate: rate, tokens: max(1, rate), last: now}
}

// take pays for cost blocks and returns zero, or returns how long to wait before
// asking again. A cost larger than the bucket is paid from a full bucket.
func (b *budget) take(now time.Time, cost float64) time.Duration {
	size := max(1, b.rate)
	b.tokens = min(size, b.tokens+b.rate*now.Sub(b.last).Seconds())
	b.last = now
	if need := min(cost, size); b.tokens < need {
		return time.Duration((need-b.tokens)/b.rate*float64(time.Second)) + time.Millisecond
	}
	b.tokens -= cost
	return 0
}

// settle corrects the estimate once the cost is known.
func (b *budget) settle(estimate, cost float64) { b.tokens += estimate - cost }
