// Package draft writes the first version of a format from samples of what a
// vendor sends: which keys tell its documents apart, and which path looks like an
// id, a time, a severity, an address, a user. What it guesses it marks with
// "# check".
//
// The way of a sample: sample.go takes documents in, json.go and text.go find
// their paths, field.go counts what is seen at each path, shape.go and words.go
// say what values and names look like, choose.go and the files of the sections
// decide, write.go writes the YAML.
//
// It is for people at a command line: it must not be used on the hot path, and
// what it writes must be read before it is put in force.
package draft
