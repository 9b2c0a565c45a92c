package kafka

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/schema"
	"github.com/twmb/franz-go/pkg/kgo"
)

// session is one life of the transactional client with the lanes opened under it.
// Any error whose outcome is not known ends it: the next session fences what
// this one left open, and its lanes start from what the group has committed.
//
// One goroutine, the coordinator, calls step: it alone begins, polls, produces
// and ends, because these must not overlap.
type session struct {
	r      *Runner
	ctx    context.Context // ends with the session or the hard stop
	stop   context.CancelFunc
	txn    *kgo.GroupTransactSession
	cl     *kgo.Client
	asg    *assigner
	parts  *partitioner
	topics map[pipeline.Topic]string
	ends   atomic.Pointer[ends]
	wg     sync.WaitGroup // the probe

	mu    sync.Mutex // guards the map against Status; the coordinator alone writes
	lanes map[tp]*lane

	restoring chan struct{}       // a slot per restore at a time
	snapped   chan snapshotResult // from uploads to the coordinator
	snapping  *lane               // one snapshot at a time

	b        batch
	last     time.Time // when the last transaction with records began
	failures backoff
}

// openSession checks the cluster, connects, fences whoever held the transactional id
// before, and joins the group.
func (r *Runner) openSession(ctx, hard context.Context) (*session, error) {
	counts, err := checkTopics(ctx, r.adm, r.cfg, r.hop)
	if err != nil {
		return nil, err
	}
	s := &session{
		r: r, asg: &assigner{adm: r.adm, seen: r.firstID}, parts: &partitioner{counts: counts},
		topics: make(map[pipeline.Topic]string), lanes: make(map[tp]*lane),
		restoring: make(chan struct{}, max(2, runtime.GOMAXPROCS(0))), snapped: make(chan snapshotResult, 1),
	}
	limits := make(map[string]int32)
	for _, spec := range pipeline.Topics() {
		name := spec.Topic.Name(r.cfg.Prefix)
		s.topics[spec.Topic] = name
		limits[name] = int32(spec.MaxMessageBytes)
	}
	opts, err := r.clientOptions()
	if err != nil {
		return nil, err
	}
	// What is fetched and not yet polled is bounded by the fetches under way and
	// buffered, each of which holds at most fetch bytes on the wire. A quarter of
	// MaxBuffered leaves room for decompression; the batch in flight has half.
	fetch := min(max(r.cfg.MaxBuffered/32, 256<<10), 16<<20)
	opts = append(opts,
		kgo.ConsumerGroup(r.group),
		kgo.ConsumeTopics(r.hop.Inputs...),
		kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.SessionTimeout(r.cfg.SessionTimeout),
		kgo.HeartbeatInterval(min(3*time.Second, r.cfg.SessionTimeout/5)),
		kgo.TransactionalID(r.txnID),
		kgo.TransactionTimeout(r.cfg.TransactionTimeout),
		kgo.RequireStableFetchOffsets(),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()), // out of range is an error, never a jump
		kgo.AdjustFetchOffsetsFn(s.asg.adjust),
		kgo.OnOffsetsFetched(s.asg.onFetched),
		kgo.OnPartitionsAssigned(s.asg.onAssigned),
		kgo.OnPartitionsRevoked(s.asg.onRevoked),
		kgo.OnPartitionsLost(s.asg.onRevoked),
		kgo.FetchMaxBytes(int32(fetch)),
		kgo.FetchMaxPartitionBytes(int32(min(fetch, 1<<20))),
		kgo.MaxConcurrentFetches(int(max(1, r.cfg.MaxBuffered/4/fetch))),
		kgo.RecordPartitioner(s.parts),
		kgo.WithCompressor(newLZ4Compressor()),
		kgo.ProducerBatchMaxBytesFn(func(topic string) int32 { return max(limits[topic], 1_000_012) }),
		kgo.ProducerLinger(5*time.Millisecond), // every transaction flushes anyway
		kgo.WithPools(&r.pools),
	)
	opts = append(opts, r.metrics.hooks()...)

	s.ctx, s.stop = context.WithCancel(hard)
	s.txn, err = kgo.NewGroupTransactSession(opts...)
	if err != nil {
		s.stop()
		return nil, fmt.Errorf("opening the client: %w", err)
	}
	s.cl = s.txn.Client()
	r.mu.Lock()
	r.sess = s
	r.mu.Unlock()
	s.wg.Add(1)
	go s.probe()
	// Asking for the producer id now aborts what a predecessor left open. Until
	// that is done the group gives no stable offsets and nothing could start. It
	// may be canceled: nothing is in flight yet.
	if _, _, err := s.cl.ProducerID(ctx); err != nil {
		s.close()
		return nil, fmt.Errorf("fencing transactional id %s: %w", r.txnID, classify(err))
	}
	return s, nil
}

// close ends the lanes, leaves the group and closes the client. A transaction still
// open is left to the next session's fencing.
func (s *session) close() {
	s.stop()
	for _, ln := range s.lanes {
		s.closeLane(ln)
	}
	s.txn.Close()
	s.wg.Wait()
	s.r.mu.Lock()
	s.r.sess = nil
	s.r.mu.Unlock()
	s.r.held.Store(0)
}

// millis converts a record's timestamp.
func millis(t time.Time) schema.Millis { return schema.FromTime(t) }
