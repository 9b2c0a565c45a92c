package correlate

import (
	"github.com/interdict/interdict/schema"
)

// alertRec is an alert in memory. It stays until its incident closes.
type alertRec struct {
	id     schema.AlertID
	first  int64 // T: least time of its observations
	newest int64 // largest time of its observations
	row    row   // membership as last emitted

	obs   int32 // newest observation to arrive
	n     int32 // number of observations
	cur   int32 // observation that the alert is shown by: the latest revision
	own   int32 // the incident that has this alert's id for founder; 0: never shown
	shown int32 // alert that founded the incident it was last shown in; 0: none yet
	prev  int32 // previous in the list of its level 0 component

	queue, queuePrev int32 // neighbors in its bucket of the closing queue
	bucket           int32 // hour

	pin     int32 // alert whose incident a person has used and this one stays in; 0: none
	pinNext int32

	slot [levels]int32
	next [levels]int32 // circular list of the component's alerts

	news   uint64 // pass that found it changed or newly linked; not state
	top    int8   // highest level it takes part in: its incident's
	minSev schema.Severity
	retro  verdict // of indicators that came after it
	late   bool
	stale  bool // what its row shows of it has changed
}

func (a *alertRec) weight() uint32 {
	if a.minSev >= schema.SeverityHigh {
		return 0
	}
	return 1
}

// row is what a Member says, less the texts.
type row struct {
	dist   int64
	keyA   int32 // single key, or the first of a pair; 0: none
	keyB   int32
	peer   int32 // alert
	level  int8
	kind   schema.ReasonKind
	weight uint8
	late   bool
}

// obsRec is one observation. Blobs: keys (see obsKeys) and detail.
type obsRec struct {
	t       int64
	content uint64
	rev     uint64 // schema.Alert.RevisionOf
	keys    ref
	detail  ref
	alert   int32
	next    int32 // next observation of the same alert
	hold    int32 // next held observation of the same hour
	sev     schema.Severity
	held    bool // its single keys wait for their sealed degree

	// Of its blobs, so that a head seldom reads them.
	from, to int64  // activity
	flavor   uint64 // hash of source and techniques
	verdict  verdict
	contacts bool // its entities make a contact; see path.go
}

// content names one document of an alert.
type content struct {
	alert int32
	sum   uint64
}

// keyRec is a single key, or (b != 0) a pair of two.
type keyRec struct {
	hash   uint64 // of type and text; single keys
	text   ref    // the entity's key; single keys
	a, b   int32  // the pair's singles, a < b
	chain  int32  // next single key of the same hash
	refs   int32  // observations and pairs that use it; of a pair, zero: its segments keep it
	counts int32  // hourly counts, newest hour first
	degAt  int32  // hour whose degree is deg, if known
	segs   [levels]int32
	mark   uint64 // scratch of the pass that last looked at it; not state
	tally  int32
	last   int32
	deg    uint16
	known  bool
	typ    schema.EntityType
	class  class
}

// countRec counts on-time observations of a single key in an hour.
type countRec struct {
	hour int32
	n    uint32
	next int32
}

// segRec is a run of observations of a key at a level, alike in window, with no
// gap wider than it: all of one component.
type segRec struct {
	lo, hi int64
	window int32 // ms
	bucket int32 // hour of a single key's run, slice at level 4, else 0
	slot   int32
	next   int32 // the next older run
}

// slotRec is a node of a level's union-find. Alerts, segments and child slots
// count as references.
type slotRec struct {
	firstID schema.AlertID // founder: least (first, firstID)
	first   int64
	newest  int64
	weight  uint32
	parent  int32 // 0: root
	refs    int32
	list    int32  // an alert of the component; 0: not kept (over its cap, not level 0)
	pass    uint64 // scratch: the pass that last looked at it; not state
	level   int8
	over    bool // above the cap; for ever
}

