// Package correlate groups alerts into incidents by the evidence ladder of
// docs/correlation.md: five nested levels of links, each a grow-only union of
// components; an alert's incident is its component at the loosest level that is
// not too heavy. Nothing depends on the order of arrival: the result is a
// function of the set of on-time alerts.
//
// It owns the links, components, incident ids, reasons, heads and realized
// paths of one virtual shard, by tenant; tenants share nothing. It must not know
// Kafka, ClickHouse, other shards, or what is done about an incident.
//
// How: an observation's keys join segments, runs of one key that are connected
// by themselves (segment.go); segments hold components of a union-find whose
// nodes are counted, so that old alerts leave while a component lives on
// (component.go); a component that goes over its cap sends its alerts to the
// next level, at most once each; at the end of a batch the components of
// changed alerts are turned into rows and heads (resolve.go, reason.go,
// nearest.go, incident.go, path.go), from their alerts alone. Records live in
// arenas without pointers, changed in place, with an undo journal (arena.go,
// blob.go); the small slices of what is emitted are cut from chunks (slab.go).
//
// There are two planes. The correlation plane is the above and knows no people.
// The case plane (case.go) is an overlay: an incident that a person used keeps
// its alerts, whatever correlation finds later. Reason and level of a row are
// always the correlation plane's; only the incident it is shown in is the
// overlay's. The order guarantee is for the correlation plane.
package correlate
