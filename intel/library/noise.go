package library

import (
	"fmt"

	"github.com/interdict/interdict/intel/fact"
)

// noiseFrom is from how many texts on that are no value of any kind their share is
// asked for: real lists have a few, such as headings.
const noiseFrom = 20

// noise reports a pull that is rather an error page or a file of another kind than the
// feed, although a few words of it look like values: of a program, that names hosts,
// nearly nothing can be taken. What is no indicator but something that feeds say (an
// attribute for people, a pattern, a type that is not asked for) speaks for the feed.
func (im *Import) noise() error {
	n, most := im.report.Noise, int(im.feed.MaxRefused)
	if n == 0 || most == 0 || most == 100 || im.renew {
		return nil
	}
	all := im.read + im.report.Refused
	short := im.feed.Transport == fact.TransportHTTP && all <= noiseFrom && n > im.read && n > 1
	if !short && (n <= noiseFrom || 100*n <= most*all) {
		return nil
	}
	first := ""
	for _, r := range im.report.Refusals {
		if r.Noise {
			first = fmt.Sprintf(", the first %q", r.Value)
			break
		}
	}
	return fmt.Errorf("%d of %d texts are no value of any kind%s: this is rather an error page or another file than the feed; what is stored stays as it is (max_refused; --accept-refused takes it)", n, all, first)
}
