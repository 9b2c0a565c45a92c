// Package oracle correlates a whole tenant at once by brute force, from the text
// of docs/correlation.md alone: it enumerates links instead of maintaining
// components, so that it can be checked by reading and stages/correlate can be
// checked against it byte for byte.
//
// It owns a second reading of the rules: keys, degrees, windows, links, levels,
// identity and reasons. It must not know how the stage computes any of this, so
// it imports schema and the standard library only; the tests that compare both
// are in the external test package. It takes on-time alerts and revisions that
// come before their alert has left memory: lateness and memory are about
// a running stage and are no part of the result.
//
// Time is quadratic in the observations of one key within a window; 5,000
// alerts of an ordinary day take well under a second.
package oracle
