// Package clickhouse is the store: the schema of the tables, the writer behind
// stages/persist, and the reader behind the command line and the console. It is
// the only package that speaks to ClickHouse, and it takes no more than a DSN:
// a server, a cluster and the embedded engine look the same from here.
//
// It owns the SQL (migrations, views, reads), how rows become blocks, which of
// the server's errors are worth another try, how long rows are kept, and the
// erasure of a tenant. What rows mean is decided by stages/persist; this package
// must not know topics, stages or Kafka.
//
// Each table that is written has one list of columns (tables_*.go), tied to its
// row struct, from which inserts and reads are made; a test compares it with the
// table the migrations create.
package clickhouse
