package schema

// Raw is one record as a sensor wrote it. Value is never modified.
type Raw struct {
	Source    *Source
	Value     []byte
	Time      Millis // the record's Kafka timestamp; zero in replay: the clock is the input's
	Received  Millis // where Time is zero: when the file was last written, for documents that have no time at all
	Topic     string
	Partition int32
	Offset    int64
}

// Batch is the work of one lane between two commits, and its result. Each stage
// reads the nouns of the stages before it and appends its own. Strings and
// slices may alias input buffers and the batch's own memory: they are valid until
// Reset. What must live longer is cloned (Alert.Clone).
type Batch struct {
	Now      Millis // time of the log, or of the input in replay; never a worker's clock
	Position uint64 // position in the log of the last entry; grows; version of what is emitted

	Raw     []Raw   // hop 1 input
	Alerts  []Alert // normalize fills, match adds Matches; hop 2 input
	Control []Control
	Retro   []RetroMatch // hop 2 input

	Rejects []Reject // to the dead letter
	Drops   []Drop

	Incidents []Incident // correlate
	Members   []Member
	Paths     []Path
	Links     []Link

	Decisions []Decision // disrupt
	Leases    []Lease
	Actions   []Action
	Results   []ActionResult // respond
	Ledger    []LedgerEvent
}

// Reset empties the batch and keeps its memory. Everything it held is invalid
// afterwards, except what was cloned. Alerts keep the capacity of their slices.
func (b *Batch) Reset() {
	b.Now, b.Position = 0, 0
	b.Raw = clearSlice(b.Raw)
	b.Alerts = b.Alerts[:0] // NextAlert clears each on reuse and keeps its slices
	b.Control = clearSlice(b.Control)
	b.Retro = clearSlice(b.Retro)
	b.Rejects = clearSlice(b.Rejects)
	b.Drops = clearSlice(b.Drops)
	b.Incidents = clearSlice(b.Incidents)
	b.Members = clearSlice(b.Members)
	b.Paths = clearSlice(b.Paths)
	b.Links = clearSlice(b.Links)
	b.Decisions = clearSlice(b.Decisions)
	b.Leases = clearSlice(b.Leases)
	b.Actions = clearSlice(b.Actions)
	b.Results = clearSlice(b.Results)
	b.Ledger = clearSlice(b.Ledger)
}

func clearSlice[T any](s []T) []T {
	clear(s)
	return s[:0]
}

// NextAlert appends an empty alert and returns it, reusing the slices of an
// alert that stood there before Reset. The pointer is valid until the next call.
func (b *Batch) NextAlert() *Alert {
	n := len(b.Alerts)
	if n < cap(b.Alerts) {
		b.Alerts = b.Alerts[:n+1]
	} else {
		b.Alerts = append(b.Alerts, Alert{})
	}
	a := &b.Alerts[n]
	a.Reset()
	return a
}

// DropLastAlert takes back the alert that NextAlert gave.
func (b *Batch) DropLastAlert() { b.Alerts = b.Alerts[:len(b.Alerts)-1] }
