// Package syntax reads messages that are no JSON: syslog and what devices put
// behind its header (CEF, LEEF, key=value, columns, Cisco and Snort lines, XML).
// A Reader recognizes what a message is and puts its values onto a tape under
// the names that docs/mapping.md lists, so that one mapping language serves all.
//
// Recognizing is strict, so that a text is not taken for what it is not;
// reading what was recognized forgives what devices really send. Everything is
// one pass with bounded look-ahead: a hostile message costs no more than its
// length.
//
// Lines splits a record of text into messages. CSVRows and ZeekRows turn files
// of rows into JSON documents.
package syntax
