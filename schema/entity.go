package schema

import "strings"

// EntityType says what an entity is.
type EntityType uint8

// Entity types. The numbers are stored: append, never reorder.
const (
	EntityUnknown EntityType = iota
	EntityHost
	EntityUser
	EntityIP
	EntityDomain
	EntityURL
	EntityFileHash // key: lower-case hex digest
	EntityFile     // key: path or name
	EntityProcess  // key: host + process id or command line
	EntityMailbox  // key: address in lower case
	EntityMessage
	EntityCloudResource
	EntityCloudAccount
	EntityApplication
	EntityRegistryKey
	EntityContainer
	EntitySession
	EntityCertificate    // key: lower-case hex digest of an X.509 certificate
	EntityTLSFingerprint // key: "ja3:", "ja3s:" or "ja4:" and the fingerprint
	EntityUserAgent      // key: the header as sent
	EntityMutex          // key: the name as the system knows it
	entityTypes          // count
)

// String gives the stored lower-case name.
func (t EntityType) String() string {
	names := [...]string{"unknown", "host", "user", "ip", "domain", "url", "file_hash", "file", "process", "mailbox",
		"message", "cloud_resource", "cloud_account", "application", "registry_key", "container", "session",
		"certificate", "tls_fingerprint", "user_agent", "mutex"}
	if int(t) < len(names) {
		return names[t]
	}
	return "unknown"
}

// ParseEntityType reads the form that String writes.
func ParseEntityType(s string) (EntityType, bool) {
	for t := EntityUnknown; t < entityTypes; t++ {
		if t.String() == s {
			return t, true
		}
	}
	return EntityUnknown, false
}

// Role says what part an entity plays in an alert.
type Role uint8

// Roles. The numbers are stored: append, never reorder.
const (
	RoleRelated Role = iota
	RoleActor        // who did it
	RoleSource       // where it came from
	RoleTarget       // what it was done to, or where it went
	RoleSensor       // who reported it
	RoleC2           // a remote end under the attacker's control, as the vendor says
)

// String gives the stored lower-case name.
func (r Role) String() string {
	names := [...]string{"related", "actor", "source", "target", "sensor", "c2"}
	if int(r) < len(names) {
		return names[r]
	}
	return "related"
}

// Entity is one thing an alert speaks of, in canonical form. Key joins the same
// thing across vendors; UID is the vendor's stable name for it (device id, SID,
// object id) and becomes an alias.
type Entity struct {
	Type     EntityType
	Role     Role
	Attested bool   // the source is trusted for this field (Source.Attests)
	Key      string // canonical; never empty
	UID      string // vendor's stable id, may be empty
	Name     string // as the vendor wrote it, for people; may be empty
	Port     uint16 // of an address or name, as far as the alert says; zero: not said
}

// EntityRef names an entity without its role.
type EntityRef struct {
	Type EntityType `json:"type"`
	Key  string     `json:"key,omitzero"`
}

// Ref drops what an alert says of the entity and keeps its name.
func (e Entity) Ref() EntityRef { return EntityRef{e.Type, e.Key} }

// IsZero reports an unset reference.
func (r EntityRef) IsZero() bool { return r.Type == EntityUnknown && r.Key == "" }

// String gives "type:key".
func (r EntityRef) String() string { return r.Type.String() + ":" + r.Key }

// UID is the stable id of the entity within a tenant.
func (r EntityRef) UID(tenant string) ID {
	return derive("entity", tenant, r.Type.String(), r.Key)
}

// EntityAlias says that another key means the same entity for a while (DHCP,
// rename, SID to UPN). A correlation key is not an entity id.
type EntityAlias struct {
	Tenant    string    `json:"tenant,omitzero"`
	Entity    EntityRef `json:"entity,omitzero"`
	Alias     EntityRef `json:"alias,omitzero"`
	Source    string    `json:"source,omitzero"`
	ValidFrom Millis    `json:"valid_from,omitzero"`
	ValidTo   Millis    `json:"valid_to,omitzero"` // zero: still valid
}

// Observable gives the part of an entity that an indicator may name.
func (e Entity) Observable() (o Observable, ok bool) {
	switch e.Type {
	case EntityIP:
		return Observable{ObservableIP, e.Key}, true
	case EntityDomain:
		return Observable{ObservableDomain, e.Key}, true
	case EntityURL:
		return Observable{ObservableURL, e.Key}, true
	case EntityFileHash:
		return Observable{ObservableHash, e.Key}, true
	case EntityMailbox:
		return Observable{ObservableEmail, e.Key}, true
	case EntityCertificate:
		return Observable{ObservableCertificate, e.Key}, true
	case EntityUserAgent:
		return Observable{ObservableUserAgent, e.Key}, true
	case EntityMutex:
		return Observable{ObservableMutex, e.Key}, true
	case EntityRegistryKey:
		return Observable{ObservableRegistry, e.Key}, true
	case EntityTLSFingerprint:
		kind, value, _ := strings.Cut(e.Key, ":")
		switch kind {
		case "ja3":
			return Observable{ObservableJA3, value}, true
		case "ja3s":
			return Observable{ObservableJA3S, value}, true
		case "ja4":
			return Observable{ObservableJA4, value}, true
		}
	}
	return o, false
}
