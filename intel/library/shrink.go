package library

import (
	"fmt"
	"time"

	"github.com/interdict/interdict/intel/fact"
)

const (
	// shrinkHold is how long pulls must go on lacking most of a feed until they are
	// believed.
	shrinkHold = 24 * time.Hour
	// shrinkFrom is the size from which a feed is watched for that.
	shrinkFrom = 100
)

// shrunk reports a pull of a whole feed that lacks more of it than the feed's
// MaxShrink: a list that its server cut short is whole as far as anybody can tell.
// What a folder or an import has somebody here put there, and is believed.
func (im *Import) shrunk(next *state) error {
	switch im.feed.Transport {
	case fact.TransportHTTP, fact.TransportTAXII, fact.TransportMISP:
	default:
		return nil
	}
	old, most := im.old, int(im.feed.MaxShrink)
	if old == nil || im.renew || im.mode != fact.Replace || most == 0 || old.Settings != next.Settings || old.Standing.Indicators < shrinkFrom {
		return nil
	}
	now, before := im.report.Indicators+im.report.Expired, old.Standing.Indicators
	if 100*now >= before*(100-most) {
		return nil
	}
	since := old.Shrunk
	if since == 0 || since > im.now { // the first, or the clock was set back
		since = im.now
		noted := *old
		noted.Shrunk = since
		if err := im.l.writeState(&noted); err != nil {
			return err
		}
	}
	if im.now >= since+spanMillis(shrinkHold) {
		return nil
	}
	return fmt.Errorf("%d indicators where there were %d: more than %d %% (max_shrink) gone at once; what is stored stays, unless pulls go on saying so until %s; to take it now: interdict intel pull --accept-shrink %s",
		now, before, most, since+spanMillis(shrinkHold), im.feed.Name)
}
