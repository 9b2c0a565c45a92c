package schema

import "strings"

// place is the attribute of OCSF's evidences object that an entity goes to.
type place uint8

const (
	placeNone place = iota // a sensor is no evidence: it is one of metadata.loggers
	placeActor
	placeUser
	placeDevice
	placeSource
	placeDestination
	placeURL
	placeFile
	placeProcess
	placeEmail
	placeResource // whatever has no attribute of its own, or no direction
	places
)

// place says where an entity goes by what it is and the part it plays.
func (e *Entity) place() place {
	from := e.Role == RoleActor || e.Role == RoleSource
	to := e.Role == RoleTarget || e.Role == RoleC2
	switch {
	case e.Role == RoleSensor:
		return placeNone
	case e.Type == EntityURL:
		return placeURL
	case e.Type == EntityFile || e.Type == EntityFileHash:
		return placeFile
	case e.Type == EntityProcess:
		return placeProcess
	case e.Type == EntityMailbox && (from || to):
		return placeEmail
	case e.Type == EntityUser || e.Type == EntitySession || e.Type == EntityApplication:
		if from {
			return placeActor
		}
		if e.Type == EntityUser {
			return placeUser
		}
	case e.Type == EntityHost && !from && e.Role != RoleC2:
		return placeDevice
	case e.Type == EntityHost || e.Type == EntityIP || e.Type == EntityDomain:
		if from {
			return placeSource
		}
		if to {
			return placeDestination
		}
	}
	return placeResource
}

// evidences writes the first entity of each place as one evidence, which is
// what an alert about one activity comes down to, and every other entity as an
// evidence of its own.
func (w *jsonWriter) evidences(entities []Entity) {
	var firsts [places]*Entity
	any := false
	for i := range entities {
		e := &entities[i]
		if p := e.place(); p != placeNone && firsts[p] == nil {
			firsts[p], any = e, true
		}
	}
	if !any {
		return
	}
	w.array("evidences")
	w.element()
	for _, e := range firsts {
		if e != nil {
			w.evidence(e)
		}
	}
	w.end('}')
	for i := range entities {
		e := &entities[i]
		if p := e.place(); p != placeNone && firsts[p] != e {
			w.element()
			w.evidence(e)
			w.end('}')
		}
	}
	w.end(']')
}

func (w *jsonWriter) evidence(e *Entity) {
	switch e.place() {
	case placeActor:
		w.object("actor")
		switch e.Type {
		case EntitySession:
			w.object("session")
			w.str("uid", e.Key)
			w.end('}')
		case EntityApplication:
			w.str("app_name", firstOf(e.Name, e.Key))
			w.str("app_uid", e.UID)
		default:
			w.user(e)
		}
		w.end('}')
	case placeUser:
		w.user(e)
	case placeDevice:
		w.device(e)
	case placeSource:
		w.endpoint("src_endpoint", e)
	case placeDestination:
		w.endpoint("dst_endpoint", e)
	case placeURL:
		w.object("url")
		w.str("url_string", e.Key)
		w.end('}')
	case placeFile:
		w.file(e)
	case placeProcess:
		w.object("process")
		w.str("name", e.Name)
		w.str("uid", firstOf(e.UID, e.Key))
		w.end('}')
	case placeEmail:
		w.object("email")
		if e.Role == RoleActor || e.Role == RoleSource {
			w.str("from", e.Key)
		} else {
			w.array("to")
			w.text(e.Key)
			w.end(']')
		}
		w.end('}')
	case placeResource:
		// With the schema's Windows extension resources alone are no evidence; data is.
		w.object("data")
		w.str("type", e.Type.String())
		w.end('}')
		w.array("resources")
		w.resource(e)
		w.end(']')
		w.client(e)
	}
}

// client writes what a client shows of itself into the attribute that the schema
// has for it, besides the resource.
func (w *jsonWriter) client(e *Entity) {
	if e.Type == EntityUserAgent {
		w.object("http_request")
		w.str("user_agent", e.Key)
		w.end('}')
	}
	if v, ok := strings.CutPrefix(e.Key, "ja4:"); ok && e.Type == EntityTLSFingerprint {
		w.array("ja4_fingerprint_list")
		w.element()
		w.num("type_id", 1) // JA4
		w.str("value", v)
		w.end('}')
		w.end(']')
	}
}

func (w *jsonWriter) user(e *Entity) {
	w.object("user")
	w.str("name", firstOf(e.Name, e.Key))
	w.str("uid", e.UID)
	w.end('}')
}

func (w *jsonWriter) device(e *Entity) {
	w.object("device")
	w.num("type_id", 0) // unknown
	w.str("hostname", e.Key)
	w.str("name", e.Name)
	w.str("uid", e.UID)
	w.end('}')
}

func (w *jsonWriter) endpoint(k string, e *Entity) {
	w.object(k)
	switch e.Type {
	case EntityIP:
		w.str("ip", e.Key)
	case EntityDomain:
		w.str("domain", e.Key)
	default:
		w.str("hostname", e.Key)
	}
	w.numIf("port", int64(e.Port))
	w.str("name", e.Name)
	w.str("uid", e.UID)
	w.end('}')
}

