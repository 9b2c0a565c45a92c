// Package persist turns records of Interdict's own topics into typed rows and
// hands them to a store. It is the last hop: what it has written, analysts see.
//
// It owns the meaning of the tables: which rows a record becomes, one struct per
// table. It does not know ClickHouse, SQL or Kafka: the store is behind the port
// Writer, and records come as an Input, the range of one partition that becomes
// durable as one unit under one token.
//
// The same Input gives the same Rows, always. That, and a store that drops the
// second insert under a token, makes persisting idempotent: after a crash the
// same range is inserted again. Records of our own topics were written by our
// own stages, so one that cannot be decoded is damage or a newer writer: the
// error is permanent and names the offset, and nothing of the range is written.
package persist
