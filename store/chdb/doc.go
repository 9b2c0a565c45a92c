// Package chdb runs the real ClickHouse engine (libchdb) beside the product,
// so that one command has a database without a server being installed.
//
// The engine lives in a child process. It is half a gigabyte of C++ that
// installs signal handlers and may abort; keeping it out of the pipeline's
// process means that a crash there costs a restart and a retry, never records.
// Start supervises the child and hands out a DSN; Serve is what the child runs:
// it loads the library and serves the ClickHouse HTTP interface on loopback,
// complete enough for an unmodified clickhouse-go. The rest of the product
// therefore sees only a DSN and cannot tell the engine from a server.
//
// The package owns the library's look-up, the binding, the HTTP endpoint, the
// data directory's lock and the child's life. It must not know tables, rows or
// what they mean; it imports nothing else of ours.
//
// What the engine does not do: users, roles and quotas (one key opens
// everything, including the host's files through file()), replication,
// ON CLUSTER, system.query_log, HTTP sessions and caller-chosen query ids.
// Hence the endpoint is loopback only, every request needs the random key, and
// no untrusted SQL may be sent to it.
package chdb
