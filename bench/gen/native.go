package gen

import "strconv"

// nativeIDs are the identities that vendors give to the company itself. They
// derive from the seed and never from Config.Tenant.
type nativeIDs struct {
	azureTenant uint64
	awsAccount  string
	detector    uint64
}

func newNativeIDs(seed uint64) nativeIDs {
	return nativeIDs{
		azureTenant: mix(seed, 0x617a),
		awsAccount:  strconv.FormatUint(100_000_000_000+mix(seed, 0x6177)%900_000_000_000, 10),
		detector:    mix(seed, 0x6774),
	}
}

// Vendors' ids of hosts and accounts: any number of digits, stable per object.
func (w *World) hostID(i int32) uint64 { return mix(w.ids.azureTenant, uint64(i)) }
func (w *World) userID(i int32) uint64 { return mix(w.ids.azureTenant^0x75, uint64(i)) }

func (w *World) sid(e *enc, k string, user int32) {
	a := &w.accounts.list[user]
	if user == w.accounts.system {
		e.str(k, "S-1-5-18")
		return
	}
	e.begin(k)
	e.b = append(e.b, "S-1-5-21"...)
	for _, part := range w.accounts.domain {
		e.b = append(e.b, '-')
		e.b = strconv.AppendUint(e.b, uint64(part), 10)
	}
	e.b = append(e.b, '-')
	e.b = strconv.AppendUint(e.b, uint64(a.sid), 10)
	e.finish()
}

// domainOf is the logon domain of an account.
func (w *World) domainOf(user int32) string {
	if user == w.accounts.system {
		return "NT AUTHORITY"
	}
	return "CORP"
}

// imageHash numbers the file behind a program name: the same everywhere.
func imageHash(image string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(image) {
		h = (h ^ uint64(image[i])) * 1099511628211
	}
	return h
}

var countries = [...]struct{ code, name, city string }{
	{"DE", "Germany", "Frankfurt am Main"}, {"US", "United States", "Ashburn"}, {"NL", "Netherlands", "Amsterdam"},
	{"SG", "Singapore", "Singapore"}, {"BR", "Brazil", "Sao Paulo"}, {"SE", "Sweden", "Stockholm"},
}

// country places an address: the company's own are at home.
func country(a addr) (code, name, city string) {
	c := &countries[0]
	if a>>24 == 198 {
		c = &countries[mix(uint64(a), 3)%uint64(len(countries))]
	}
	return c.code, c.name, c.city
}
