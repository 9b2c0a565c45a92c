package fetch

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/interdict/interdict/intel/fact"
)

const (
	// removedAtOnce is how many attributes a part takes back.
	removedAtOnce = 10_000
	// shrinkFrom is the number of attributes from which a feed is watched for losing
	// most of them at once.
	shrinkFrom = 100
)

// takeBack yields parts that say of attributes which no event has any more that there
// is nothing to them: they have neither type nor value, and a time that is newer than
// any. They are not said to be deleted, which would hold them back if their event
// comes again as it was. A feed that loses more than its MaxShrink is rather a folder
// that is being written anew: its attributes stay until the next whole pull, for which
// the library has its own watch.
func (e *events) takeBack(ctx context.Context) error {
	p := e.p
	list := e.has.lack(e.gone)
	before, most := 0, int(p.f.MaxShrink)
	for _, uuids := range p.old.Members {
		before += len(uuids) / uuidBytes
	}
	if most > 0 && before >= shrinkFrom && 100*len(list) > before*most {
		p.skip("removal", fmt.Errorf("%d of %d attributes are gone at once, more than %d %% (max_shrink): they stay until a whole pull says so", len(list), before, most))
		return nil
	}
	// A day ahead, since clocks of who sets an attribute's time differ.
	at := p.c.cfg.Now().Add(24 * time.Hour).Unix()
	for len(list) > 0 {
		n := min(len(list), removedAtOnce)
		b, err := open(ctx, removal(list[:n], at), false, true, newBudget(math.MaxInt64, "a removal"))
		if err != nil {
			return err
		}
		if err := p.part(fact.Part{Name: "removal", Format: fact.FormatMISP}, b); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

// removal writes attributes as MISP's searches give them, without what they were.
func removal(list [][uuidBytes]byte, at int64) io.Reader {
	var text strings.Builder
	for i, u := range list {
		if i > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, `{"uuid":%q,"type":"","value":"","to_ids":false,"timestamp":"%d"}`, uuid.UUID(u), at)
	}
	return strings.NewReader(`{"response":{"Attribute":[` + text.String() + `]}}`)
}
