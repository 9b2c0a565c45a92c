// Package fact holds the nouns of threat intelligence as it arrives: the
// configuration of a feed, what a feed says (an indicator, an object such as a
// malware family or a report, a relation, a sighting), what was refused, and the
// Sink that takes them one by one.
//
// It owns no behavior: package parse makes facts of bytes, fetch gets the bytes,
// library keeps facts and derives from them the indicators that count. It must
// not know files, networks or the index.
package fact
