package e2e

import (
	"fmt"
	"hash/fnv"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/interdict/interdict/bench/gen"
	"github.com/interdict/interdict/schema"
)

// message is one record on its way to a source.
type message struct {
	src       *source
	partition int32
	value     []byte
	time      schema.Millis
}

// produce writes the messages, each partition in the given order, and notes
// what was acknowledged.
func (l *lab) produce(msgs []message) {
	l.t.Helper()
	var mu sync.Mutex
	var failed error
	for i := range msgs {
		m := &msgs[i]
		r := &kgo.Record{Topic: m.src.Topic, Partition: m.partition, Value: m.value, Timestamp: m.time.Time()}
		l.client.Produce(l.t.Context(), r, func(r *kgo.Record, err error) {
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = err
				return
			}
			m.src.newest = max(m.src.newest, m.time)
			m.src.raws = append(m.src.raws, schema.Raw{Source: &m.src.Source, Value: m.value, Time: m.time,
				Topic: r.Topic, Partition: r.Partition, Offset: r.Offset})
		})
	}
	if err := l.client.Flush(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
	if failed != nil {
		l.t.Fatalf("producing: %v", failed)
	}
}

// messages gives a world's records as messages of one tenant, in the order of
// their time. Records of one machine stay in one partition, as sensors do it.
func (l *lab) messages(tenant string, w *gen.World) []message {
	l.t.Helper()
	var list []message
	for r := range w.Records() {
		s := l.source(tenant, r.Source)
		h := fnv.New32a()
		h.Write([]byte(r.Truth.Host))
		list = append(list, message{src: s, partition: int32(h.Sum32() % uint32(s.partitions)), value: r.Value, time: schema.FromTime(r.Time)})
	}
	return list
}

// closing gives one alert for each raw partition at the time given. What is
// older by the lateness is then settled: no held observation waits for a quiet
// sensor. The alerts share nothing with any other.
func (l *lab) closing(at schema.Millis, skip func(*source, int32) bool) []message {
	var list []message
	for _, s := range l.sources {
		for p := range s.partitions {
			if skip != nil && skip(s, p) {
				continue
			}
			// 198.18.0.0/15 is for benchmarks of networks: no world uses it.
			n := l.closed
			l.closed++
			from, to := fmt.Sprintf("198.18.%d.%d", n>>8&255, n&255), fmt.Sprintf("198.19.%d.%d", n>>8&255, n&255)
			list = append(list, message{s, p, eve(at, 900_000+n, from, to, "Closing"), at})
		}
	}
	return list
}

// eve gives a Suricata alert.
func eve(at schema.Millis, flow uint32, from, to, signature string) []byte {
	return fmt.Appendf(nil, `{"timestamp":"%s","flow_id":%d,"event_type":"alert","src_ip":"%s","src_port":40000,"dest_ip":"%s","dest_port":443,`+
		`"proto":"TCP","alert":{"action":"allowed","gid":1,"signature_id":2100001,"rev":1,"signature":"%s","category":"Misc activity","severity":3}}`,
		at.Time().Format("2006-01-02T15:04:05.000000-0700"), flow, from, to, signature)
}
