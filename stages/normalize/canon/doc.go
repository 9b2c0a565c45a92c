// Package canon knows the forms that values take: the canonical keys under which
// the same thing is the same bytes whoever reports it, the ways in which vendors
// write times and severities, and the names of ATT&CK. Everything here is a
// function of its text; what must be made is made in an arena. It must not know
// documents or formats.
//
// Canonical keys:
//
//	host     first label of the name in lower case. Sensors disagree on whether
//	         they know the domain, so the domain cannot be part of the key; the
//	         full name stays in Entity.Name. Two hosts of one tenant that differ
//	         in the domain only share a key.
//	user     account name in lower case: what is left of DOMAIN\alice and
//	         alice@corp.example. The SID, object id or UPN is Entity.UID, and the
//	         key only where there is no name. Two directories of one tenant share
//	         keys in the same way. A machine's account keeps its $.
//	ip       netip text; IPv4 in IPv6 as IPv4, no zone, no port. Addresses that
//	         name no single machine (unspecified, loopback, multicast, IPv6
//	         link-local) are no entities.
//	domain   lower case, punycode, no final dot, no port; at least two labels, the
//	         last of which is no number.
//	url      scheme and host in lower case, no default port, no fragment; escapes
//	         in upper case, and only where they are needed. Dot segments stay: they
//	         are what some attacks consist of.
//	hash     lower-case hex of MD5, SHA-1 or SHA-256; not that of nothing.
//	mailbox  lower case, the domain as above.
//	file     path or name; in lower case and with backslashes where it is a
//	         Windows path.
//	resource cloud resource id; see Resource.
//	mac      six bytes in lower-case hex with colons.
//	registry path in lower case below the hive's full name.
//	certificate lower-case hex of its MD5, SHA-1 or SHA-256 fingerprint.
//	ja3, ja4 fingerprint of a TLS hello in lower case.
//	user_agent the header as sent, at most 1024 bytes, no control characters.
//	mutex    name as written, bounded like a user agent, without the directory of
//	         the session's objects.
//
// Each function gives "" for what is no such thing, and a key for the key itself.
package canon
