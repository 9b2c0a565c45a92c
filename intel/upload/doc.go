// Package upload takes indicators and what is behind them over HTTP, with the
// contract of Microsoft Sentinel's upload API, so that what can send there can
// send here: POST of {"sourcesystem", "stixobjects"} to
// .../threat-intelligence-stix-objects:upload, at most 100 objects a request and
// 100 requests a minute, 200 with the faults of single objects by their index.
//
// It owns who may send (bearer tokens), what a request must look like, how fast
// requests may come, and the journal (journal.go): a request costs what it takes to
// write it down, however large its feed is. An answer of 200 means that what it does not
// name as faulty is on disk; whoever has the journal folds it into the library later. A
// request may be sent again: the same ids and versions change nothing.
//
// It must not know how objects are understood, that is the Checker's, nor when and how
// the library takes what waits.
package upload
