// Package fetch gets the bytes of feeds: files and folders on this machine, HTTP,
// collections of a TAXII 2.1 server, and MISP feeds. It pulls only what is new
// where the source can say so, and hands on each part as a stream.
//
// It owns politeness (conditional requests, pages, Retry-After), the proof that a
// body is whole, and the guard that keeps a feed's URL from being led to addresses
// that only this machine can reach. It must not know what the bytes mean (package
// parse), where facts are kept (library) or when a feed is due (the service).
//
// # Whole or an error
//
// A body that ends before its length, whose compression is broken, that grows past
// Feed.MaxBytes, or whose end cannot be told from a cut line (no length, no chunks,
// no checksum) fails the pull: a part is never shorter than what its source has.
// The reader handed to yield gives the error; Pull reads on to the end behind a
// yield that stopped early, so that it finds it anyway. Text that is gzip itself,
// as files named .gz are, is unpacked.
//
// # Addresses
//
// What is checked is the address that is dialed, after the name was resolved and
// at each redirect, so that no name can point elsewhere in between. Unless
// Feed.AllowPrivate is set, only public unicast addresses are dialed. A proxy would
// resolve names itself, out of reach of this check; so proxies of the environment
// are ignored, and one is used only if Config.Proxy names it. Then the proxy must do
// the checking, and only URLs that spell out such an address are still refused.
//
// # Secrets
//
// Passwords, tokens and keys are in files, read at each pull, so that a changed
// file counts at once. Whether others may read such a file is the operator's
// concern: it should have mode 0600 or come from a secret store. Secrets go to the
// host of the feed's URL alone, are dropped at a redirect to another, and are in no
// error. They are not sent over plain http unless Feed.AllowPrivate is set. Errors
// show URLs without their query, where keys are often put.
package fetch
