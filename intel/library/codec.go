package library

import (
	"encoding/binary"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

// end says why a fact no longer stands.
type end uint8

// The numbers are stored: append, never reorder.
const (
	stands     end = iota
	revoked        // the feed took it back
	missing        // a feed that is read as a whole no longer has it
	superseded     // a newer version of its object has other values
	ends           // count
)

// stored is a fact with what the library knows of it.
type stored struct {
	End   end
	First schema.Millis // pull that said it first
	Seen  schema.Millis // pull that said it last
	Ended schema.Millis // pull in which it ended; zero: it stands
	// Changed is the pull that said something else of it than the one before; zero: none
	// has since First.
	Changed schema.Millis
	Aside   string // why it does not count although it stands, for people
	Effect  aside  // the same for programs
	fact.Said
}

// aside says why a fact is not among the indicators that count. Entries of a
// .current file carry it where an override may bring them back.
type aside uint8

// The numbers are stored: append, never reorder.
const (
	counts  aside = iota
	ended         // see stored.End
	expired       // its time is over
	skipped       // an ingestion rule, or the feed's types
	refused       // must not stand in an index
	asides        // count
)

// String gives the word of reports.
func (a aside) String() string {
	return [...]string{"counts", "ended", AsideExpired, AsideSkipped, AsideRefused, "unknown"}[min(a, asides)]
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// appendStored appends what is behind the key of a fact.
func appendStored(dst []byte, s *stored) []byte {
	dst = append(dst, byte(s.End), byte(s.Effect))
	for _, m := range [...]schema.Millis{s.First, s.Seen, s.Ended, s.Version} {
		dst = binary.AppendVarint(dst, int64(m))
	}
	dst = appendText(dst, s.Aside)
	dst = appendIndicator(dst, &s.Indicator)
	if s.Changed != 0 {
		dst = binary.AppendVarint(dst, int64(s.Changed))
	}
	return dst
}

// appendIndicator appends an indicator but for type, value and id, which are in the
// key, and the feed, which is in the file's name.
func appendIndicator(dst []byte, i *schema.Indicator) []byte {
	var flags byte
	if i.Exact {
		flags |= 1
	}
	if i.Listed {
		flags |= 2
	}
	dst = append(dst, flags, byte(i.Verdict), byte(i.Severity), byte(i.Wish), i.Confidence, i.Rank, byte(i.TLP))
	for _, m := range [...]schema.Millis{i.ValidFrom, i.ValidUntil, i.Fresh} {
		dst = binary.AppendVarint(dst, int64(m))
	}
	dst = appendText(dst, i.Tenant)
	dst = binary.AppendUvarint(dst, uint64(len(i.Labels)))
	for _, l := range i.Labels {
		dst = appendText(dst, l)
	}
	dst = binary.AppendUvarint(dst, uint64(len(i.Threats)))
	for _, t := range i.Threats {
		dst = appendText(appendText(append(dst, byte(t.Kind)), t.ID), t.Name)
	}
	return dst
}

// scanner takes a payload apart. What is missing or too much makes it bad; it never
// panics.
type scanner struct {
	s   string
	bad bool
}

func (s *scanner) byte(limit int) byte {
	if len(s.s) == 0 || int(s.s[0]) >= limit {
		s.s, s.bad = "", true
		return 0
	}
	b := s.s[0]
	s.s = s.s[1:]
	return b
}

func (s *scanner) uvarint() (v uint64) {
	for n := 0; n < len(s.s) && n < binary.MaxVarintLen64; n++ {
		c := s.s[n]
		if c < 0x80 {
			if n == 9 && c > 1 || c == 0 && n > 0 { // too large, or not the shortest form
				break
			}
			s.s = s.s[n+1:]
			return v | uint64(c)<<(7*n)
		}
		v |= uint64(c&0x7f) << (7 * n)
	}
	s.s, s.bad = "", true
	return 0
}

func (s *scanner) millis() schema.Millis {
	u := s.uvarint()
	return schema.Millis(int64(u>>1) ^ -int64(u&1))
}

func (s *scanner) text() string {
	n := s.uvarint()
	if n > uint64(len(s.s)) {
		s.s, s.bad = "", true
		return ""
	}
	t := s.s[:n]
	s.s = s.s[n:]
	return t
}

// count reads how many things follow, each of which takes at least so many bytes.
func (s *scanner) count(size int) int {
	n := s.uvarint()
	if n > uint64(len(s.s)/size) {
		s.s, s.bad = "", true
		return 0
	}
	return int(n)
}

func (s *scanner) indicator(i *schema.Indicator) {
	flags := s.byte(4)
	i.Exact, i.Listed = flags&1 != 0, flags&2 != 0
	i.Verdict, i.Severity, i.Wish = schema.Verdict(s.byte(256)), schema.Severity(s.byte(256)), schema.Wish(s.byte(256))
	i.Confidence, i.Rank, i.TLP = s.byte(101), s.byte(256), schema.TLP(s.byte(256))
	i.ValidFrom, i.ValidUntil, i.Fresh = s.millis(), s.millis(), s.millis()
	i.Tenant = s.text()
	if n := s.count(1); n > 0 {
		i.Labels = make([]string, n)
		for k := range i.Labels {
			i.Labels[k] = s.text()
		}
	}
	if n := s.count(3); n > 0 {
		i.Threats = make([]schema.Threat, n)
		for k := range i.Threats {
			i.Threats[k] = schema.Threat{Kind: schema.ThreatKind(s.byte(256)), ID: s.text(), Name: s.text()}
		}
	}
}

// decodeStored reads a fact of a feed.
func decodeStored(feed string, key, payload []byte) (f stored, ok bool) {
	if f.Type, f.Value, f.ID, ok = splitKey(key); !ok {
		return f, false
	}
	s := scanner{s: string(payload)}
	f.End, f.Effect = end(s.byte(int(ends))), aside(s.byte(int(asides)))
	f.First, f.Seen, f.Ended, f.Version = s.millis(), s.millis(), s.millis(), s.millis()
	f.Aside = s.text()
	s.indicator(&f.Indicator)
	if s.s != "" {
		f.Changed = s.millis()
		s.bad = s.bad || f.Changed == 0
	}
	f.Feed, f.Revoked = feed, f.End == revoked
	return f, !s.bad && s.s == ""
}

// appendCurrent appends what is behind the key of an indicator in a .current file.
func appendCurrent(dst []byte, i *schema.Indicator, a aside) []byte {
	return appendIndicator(append(dst, byte(a)), i)
}

func decodeCurrent(feed string, key, payload []byte) (i schema.Indicator, a aside, ok bool) {
	if i.Type, i.Value, i.ID, ok = splitKey(key); !ok {
		return i, a, false
	}
	s := scanner{s: string(payload)}
	a = aside(s.byte(int(asides)))
	s.indicator(&i)
	i.Feed = feed
	return i, a, !s.bad && s.s == ""
}
