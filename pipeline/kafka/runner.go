package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/stages"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Settings are what a Runner takes besides the configuration file.
type Settings struct {
	// Logger gets one line per event an operator should know. Default: discards.
	Logger *slog.Logger
	// Registry gets the client's and the runner's metrics, labeled by hop. Default: none.
	Registry prometheus.Registerer
	// Failpoint is called at the named points of a transaction and of a
	// snapshot; tests end the process in it. Default: none.
	Failpoint func(name string)
	// Clock is what lanes are told as "now". Default: time.Now.
	Clock func() time.Time
	// IdleEvery is how often a lane hears that its partition has nothing to
	// read. Default: 500ms.
	IdleEvery time.Duration
	// DrainTimeout bounds the graceful end: three quarters for the transaction
	// in flight, then a hard stop. Default: 20s.
	DrainTimeout time.Duration
}

func (s Settings) withDefaults() Settings {
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	if s.Clock == nil {
		s.Clock = time.Now
	}
	if s.IdleEvery <= 0 {
		s.IdleEvery = 500 * time.Millisecond
	}
	if s.DrainTimeout <= 0 {
		s.DrainTimeout = 20 * time.Second
	}
	return s
}

// Runner drives one hop exactly once: what the lanes make of the records and the
// position in the input become visible together or not at all.
type Runner struct {
	cfg   Config
	hop   pipeline.Hop
	set   Settings
	log   *slog.Logger
	group string
	txnID string
	extra []kgo.Opt // tests cut the network here

	metrics *metrics
	pools   pools
	plain   *kgo.Client // of Run: admin requests and chunks of snapshots; never consumes
	adm     *kadm.Client

	mu       sync.Mutex
	sess     *session // nil between sessions
	restores map[string]int64
	topicIDs map[string]string // as first seen

	committed, aborted, rebuilt atomic.Int64
	held                        atomic.Int64
}

// NewRunner prepares a hop; nothing is connected before Run.
func NewRunner(cfg Config, hop pipeline.Hop, s Settings) (*Runner, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if hop.Name == "" || len(hop.Inputs) == 0 || hop.Open == nil {
		return nil, errors.New("a hop needs a name, inputs and Open")
	}
	s = s.withDefaults()
	r := &Runner{
		cfg: cfg, hop: hop, set: s, log: s.Logger.With("hop", hop.Name),
		group:    cfg.Prefix + "." + hop.Name,
		txnID:    cfg.Prefix + "." + hop.Name + "." + cfg.Instance,
		restores: make(map[string]int64), topicIDs: make(map[string]string),
	}
	if cfg.Instance == "" && !cfg.FreshTransactionalIDs {
		return nil, errors.New("kafka: instance: must name this process, it is part of the transactional id")
	}
	if cfg.FreshTransactionalIDs {
		// One suffix per Runner, not per session: a rebuilt session must fence
		// the transaction its predecessor left open.
		r.txnID += fmt.Sprintf(".%016x", rand.Uint64())
	}
	r.metrics = newMetrics(r)
	return r, nil
}

// Run works until ctx is done, then finishes the transaction in flight and leaves
// the group; that gives nil. It gives an error when it cannot go on: a permanent
// one, or a drain that did not end in time. It may be called once.
func (r *Runner) Run(ctx context.Context) error {
	if err := r.metrics.register(r.set.Registry, r.hop.Name); err != nil {
		return fmt.Errorf("hop %s: registering metrics: %w", r.hop.Name, err)
	}
	defer r.metrics.unregister()

	// What is in flight must outlive ctx: a canceled End leaves the client in an
	// unknown state. hard ends only when draining failed.
	hard, kill := context.WithCancel(context.WithoutCancel(ctx))
	defer kill()
	done := make(chan error, 1)
	go func() { done <- r.loop(ctx, hard) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	soft := time.NewTimer(r.set.DrainTimeout * 3 / 4)
	defer soft.Stop()
	select {
	case err := <-done:
		return err
	case <-soft.C:
	}
	dump := make([]byte, 1<<20)
	r.log.Error("draining takes too long, stopping hard", "timeout", r.set.DrainTimeout, "goroutines", string(dump[:runtime.Stack(dump, true)]))
	kill()
	rest := time.NewTimer(r.set.DrainTimeout / 4)
	defer rest.Stop()
	select {
	case <-done:
	case <-rest.C:
	}
	return fmt.Errorf("hop %s: not drained within %s, stopped hard", r.hop.Name, r.set.DrainTimeout)
}

// loop runs sessions one after another until ctx is done or nothing helps.
func (r *Runner) loop(ctx, hard context.Context) error {
	opts, err := r.clientOptions()
	if err != nil {
		return fmt.Errorf("hop %s: %w", r.hop.Name, err)
	}
	r.plain, err = kgo.NewClient(append(opts,
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.NoCompression()), // chunks are compressed already
		kgo.RecordDeliveryTimeout(time.Minute),
		kgo.MaxBufferedBytes(16<<20))...)
	if err != nil {
		return fmt.Errorf("hop %s: %w", r.hop.Name, err)
	}
	defer r.plain.Close()
	r.adm = kadm.NewClient(r.plain)

	var b backoff
	for {
		began := time.Now()
		err := r.runSession(ctx, hard)
		switch {
		case err == nil:
			return nil
		case stages.IsPermanent(err):
			return fmt.Errorf("hop %s: %w", r.hop.Name, err)
		case ctx.Err() != nil:
			// What failed is delivered again at the next start.
			r.log.Warn("gave up what was under way when the end came", "error", err)
			return nil
		}
		if time.Since(began) > time.Minute {
			b = backoff{}
		}
		wait := b.next()
		r.rebuilt.Add(1)
		r.metrics.rebuilt.Inc()
		r.log.Warn("closing the session and building a new one", "error", err, "wait", wait)
		sleep(ctx, wait)
	}
}

func (r *Runner) runSession(ctx, hard context.Context) error {
	s, err := r.openSession(ctx, hard)
	if err != nil {
		return err
	}
	defer s.close()
	for ctx.Err() == nil {
		if err := s.step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// firstID notes the id of a topic and gives the one it was first seen with.
func (r *Runner) firstID(topic, id string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.topicIDs[topic]; !ok {
		r.topicIDs[topic] = id
	}
	return r.topicIDs[topic]
}

func (r *Runner) clientOptions() ([]kgo.Opt, error) {
	opts, err := r.cfg.Options()
	if err != nil {
		return nil, err
	}
	// A second instead of five: how long a moved leader may go unnoticed.
	opts = append(opts, kgo.WithLogger(clientLog{r.log}), kgo.MetadataMinAge(time.Second))
	return append(opts, r.extra...), nil
}

// backoff doubles from a tenth of a second to ten, with jitter so that
// processes that failed together do not come back together.
type backoff struct{ tries int }

func (b *backoff) next() time.Duration {
	d := min(100*time.Millisecond<<min(b.tries, 10), 10*time.Second)
	b.tries++
	return d/2 + rand.N(d/2+1)
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