func (w *jsonWriter) file(e *Entity) {
	w.object("file")
	w.num("type_id", 0) // unknown
	if e.Type == EntityFileHash {
		w.str("name", firstOf(e.Name, e.Key)) // required, so a hash stands for a name that was not told
		w.array("hashes")
		w.element()
		w.num("algorithm_id", hashAlgorithm(e.Key))
		w.str("value", e.Key)
		w.end('}')
		w.end(']')
	} else {
		w.str("name", firstOf(baseName(firstOf(e.Name, e.Key)), e.Key))
		if strings.ContainsAny(e.Key, `/\`) {
			w.str("path", e.Key)
		}
	}
	w.str("uid", e.UID)
	w.end('}')
}

// hashAlgorithm gives OCSF's algorithm_id by the length of a hex digest.
func hashAlgorithm(digest string) int64 {
	switch len(digest) {
	case 32:
		return 1 // MD5
	case 40:
		return 2 // SHA-1
	case 64:
		return 3 // SHA-256
	case 128:
		return 4 // SHA-512
	}
	return 0
}

// baseName cuts the folders off a path of any system.
func baseName(path string) string { return path[strings.LastIndexAny(path, `/\`)+1:] }

// resource writes one element of a list of resource_details.
func (w *jsonWriter) resource(e *Entity) {
	w.element()
	w.str("type", e.Type.String())
	w.str("name", firstOf(e.Name, e.Key))
	w.str("uid", firstOf(e.UID, e.Key))
	switch e.Type {
	case EntityIP:
		w.str("ip", e.Key)
	case EntityHost, EntityDomain:
		w.str("hostname", e.Key)
	}
	switch e.Role {
	case RoleTarget:
		w.num("role_id", 1)
	case RoleActor:
		w.num("role_id", 2)
	case RoleRelated:
		w.num("role_id", 4)
	}
	w.end('}')
}

// observables writes the canonical key of every entity, whatever its place: what
// to search for.
func (w *jsonWriter) observables(entities []Entity) {
	if len(entities) == 0 {
		return
	}
	w.array("observables")
	for i := range entities {
		e := &entities[i]
		w.observable(e.Ref(), e.pointer())
	}
	w.end(']')
}

func (w *jsonWriter) observable(r EntityRef, pointer string) {
	w.element()
	w.str("name", pointer)
	id := r.observableType()
	w.num("type_id", id)
	if id == 99 { // other
		w.str("type", r.Type.String())
	}
	w.key("value")
	w.text(r.Key)
	w.end('}')
}

// observableType gives OCSF's type_id of observables.
func (r EntityRef) observableType() int64 {
	switch r.Type {
	case EntityHost, EntityDomain:
		return 1 // hostname
	case EntityIP:
		return 2
	case EntityUser:
		return 4 // user name
	case EntityMailbox:
		return 5 // email address
	case EntityURL:
		return 6
	case EntityFileHash:
		return 8
	case EntityFile:
		if strings.ContainsAny(r.Key, `/\`) {
			return 45 // file path
		}
		return 7 // file name
	case EntityCloudResource:
		return 10 // resource uid
	case EntityMessage:
		return 42 // message uid
	case EntityUserAgent:
		return 16
	case EntityCertificate, EntityTLSFingerprint:
		return 30 // fingerprint
	}
	return 99
}

// pointer names the attribute of the event that an entity's observable is about.
func (e *Entity) pointer() string {
	switch e.place() {
	case placeNone:
		return "metadata.loggers[].name"
	case placeActor:
		switch e.Type {
		case EntitySession:
			return "evidences[].actor.session.uid"
		case EntityApplication:
			return "evidences[].actor.app_name"
		}
		return "evidences[].actor.user.name"
	case placeUser:
		return "evidences[].user.name"
	case placeDevice:
		return "evidences[].device.hostname"
	case placeSource:
		return endpointPointer(e.Type, "evidences[].src_endpoint.ip", "evidences[].src_endpoint.domain", "evidences[].src_endpoint.hostname")
	case placeDestination:
		return endpointPointer(e.Type, "evidences[].dst_endpoint.ip", "evidences[].dst_endpoint.domain", "evidences[].dst_endpoint.hostname")
	case placeURL:
		return "evidences[].url.url_string"
	case placeFile:
		if e.Type == EntityFileHash {
			return "evidences[].file.hashes[].value"
		}
		if strings.ContainsAny(e.Key, `/\`) {
			return "evidences[].file.path"
		}
		return "evidences[].file.name"
	case placeProcess:
		return "evidences[].process.uid"
	case placeEmail:
		if e.Role == RoleActor || e.Role == RoleSource {
			return "evidences[].email.from"
		}
		return "evidences[].email.to"
	}
	if e.Type == EntityUserAgent {
		return "evidences[].http_request.user_agent"
	}
	return "evidences[].resources[].uid"
}

func endpointPointer(t EntityType, ip, domain, hostname string) string {
	switch t {
	case EntityIP:
		return ip
	case EntityDomain:
		return domain
	}
	return hostname
}
