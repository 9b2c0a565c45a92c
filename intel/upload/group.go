package upload

import (
	"context"
	"errors"
)

// job is a request that was found good, waiting to be written down.
type job struct {
	queue  *Queue
	record *Record
	done   chan error // takes one without blocking
}

// Why a job was not written down.
var (
	errStopping = errors.New("the service is stopping")
	errFull     = errors.New("too much waits for the library")
)

// group writes jobs down: what comes while others are being written is written, and
// synced, together.
type group struct {
	in      chan *job
	stopped chan struct{} // closed when run has returned
}

// put waits until a job is on disk.
func (g *group) put(j *job) error {
	select {
	case g.in <- j:
	case <-g.stopped:
		return errStopping
	}
	select {
	case err := <-j.done:
		return err
	case <-g.stopped:
		select {
		case err := <-j.done:
			return err
		default:
			return errStopping
		}
	}
}

// run writes until ctx ends.
func (g *group) run(ctx context.Context) {
	defer close(g.stopped)
	for {
		select {
		case <-ctx.Done():
			return
		case j := <-g.in:
			jobs := []*job{j}
			for len(g.in) > 0 && len(jobs) < cap(g.in) {
				jobs = append(jobs, <-g.in)
			}
			for len(jobs) > 0 {
				var same, other []*job
				for _, x := range jobs {
					if x.queue == jobs[0].queue {
						same = append(same, x)
					} else {
						other = append(other, x)
					}
				}
				write(same)
				jobs = other
			}
		}
	}
}

// write writes jobs of one feed.
func write(jobs []*job) {
	records := make([]*Record, len(jobs))
	for i, j := range jobs {
		records[i] = j.record
	}
	taken, err := jobs[0].queue.Append(records...)
	for i, j := range jobs {
		switch {
		case i < taken:
			j.done <- nil
		case err != nil:
			j.done <- err
		default:
			j.done <- errFull
		}
	}
}
