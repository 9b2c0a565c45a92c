// Package e2e tests the whole way of an alert with the real binary: worker
// processes that are killed, frozen, rebalanced and starved of their store, on
// the embedded broker or on Apache Kafka, with ClickHouse at the end.
//
// It owns the faults and the judgment of what is left after them: the
// accounting of what was acknowledged (every record is accepted, rejected or
// ignored; every alert is in the store once and in one incident once; no range
// of a topic is missing or there twice), and the comparison of the incidents
// with bench/oracle, byte for byte. What the judgment expects is made in the
// test process from the produced bytes, through normalize alone.
//
// It must not know how a hop does its work: it sees topics, the store, exit
// codes, logs and admin ports, as an operator does. Everything random comes
// from a seed that a failing test prints.
//
// Set INTERDICT_TEST_KAFKA=host:port to run on a cluster such as that of
// deploy/kafka; -short runs a part that fits under the race detector.
package e2e
