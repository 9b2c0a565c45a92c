package gen

// kind says why an event exists; it is Truth.Kind.
type kind uint8

const (
	kindBackground kind = iota
	kindNoisyPair
	kindBurst
	kindCampaign
	kindTelemetry
)

var kindNames = [...]string{"background", "noisy_pair", "burst", "campaign", "telemetry"}

// event is one record before it becomes text. Indexes are -1 for none.
type event struct {
	at       int64  // when it happened, Unix ns
	created  int64  // when the vendor made the record, Unix ns
	id       uint64 // unique; every vendor id derives from it
	hash     uint64
	host     int32
	peer     int32
	user     int32
	campaign int32
	burst    int32
	remote   addr
	domain   uint32
	rule     uint16
	carries  has // the rule's entities, less those lost
	kind     kind
	nat      bool // seen outside the NAT
}

func (w *World) rule(ev *event) *rule { return &w.catalog.rules[ev.rule] }

// blank returns an event of a rule, with no entity yet.
func (w *World) blank(rule uint16, at int64) event {
	return event{
		at: at, rule: rule, carries: w.catalog.rules[rule].has,
		host: -1, peer: -1, user: -1, campaign: -1, burst: -1,
	}
}

const (
	second = int64(1_000_000_000)
	minute = 60 * second
	hour   = 60 * minute
)

// complete sets what depends on the sensor: the delay between the act and the
// vendor's record, the side of the NAT, and the entities that were lost.
func (w *World) complete(r *rng, ev *event, loss float64) {
	ru := w.rule(ev)
	// Times keep what the vendor's text can say, so that Truth and record agree.
	unit := second / 1000
	if ru.source == suricata {
		unit = second / 1_000_000
	}
	ev.at -= ev.at % unit
	ev.created = ev.at
	switch ru.source {
	case defender:
		ev.created += 10*second + r.int64N(110_000)*unit
	case guardDuty:
		ev.created += 3*minute + r.int64N(540_000)*unit
	case edr:
		ev.created += second + r.int64N(14_000)*unit
	}
	if ru.source == suricata && ev.remote != 0 && ev.carries&inbound == 0 && w.fleet.hosts[ev.host].class == Workstation {
		ev.nat = r.chance(w.cfg.NATShare)
	}
	if ev.kind == kindTelemetry {
		return
	}
	full := ev.carries
	for _, bit := range [...]has{hasHost, hasUser, hasFile, hasRemote, hasDomain, hasPeer, hasBucket} {
		if ev.carries&bit != 0 && bit&mandatory(ru) == 0 && r.chance(loss) {
			ev.carries &^= bit
		}
	}
	if ev.carries&(hasHost|hasUser|hasFile|hasRemote|hasDomain|hasPeer) == 0 {
		ev.carries = full // an alert about nothing would never have been sent
	}
}

// mandatory lists the entities without which a vendor's record would not be valid.
func mandatory(ru *rule) has {
	switch ru.source {
	case suricata:
		return hasHost | hasRemote | hasPeer
	case okta:
		return hasUser
	case guardDuty:
		if ru.has&hasUser != 0 {
			return hasUser
		}
		return hasHost
	default:
		return 0
	}
}
