package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/stages"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Sink drives the last hop: it makes ranges of records durable in a store that
// takes no part in Kafka's transactions, each exactly once as long as the store
// remembers tokens. Per range:
//
//  1. commit offset lo with the intent (hi, count, checksum) as metadata;
//  2. insert exactly lo..hi under the range's token;
//  3. commit the position after hi.
//
// Whoever is assigned the partition between 1 and 3 finds the intent with the
// offset, reads lo..hi again, checks that they are the announced records and goes on
// at 2; the store drops what it has. The group's generation fences both commits.
// On compacted topics a second read may differ, so step 1 is left out:
// delivery is at least once, into a store that keeps the newest version.
//
// One goroutine polls, one hands out attempts as the insert budget allows, and
// each attempt has a goroutine of its own. A range is cut only when its turn has
// come, so that ranges grow while the budget or the store is the limit.
type Sink struct {
	cfg     Config
	hop     pipeline.SinkHop
	sc      SinkConfig
	set     Settings
	log     *slog.Logger
	group   string
	compact map[string]bool
	metrics *sinkMetrics

	client *kgo.Client // of Run; set before callbacks can run
	adm    *kadm.Client
	wake   chan struct{} // something may have become due
	cancel context.CancelCauseFunc

	mu       sync.Mutex
	parts    map[tp]*sinkPart
	notes    map[tp]string     // commit metadata of the fetch of offsets under way
	ids      map[string]string // of the topics this process has worked on
	budget   *budget
	blocks   map[string]float64 // last report, by topic
	buffered int64
	full     bool      // at MaxBuffered: most partitions are paused
	running  int       // attempts
	starved  time.Time // since when the budget has kept a due range waiting
	totals   SinkTotals
}

// NewSink prepares the hop; nothing is connected before Run.
func NewSink(cfg Config, hop pipeline.SinkHop, sc SinkConfig, set Settings) (*Sink, error) {
	if err := errors.Join(cfg.Validate(), sc.Validate()); err != nil {
		return nil, err
	}
	if hop.Name == "" || len(hop.Inputs) == 0 || hop.Insert == nil {
		return nil, errors.New("a sink hop needs a name, inputs and Insert")
	}
	if sc.InsertTimeout >= cfg.SessionTimeout {
		return nil, fmt.Errorf("sink: insert_timeout %s must be shorter than kafka.session_timeout %s", sc.InsertTimeout, cfg.SessionTimeout)
	}
	set = set.withDefaults()
	s := &Sink{
		cfg: cfg, hop: hop, sc: sc, set: set, log: set.Logger.With("hop", hop.Name),
		group: cfg.Prefix + "." + hop.Name, compact: make(map[string]bool),
		wake: make(chan struct{}, 1), parts: make(map[tp]*sinkPart), notes: make(map[tp]string), ids: make(map[string]string),
		blocks: make(map[string]float64), budget: newBudget(sc.InsertsPerSecond, time.Now()),
	}
	// A range must leave room for another to be read meanwhile.
	s.sc.Bytes = min(sc.Bytes, max(1, cfg.MaxBuffered/2))
	for _, spec := range pipeline.Topics() {
		s.compact[spec.Topic.Name(cfg.Prefix)] = spec.Compact
	}
	s.metrics = newSinkMetrics(s)
	return s, nil
}

// Run works until ctx is done, then finishes the inserts under way, as far as
// RevokeTimeout allows, and leaves the group; that gives nil. It gives an
// error when it cannot go on. It may be called once.
func (s *Sink) Run(ctx context.Context) error {
	if err := s.metrics.register(s.set.Registry, s.hop.Name); err != nil {
		return fmt.Errorf("hop %s: registering metrics: %w", s.hop.Name, err)
	}
	defer s.metrics.unregister()
	ctx, s.cancel = context.WithCancelCause(ctx)
	defer s.cancel(nil)

	opts, err := s.options()
	if err == nil {
		s.client, err = kgo.NewClient(opts...)
	}
	if err != nil {
		return fmt.Errorf("hop %s: %w", s.hop.Name, err)
	}
	s.adm = kadm.NewClient(s.client)
	s.client.AddConsumeTopics(s.hop.Inputs...)

	var wg sync.WaitGroup
	wg.Go(func() { s.dispatch(ctx) })
	s.poll(ctx)
	wg.Wait()
	s.release(nil, true)
	s.client.CloseAllowingRebalance()
	if err := context.Cause(ctx); stages.IsPermanent(err) {
		return fmt.Errorf("hop %s: %w", s.hop.Name, err)
	}
	return nil
}

