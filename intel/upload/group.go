package upload

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/interdict/interdict/intel/fact"
)

// Ingester takes uploaded objects into the library. When it returns without an
// error what it did not refuse is on disk. A refusal's Line is the object's place
// in objects, from 1.
type Ingester interface {
	Ingest(ctx context.Context, feed fact.Feed, objects []json.RawMessage) ([]fact.Refusal, error)
}

// job is the objects of one request that passed inspection, waiting to be committed.
type job struct {
	feed    *fact.Feed
	objects []json.RawMessage
	done    chan outcome // takes one without blocking
}

type outcome struct {
	refused []fact.Refusal // lines count the job's objects
	err     error
}

var errStopping = errors.New("the service is stopping")

// group commits jobs: what comes within the window after the first, or during the
// commit before, goes to the library in one piece for each feed.
type group struct {
	lib     Ingester
	window  time.Duration
	in      chan *job
	stopped chan struct{} // closed when run has returned
	commits func()        // told of each commit
	lost    func(fact.Refusal)
}

// put waits until a job is committed. It is not given up when the sender goes
// away: what was accepted for commit holds its place until then.
func (g *group) put(j *job) outcome {
	select {
	case g.in <- j:
	case <-g.stopped:
		return outcome{err: errStopping}
	}
	select {
	case out := <-j.done:
		return out
	case <-g.stopped:
		select {
		case out := <-j.done:
			return out
		default:
			return outcome{err: errStopping}
		}
	}
}

// run commits until ctx ends.
func (g *group) run(ctx context.Context) {
	defer close(g.stopped)
	for {
		select {
		case <-ctx.Done():
			return
		case j := <-g.in:
			jobs := g.gather(ctx, j)
			for len(jobs) > 0 {
				var same, other []*job
				for _, x := range jobs {
					if x.feed.Name == jobs[0].feed.Name {
						same = append(same, x)
					} else {
						other = append(other, x)
					}
				}
				g.commit(ctx, same)
				jobs = other
			}
		}
	}
}

func (g *group) gather(ctx context.Context, first *job) []*job {
	jobs := []*job{first}
	full := time.NewTimer(g.window)
	defer full.Stop()
	for {
		select {
		case j := <-g.in:
			jobs = append(jobs, j)
		case <-full.C:
			return jobs
		case <-ctx.Done():
			return jobs
		}
	}
}

// commit gives jobs of one feed to the library. If that fails for several, each is
// tried alone, so that one sender's objects cannot fail another's.
func (g *group) commit(ctx context.Context, jobs []*job) {
	var all []json.RawMessage
	for _, j := range jobs {
		all = append(all, j.objects...)
	}
	refused, err := g.lib.Ingest(ctx, *jobs[0].feed, all)
	if err != nil && len(jobs) > 1 && ctx.Err() == nil {
		for _, j := range jobs {
			g.commit(ctx, []*job{j})
		}
		return
	}
	if err != nil {
		if ctx.Err() != nil {
			err = errStopping
		}
		for _, j := range jobs {
			j.done <- outcome{err: err}
		}
		return
	}
	g.commits()
	split := make([][]fact.Refusal, len(jobs))
	for _, r := range refused {
		line, at := r.Line, 0
		for at < len(jobs) && line > len(jobs[at].objects) {
			line -= len(jobs[at].objects)
			at++
		}
		if line < 1 || at == len(jobs) {
			g.lost(r)
			continue
		}
		r.Line = line
		split[at] = append(split[at], r)
	}
	for i, j := range jobs {
		j.done <- outcome{refused: split[i]}
	}
}
