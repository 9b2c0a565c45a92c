package fetch

import (
	"encoding/json"
	"fmt"

	"github.com/interdict/interdict/intel/fact"
	"github.com/zeebo/xxh3"
)

const (
	stateVersion = 1
	largestState = 256 << 20
)

// state is what the next pull needs to know. It holds no URL, since that may have
// a key in it.
type state struct {
	Version int    `json:"v"`
	Place   string `json:"place"` // hash of where the feed is got

	ETag     string `json:"etag,omitempty"`     // of the body, or of a MISP manifest
	Modified string `json:"modified,omitempty"` // Last-Modified of the same

	Files map[string]mark `json:"files,omitempty"` // by name in the folder

	Collection string `json:"collection,omitempty"` // hash of the TAXII collection's URL
	After      string `json:"after,omitempty"`      // added_after of the next request
	Had        []byte `json:"had,omitempty"`        // hashes of objects that it may bring again, of eight bytes

	Events  map[string]int64  `json:"events,omitempty"`  // of a MISP feed: uuid -> timestamp, in seconds
	Members map[string][]byte `json:"members,omitempty"` // of these events: the uuids of their attributes, if known
}

// place names where a feed is got, for comparison only.
func place(f *fact.Feed) string {
	// Lengths keep the fields apart.
	return hashed(fmt.Sprintf("%s %d:%s %d:%s %s", f.Transport, len(f.URL), f.URL, len(f.File), f.File, f.Collection))
}

func hashed(text string) string {
	return fmt.Sprintf("%x", xxh3.HashString128(text).Bytes())
}

// decodeState gives a new state, and false, for one that is of another place or
// version, or damaged: then the feed is pulled whole, which is always right.
func decodeState(text []byte, of string) (state, bool) {
	fresh := state{Version: stateVersion, Place: of}
	if len(text) == 0 || len(text) > largestState {
		return fresh, false
	}
	var s state
	if err := json.Unmarshal(text, &s); err != nil || s.Version != stateVersion || s.Place != of {
		return fresh, false
	}
	s.ETag, s.Modified = validator(s.ETag), validator(s.Modified)
	if s.After != "" {
		if _, err := parseAdded(s.After); err != nil {
			return fresh, false
		}
	}
	if s.After == "" || len(s.Had)%8 != 0 || len(s.Had) > 8*maxHad {
		s.Had = nil
	}
	total := 0
	for _, uuids := range s.Members {
		total += len(uuids)
		if len(uuids)%uuidBytes != 0 || total > maxMembers*uuidBytes {
			s.Members = nil
			break
		}
	}
	return s, true
}

func (s state) encode() []byte {
	text, err := json.Marshal(s)
	if err != nil { // strings, integers and maps of them
		panic(fmt.Sprintf("fetch: encoding a state: %v", err))
	}
	return text
}

// validator gives an ETag or Last-Modified that can be sent back, else "".
func validator(text string) string {
	if len(text) > 1024 {
		return ""
	}
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= 0x7f {
			return ""
		}
	}
	return text
}