func (s *Sink) options() ([]kgo.Opt, error) {
	opts, err := s.cfg.Options()
	if err != nil {
		return nil, err
	}
	// A fetch is this large on the wire, and a multiple of it when decompressed.
	fetch := int32(min(max(s.cfg.MaxBuffered/32, 256<<10), 16<<20))
	return append(append(opts, s.metrics.hooks()...),
		kgo.WithLogger(clientLog{s.log}),
		kgo.ConsumerGroup(s.group),
		kgo.SessionTimeout(s.cfg.SessionTimeout), kgo.RebalanceTimeout(rebalanceTimeout),
		kgo.HeartbeatInterval(min(3*time.Second, s.cfg.SessionTimeout/5)),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.RequireStableFetchOffsets(),
		// Markers are seen so that the position can pass them.
		kgo.KeepControlRecords(),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()), kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.FetchMaxBytes(fetch), kgo.FetchMaxWait(500*time.Millisecond),
		kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsAssigned(s.onAssigned), kgo.OnPartitionsRevoked(s.onRevoked), kgo.OnPartitionsLost(s.onLost),
		kgo.OnOffsetsFetched(s.onFetched), kgo.AdjustFetchOffsetsFn(s.adjust),
	), nil
}

// poll reads until ctx is done.
func (s *Sink) poll(ctx context.Context) {
	for ctx.Err() == nil {
		// Few at a time, since MaxBuffered is overrun by what one poll gives.
		fetches := s.client.PollRecords(ctx, 1000)
		behind, err := s.take(fetches)
		if err == nil && behind != nil {
			err = s.skip(ctx, behind)
		}
		if err != nil {
			s.cancel(err)
		}
		s.client.AllowRebalance()
		for _, e := range fetches.Errors() {
			if errors.Is(e.Err, kerr.UnknownTopicID) {
				if err := s.sameTopic(ctx, tp{e.Topic, e.Partition}); err != nil {
					s.cancel(err)
				}
			}
			sleep(ctx, 200*time.Millisecond) // the client gives errors again at once
		}
	}
}

// sameTopic gives a permanent error if the topic was deleted and created again.
// The client would wait for the former one for ever.
func (s *Sink) sameTopic(ctx context.Context, at tp) error {
	d, err := s.adm.ListTopics(ctx, at.topic)
	if err != nil || d[at.topic].Err != nil {
		return nil // not known; the next error asks again
	}
	s.mu.Lock()
	was := s.ids[at.topic]
	s.mu.Unlock()
	return stages.Permanent(inLog(at, 0, 0, 0, topicID(d[at.topic]), was))
}

// take puts what was polled into the buffers. Rebalances wait meanwhile, so that
// a partition in parts is the one the records were read for. behind are the partitions
// of compacted topics whose log does not hold the position.
func (s *Sink) take(fetches kgo.Fetches) (behind map[string][]int32, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	var fatal error
	fetches.EachPartition(func(f kgo.FetchTopicPartition) {
		if errors.Is(f.Err, kerr.OffsetOutOfRange) && s.compact[f.Topic] {
			behind = addPart(behind, tp{f.Topic, f.Partition})
			return
		}
		if f.Err != nil {
			fatal = errors.Join(fatal, s.fetchError(f))
			return
		}
		p := s.parts[tp{f.Topic, f.Partition}]
		if p == nil || fatal != nil {
			return
		}
		p.end = f.LastStableOffset
		if f.LogStartOffset > p.next && !p.compact {
			fatal = fmt.Errorf("%s/%d starts at offset %d but %d was to be read next: records were deleted before they were read", f.Topic, f.Partition, f.LogStartOffset, p.next)
			return
		}
		for _, r := range f.Records {
			n, err := p.add(r, now)
			if err != nil {
				fatal = err
				return
			}
			s.buffered += n
		}
	})
	s.throttle()
	s.nudge()
	if fatal != nil {
		return behind, stages.Permanent(fatal)
	}
	return behind, nil
}

