// Package mapping is the language in which formats are written: which documents
// are of a format, which of them are alerts, and which value fills which field.
// docs/mapping.md is its reference.
//
// Parse reads the YAML of one format and finds what is wrong with it, by line.
// Compile makes one Set of many formats: their paths share one trie, so that a
// document is scanned once for all of them. A Runner then asks a tape which format
// it is of and fills an alert from it.
//
// The package owns the meaning of the YAML. It must not know where documents come
// from or how they are unpacked, and keeps nothing between documents.
package mapping
