// Package extract reads values out of documents: in one pass, only what somebody
// wants, and only from documents that keep the rules.
//
// A Trie holds the wanted paths of all formats. A Scanner goes over a JSON
// document once, checks it, and keeps what the trie wants on a Tape: a list of
// values in the document's order, each with the Slot of the path that wanted it.
// Text syntaxes that are not JSON fill a tape through the same trie, with Child,
// Elem and SlotOf, so that whoever reads tapes need not know which it was.
//
// The package knows nothing of formats, alerts or vendors, nor of what a value
// means. It does not look for documents in records, and it does not judge what
// follows a document: that is the caller's.
//
// # Paths
//
// Names separated by dots; a backslash before a dot, a bracket, a star or a
// backslash makes it part of the name.
//
//   - "a.b" is the value of b in the object a.
//   - "a[]" is each element of the array a, or the value itself where it is none.
//   - "a{}" is what the JSON text in the string a holds: an object, or with
//     "a{}[]" the elements of an array. The value itself where it is no string.
//     A string that holds something else, or JSON that breaks a rule, is a string.
//   - "*" is every name of an object.
//
// Objects and scalars are kept, arrays are not: their elements are. Paths do not
// disturb each other. Where "a.b" and "a.*" are both wanted, b is kept in both
// slots, and so with "a" and "a[]", or "a" and "a{}": each path gives what it
// would give alone. An object that is kept for several slots stands on the tape
// once for each, the copies side by side, with the same Next.
//
// # Rules
//
// JSON as RFC 8259 has it, UTF-8 without lone surrogates, no key twice in an
// object however it is escaped, and the Limits. They hold for all of the document,
// wanted or not. Text in strings keeps the same rules, and shares the limits on
// depth, keys and values with the document around it; text in text goes four
// deep.
//
// # Learned order
//
// A scanner remembers which keys the objects at a place had and which came after
// which. The next key is mostly the one that came last time, and then one
// comparison of bytes replaces the search for its end, its hash and the look-ups.
// Memory for this is bounded, and what was learned changes no result; see order.
package extract