// skip has partitions of compacted topics read on from where their logs begin, if
// compaction has passed the position: a later record of the same key says what it
// took. Rebalances wait meanwhile.
func (s *Sink) skip(ctx context.Context, behind map[string][]int32) error {
	topics := slices.Sorted(maps.Keys(behind))
	first, err := s.adm.ListStartOffsets(ctx, topics...)
	if err != nil {
		s.log.Warn("reading log starts", "topics", topics, "error", err)
		return nil // the client gives the error again
	}
	to := make(map[string]map[int32]kgo.EpochOffset)
	s.mu.Lock()
	for t, ps := range behind {
		for _, n := range ps {
			lo, ok := first.Lookup(t, n)
			p := s.parts[tp{t, n}]
			if p == nil || !ok || lo.Err != nil {
				continue
			}
			if p.next >= lo.Offset {
				err = stages.Permanent(fmt.Errorf("out of range: %s/%d has no offset %d and begins at %d: the topic was truncated or created again", t, n, p.next, lo.Offset))
				continue
			}
			if to[t] == nil {
				to[t] = make(map[int32]kgo.EpochOffset)
			}
			to[t][n] = kgo.EpochOffset{Epoch: -1, Offset: lo.Offset}
		}
	}
	s.mu.Unlock()
	if err == nil && len(to) > 0 {
		s.client.SetOffsets(to)
	}
	return err
}

// fetchError tells errors that stop the sink from those the client gets over.
func (s *Sink) fetchError(f kgo.FetchTopicPartition) error {
	var session *kgo.ErrGroupSession
	switch {
	case errors.Is(f.Err, context.Canceled), errors.Is(f.Err, kgo.ErrClientClosed):
		return nil
	case errors.As(f.Err, &session) && !stages.IsPermanent(classify(f.Err)), kerr.IsRetriable(f.Err):
		s.log.Warn("reading is disturbed", "topic", f.Topic, "partition", f.Partition, "error", f.Err)
		return nil
	}
	return fmt.Errorf("reading %s/%d: %w", f.Topic, f.Partition, f.Err)
}

// throttle pauses and resumes partitions so that the buffers stay bounded. The
// lock is held. A partition pauses with two ranges in its buffer; all pause
// when MaxBuffered is reached, except one that waits for the rest of another
// member's range, which could otherwise never be inserted and never leave.
func (s *Sink) throttle() {
	if s.full {
		s.full = s.buffered >= s.cfg.MaxBuffered*3/4
	} else {
		s.full = s.buffered >= s.cfg.MaxBuffered
	}
	var exempt *sinkPart
	if s.full {
		for _, p := range s.parts {
			if p.filling() && (exempt == nil || p.at.topic < exempt.at.topic || p.at.topic == exempt.at.topic && p.at.partition < exempt.at.partition) {
				exempt = p
			}
		}
	}
	var pause, resume map[string][]int32
	for _, p := range s.parts {
		limit := 2 * s.sc.Bytes
		if p.paused {
			limit = s.sc.Bytes
		}
		want := s.full && p != exempt || p.bytes >= limit && !p.filling()
		switch {
		case want && !p.paused:
			pause = addPart(pause, p.at)
		case !want && p.paused:
			resume = addPart(resume, p.at)
		}
		p.paused = want
	}
	if pause != nil {
		s.client.PauseFetchPartitions(pause)
	}
	if resume != nil {
		s.client.ResumeFetchPartitions(resume)
	}
}

func addPart(m map[string][]int32, at tp) map[string][]int32 {
	if m == nil {
		m = make(map[string][]int32)
	}
	m[at.topic] = append(m[at.topic], at.partition)
	return m
}

// nudge wakes the dispatcher.
func (s *Sink) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