// incRec is an incident id that was shown. It lives with its alert.
type incRec struct {
	id      schema.IncidentID
	head    uint64 // sum of the head last emitted
	path    uint64 // sum of the path last emitted; 0: none
	pins    int32  // first alert pinned to it
	touched bool
	live    bool // the head last emitted is no redirect
}

// tenant is all state of one tenant.
type tenant struct {
	name   string
	alerts arena[alertRec]
	obs    arena[obsRec]
	keys   arena[keyRec]
	counts arena[countRec]
	segs   arena[segRec]
	slots  arena[slotRec]
	incs   arena[incRec]
	blobs  blobs

	byID     index[schema.AlertID]
	byInc    index[schema.IncidentID] // alert that founded it
	contents index[content]           // observations of revised alerts
	singles  index[uint64]
	pairs    index[uint64]
	holds    index[int32]  // hour -> first held observation
	closing  index[int32]  // hour -> first alert to look at when the hour closes
	related  index[uint64] // pairs of used incidents that were kept apart, said once

	scalars
	saved scalars // at the last commit
	open  bool    // has changes since the last commit
	fresh bool    // made since the last commit

	// Work of the current batch; empty between calls.
	dirty []int32 // alerts whose component changed
	rise  []riser
	moved []int32 // alerts whose campaign has another founder now
	pass  uint64  // grows; marks what was looked at
}

type scalars struct {
	watermark schema.Millis
	cutoff    int32 // first hour that is not closed
	holdMin   int32 // no held observation is of an hour before it
	held      int32 // held observations
	closeMin  int32 // the same for the closing queue
	touched   int32 // incidents that a person has used
	born      bool  // has a watermark
}

const never = 1<<31 - 1 // hour of an empty queue

func newTenant(name string) *tenant {
	t := &tenant{name: name, alerts: newArena[alertRec](), obs: newArena[obsRec](), keys: newArena[keyRec](), counts: newArena[countRec](),
		segs: newArena[segRec](), slots: newArena[slotRec](), incs: newArena[incRec](), blobs: newBlobs(),
		contents: newIndex[content](), byID: newIndex[schema.AlertID](), byInc: newIndex[schema.IncidentID](), singles: newIndex[uint64](), pairs: newIndex[uint64](),
		holds: newIndex[int32](), closing: newIndex[int32](), related: newIndex[uint64]()}
	t.scalars = scalars{cutoff: -1 << 31, holdMin: never, closeMin: never}
	t.saved = t.scalars
	return t
}

func (t *tenant) commit() {
	t.alerts.commit()
	t.obs.commit()
	t.keys.commit()
	t.counts.commit()
	t.segs.commit()
	t.slots.commit()
	t.incs.commit()
	t.blobs.commit()
	t.byID.commit()
	t.byInc.commit()
	t.contents.commit()
	t.singles.commit()
	t.pairs.commit()
	t.holds.commit()
	t.closing.commit()
	t.related.commit()
	t.saved = t.scalars
	t.open, t.fresh = false, false
}

func (t *tenant) rollback() {
	t.alerts.rollback()
	t.obs.rollback()
	t.keys.rollback()
	t.counts.rollback()
	t.segs.rollback()
	t.slots.rollback()
	t.incs.rollback()
	t.blobs.rollback()
	t.byID.rollback()
	t.byInc.rollback()
	t.contents.rollback()
	t.singles.rollback()
	t.pairs.rollback()
	t.holds.rollback()
	t.closing.rollback()
	t.related.rollback()
	t.scalars = t.saved
	t.dirty, t.rise, t.moved = t.dirty[:0], t.rise[:0], t.moved[:0]
	t.open = false
}

// older orders alerts: by T, then id.
func (t *tenant) older(a, b int32) bool {
	x, y := t.alerts.at(a), t.alerts.at(b)
	if x.first != y.first {
		return x.first < y.first
	}
	return x.id.Compare(y.id) < 0
}
