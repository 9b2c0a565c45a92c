package service

import "time"

// How often the uploads of one feed are folded into the library. Each fold writes the
// feed anew and makes a generation of it, which workers, the past and the disk have to
// bear: of any minute at most eight (foldBurst and one for each foldEvery), and so that
// the library spends a small part of its time on it.
const (
	// foldSoon is how long what comes first waits for what comes with it.
	foldSoon = 300 * time.Millisecond
	// foldEvery is the time between two folds of a feed that is uploaded to all the time,
	// foldBurst how many may come at once after a pause.
	foldEvery = 12 * time.Second
	foldBurst = 3
	// restFactor times the length of a fold is the least time to the next one, up to
	// maxRest.
	restFactor = 10
	maxRest    = time.Minute
)

// pacer says when one feed may be folded.
type pacer struct {
	even time.Time // of the next fold if they came evenly
	rest time.Time
	soon time.Time // as long after the last one as it took: where much waits
}

// next gives the time of the next fold.
func (p *pacer) next() time.Time { return later(p.rest, p.even.Add(-(foldBurst-1)*foldEvery)) }

// folded notes a fold.
func (p *pacer) folded(began, ended time.Time) {
	p.even = later(p.even, ended).Add(foldEvery)
	p.rest = ended.Add(min(restFactor*ended.Sub(began), maxRest))
	p.soon = ended.Add(ended.Sub(began))
}
