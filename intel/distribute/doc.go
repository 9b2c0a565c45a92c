// Package distribute brings the indicators that count from the library to every
// worker, over a log of one sequence: interdict.indicators. The log holds deltas
// (lists of changes that lead from one content of the index to the next) and
// references to snapshots (files with the whole index, named by their hash). So tens
// of millions of indicators never pass through the log, and a change is with all
// workers in moments.
//
// A Publisher owns the published state and writes; a Follower keeps a worker's
// match.Holder up to date and knows how far it is behind. What they agree on is the
// id of a content (match.Index.ID): a delta is applied only to the content that it
// was made for, and what comes out must be what the publisher had. Everything else
// - a lost record, a duplicate, a damaged file, a crash in any place - shows as an
// id that is not the expected one, and leads back to a snapshot.
//
// The package owns the protocol and the files on both sides. It must not know Kafka
// (see Log and Writer, which pipeline/kafka implements), nor feeds and how the
// library keeps them (see Library).
package distribute
