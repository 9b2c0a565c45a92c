// Package parse makes facts of the bytes of a feed: lists, CSV, rows of JSON, STIX
// 2.0 and 2.1, MISP events and warninglists, OpenIOC, what resolvers, firewalls and
// sensors are told to block, and documents for people, packed or not. What is none of
// these it tells by what it is instead. It also knows what kind
// of observable a text is (Recognize), the canonical form of one whose kind is known
// (Value), and which STIX patterns name single values (Pattern).
//
// It owns what can be taken literally and what cannot: a part of a feed that would
// match more than it says (a pattern, a regular expression, a condition of two
// things) is refused with a reason, never widened. Every indicator it passes on may
// stand in an index.
//
// Feeds are hostile: memory is bounded by constants and not by the feed, whatever
// its lines, objects and nesting are like.
//
// It must not know where bytes come from, what is kept of facts, or which of two
// versions counts.
package parse
