package library

import (
	"fmt"

	"github.com/interdict/interdict/intel/fact"
)

// lost are tables of the generation before that are not built upon.
type lost struct{ facts, current, objects bool }

// lose reports that an error is damage of a table of before that the generation can be
// made without: the indicators follow from the facts, and a pull of the whole feed
// says all there is.
func (im *Import) lose(err error) bool {
	d, ok := damageOf(im.feed.Name, err)
	if !ok || im.old == nil {
		return false
	}
	whole := im.mode == fact.Replace && !im.renew
	for _, t := range [...]struct {
		number uint64
		kind   string
		lost   *bool
		may    bool
	}{{im.old.Current, "current", &im.without.current, true}, {im.old.Facts, "facts", &im.without.facts, whole}, {im.old.Facts, "objects", &im.without.objects, whole}} {
		if t.number > 0 && d.File == generationFile(im.dir, t.number, t.kind) && !*t.lost && t.may {
			*t.lost = true
			return true
		}
	}
	return false
}

// hopeless says what helps where a pull cannot be built upon what is stored.
func (im *Import) hopeless(err error) error {
	if _, ok := damageOf(im.feed.Name, err); !ok {
		return err
	}
	return fmt.Errorf("%w; a pull of the whole feed, or intel import of all of it, brings it back, and interdict intel rm %s begins anew", err, im.feed.Name)
}
