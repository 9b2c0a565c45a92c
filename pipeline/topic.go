package pipeline

// Topic is one of Interdict's own topics; raw topics have names of their own.
type Topic uint8

// Topics, in the order of the data. Cleanup and keys: Topics.
const (
	TopicNone Topic = iota
	TopicAlerts
	TopicLinks
	TopicIncidents
	TopicMembers
	TopicPaths
	TopicLedger
	TopicDecisions
	TopicLeases
	TopicActions
	TopicResults
	TopicControl
	TopicAssets
	TopicIndicators
	TopicState
	TopicDeadLetter
	topicCount
)

// TopicSpec is what a topic must look like on the cluster.
type TopicSpec struct {
	Topic           Topic
	Suffix          string // the name is prefix + "." + Suffix
	Compact         bool
	Retention       int64 // milliseconds; -1: for ever
	Sharded         bool  // partition = shard table; the partition count must match the configuration
	MaxMessageBytes int64 // zero: the broker's default
	Key             string
	Holds           string
	// Single topics have exactly one partition, whatever the configuration says:
	// their records are one sequence.
	Single bool
}

const day = 24 * 60 * 60 * 1000

// Topics lists every topic of ours. See the table in docs/architecture.md.
func Topics() []TopicSpec {
	const large = 16 << 20
	return []TopicSpec{
		{TopicAlerts, "alerts", false, 7 * day, true, 4 << 20, "virtual shard", "alerts, watermarks, sequenced control: the log that hop 2 is a function of", false},
		{TopicLinks, "links", false, 7 * day, true, 0, "virtual shard", "messages between the shards of a giant tenant", false},
		{TopicIncidents, "incidents", true, -1, true, 0, "tenant + incident", "incident heads", false},
		{TopicMembers, "incident-members", true, -1, true, 0, "tenant + alert", "which incident an alert is in, and why", false},
		{TopicPaths, "paths", true, -1, true, 0, "tenant + path", "attack paths", false},
		{TopicLedger, "ledger", false, -1, true, 0, "tenant + object", "case, action and automation events", false},
		{TopicDecisions, "decisions", false, -1, true, 0, "tenant + target", "decisions: fired, vetoed, shadow", false},
		{TopicLeases, "leases", true, -1, true, 0, "tenant + target + action", "desired state of targets", false},
		{TopicActions, "actions", false, 7 * day, true, 0, "tenant + target", "signed commands", false},
		{TopicResults, "action-results", false, 7 * day, true, 0, "tenant + target", "receipts of executors", false},
		{TopicControl, "control", true, -1, false, 0, "tenant + kind + object", "kill switch, releases, verdicts, case events", false},
		{TopicAssets, "assets", true, -1, false, 0, "tenant + object", "inventory", false},
		{TopicIndicators, "indicators", false, 7 * day, false, 2 << 20, "-", "deltas and references to snapshots", true},
		{TopicState, "state", true, -1, true, 0, "lane, slot, chunk", "snapshots of hop 2", false},
		{TopicDeadLetter, "dead-letter", false, 30 * day, false, large, "tenant + source", "rejected bytes as received, with reason headers", false},
	}
}

// Spec gives the topic's specification.
func (t Topic) Spec() TopicSpec {
	for _, s := range Topics() {
		if s.Topic == t {
			return s
		}
	}
	panic("BUG: topic without a specification")
}

// Name gives the topic's name under a prefix, such as "interdict.alerts".
func (t Topic) Name(prefix string) string { return prefix + "." + t.Spec().Suffix }
