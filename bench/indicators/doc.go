// Package indicators measures the index of match over generated indicators: what it
// takes in memory, how long it takes to build and to load, what a question costs,
// and how matching and changing get on beside each other.
//
// The generated values can be read backwards: from a value follows whether it is an
// indicator and what is known of it. So there is an oracle for any number of
// indicators that takes no memory and shares no code with the index.
package indicators
