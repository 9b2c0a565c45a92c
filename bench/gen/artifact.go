package gen

import "strconv"

// Artifacts (addresses, domains, hashes, ids) are small numbers in events and
// become text only when a record is written, so that an event stays small.

// addr is an IPv4 address in host order; 0 means none.
type addr uint32

func appendIP(b []byte, a addr) []byte {
	b = strconv.AppendUint(b, uint64(a>>24), 10)
	b = append(b, '.')
	b = strconv.AppendUint(b, uint64(a>>16&255), 10)
	b = append(b, '.')
	b = strconv.AppendUint(b, uint64(a>>8&255), 10)
	b = append(b, '.')
	return strconv.AppendUint(b, uint64(a&255), 10)
}

func ipv4(a, b, c, d uint32) addr { return addr(a<<24 | b<<16 | c<<8 | d) }

// Outside addresses come from 198.18.0.0/15, which RFC 2544 sets aside, so that
// no record accuses anybody's real address. Indexes are scattered over the
// range: popular, hostile and rare ones are not told apart by their prefix.
const (
	popularIPs    = 200    // indexes [0, 200): content networks, seen by everybody
	hostileIPs    = 40_000 // indexes [200, 40,000): campaigns
	outsideIPBits = 17
)

func outsideIP(index int) addr {
	x := (uint32(index)*0x9e3b ^ 0x1a35b) % (1 << outsideIPBits) // odd factor: a bijection
	return ipv4(198, 18, 0, 0) + addr(x)
}

// Domain numbers: [1, 60] popular, from rareDomains rare ones of the noise, from
// hostileDomains the campaigns' own. 0 means none.
const (
	popularDomains = 60
	rareDomains    = 1_000
	hostileDomains = 1 << 24
	domainBits     = 28
)

var domainWords = [...]string{
	"amber", "birch", "cloud", "delta", "ember", "falcon", "garnet", "harbor",
	"iris", "juniper", "kite", "lumen", "maple", "north", "orbit", "pixel",
	"quartz", "river", "signal", "tundra", "umbra", "vector", "willow", "zephyr",
}

// appendDomain names domain d. The part after the dash is a bijection of d, so
// two numbers never share a name.
func appendDomain(b []byte, d uint32) []byte {
	x := uint64(d) * 0x5851f42d % (1 << domainBits)
	n := uint64(len(domainWords))
	b = append(b, domainWords[x%n]...)
	b = append(b, domainWords[x/n%n]...)
	b = append(b, '-')
	b = strconv.AppendUint(b, x, 36)
	if x/n/n%4 == 0 {
		return append(b, ".test"...)
	}
	return append(b, ".example"...)
}

// Hash numbers stand for file contents: the same number is the same file.
const popularHashes = 40

func appendHex(b []byte, id uint64, digits int) []byte {
	const hex = "0123456789abcdef"
	for word := uint64(0); digits > 0; word++ {
		v := mix(id, word+uint64(digits))
		for range min(16, digits) {
			b = append(b, hex[v&15])
			v >>= 4
		}
		digits -= min(16, digits)
	}
	return b
}

const (
	md5Digits    = 32
	sha1Digits   = 40
	sha256Digits = 64
)

// appendUUID writes a version 4 UUID derived from id.
func appendUUID(b []byte, id uint64) []byte {
	at := len(b)
	b = appendHex(b, id, 32)
	b = append(b, 0, 0, 0, 0)
	u := b[at:]
	copy(u[24:36], u[20:32])
	copy(u[19:23], u[16:20])
	copy(u[14:18], u[12:16])
	copy(u[9:13], u[8:12])
	u[8], u[13], u[18], u[23] = '-', '-', '-', '-'
	u[14], u[19] = '4', '8'
	return b
}

const base36 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

func appendBase36(b []byte, id uint64, digits int) []byte {
	for i := range digits {
		b = append(b, base36[mix(id, uint64(i))%36])
	}
	return b
}

var fileStems = [...]string{
	"update", "setup", "viewer", "report", "sync", "helper", "invoice", "agent",
	"driver", "service", "payload", "tool", "launcher", "export", "client", "notes",
}

// appendFileName names the file behind a hash number.
func appendFileName(b []byte, hash uint64) []byte {
	v := mix(hash, 77)
	b = append(b, fileStems[v%uint64(len(fileStems))]...)
	b = strconv.AppendUint(b, v>>8%100, 10)
	if v>>20%3 == 0 {
		return append(b, ".dll"...)
	}
	return append(b, ".exe"...)
}
