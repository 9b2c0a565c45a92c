// Package gen makes days in an enterprise: seeded, reproducible streams of
// security alerts in the formats their vendors really send, with attack
// campaigns hidden in the noise and the truth about every record kept apart.
//
// It owns the enterprise (hosts, accounts, DHCP leases, NAT, shared servers),
// the rule catalogs of five sensor families, the campaign templates and the
// five vendor encoders. It must not know how the product reads, correlates or
// scores any of this: it imports no package of this module, so that a mistake
// shared by generator and pipeline cannot hide itself.
//
// A world is a pure function of its Config. Tenant is the one field that never
// reaches a record: two configs that differ only in Tenant give the same bytes,
// which is what the cross-tenant tests need. Only integer arithmetic and single
// IEEE operations are used, so the bytes are the same on every platform.
//
// All events are planned in memory when the world is made (about 100 bytes
// each) and rendered one by one in Records. For endless input, see Suricata.
package gen
