package parse

import (
	"errors"
	"strings"

	"github.com/interdict/interdict/schema"
)

// Reasons of directives.
var (
	errForward   = errors.New("a zone that is answered or forwarded, not blocked")
	errCondition = errors.New("a rule with conditions besides an address: it says more than the address")
	errBlocksNot = errors.New("a rule that blocks nobody")
)

// directive takes what a line of a resolver's, firewall's or web server's settings
// blocks: dnsmasq, unbound, BIND, iptables and ipset, pf, nginx, Apache, Cisco IOS,
// RouterOS. ok is false for lines of other kinds.
func (r *reader) directive(n int, line string) (ok bool, err error) {
	first, rest, _ := strings.Cut(line, " ")
	if i := strings.IndexByte(first, '\t'); i >= 0 {
		first, rest = line[:i], line[i+1:]
	}
	rest = strings.TrimLeft(rest, " \t")
	if name, names, ok := strings.Cut(first, "=/"); ok {
		switch name {
		case "address", "server", "local":
			return true, r.dnsmasq(n, name, names)
		}
		return false, nil
	}
	words := strings.Fields(rest)
	switch word := strings.ToLower(first); word {
	case "server:", "$ttl", "$origin":
		return true, nil // the frame of such files
	case "@", "in", "ns":
		if len(words) > 0 {
			switch strings.ToUpper(words[0]) {
			case "IN", "SOA", "NS", "LOCALHOST.":
				return true, nil
			}
		}
		return false, nil
	case "local-zone:":
		return true, r.localZone(n, rest)
	case "local-data:":
		name, record, _ := strings.Cut(strings.Trim(rest, `"'`), " ")
		if answer := strings.Fields(record); len(answer) == 0 || !isSink(answer[len(answer)-1]) {
			return true, r.refuse(n, name, errForward)
		}
		return true, r.value(n, name, "")
	case "zone":
		return r.bindZone(n, rest)
	case "iptables", "ip6tables", "-a", "-i":
		return r.iptables(n, words)
	case "ipset":
		if len(words) > 2 && (words[0] == "add" || words[0] == "-A") {
			return true, r.value(n, words[2], "")
		}
		return words != nil, nil // create, flush, ...
	case "add", "/ip":
		return r.added(n, words)
	case "create":
		return len(words) > 1 && strings.HasPrefix(words[1], "hash:"), nil
	case "deny", "access-list", "allow", "permit", "block", "ip", "require", "blackhole":
		return r.access(n, word, words)
	}
	return false, nil
}

// dnsmasq takes the names of "address=/a/b/target" and "server=/a/": what is
// answered with nothing, or with no address at all.
func (r *reader) dnsmasq(n int, word, text string) error {
	names := strings.Split(text, "/")
	target := names[len(names)-1]
	if blocked := target == "" || word == "address" && (target == "#" || isSink(target)); !blocked {
		return r.refuse(n, text, errForward)
	}
	for _, name := range names[:len(names)-1] {
		if err := r.value(n, name, ""); err != nil {
			return err
		}
	}
	return nil
}

// localZone takes unbound's zones that are blocked.
func (r *reader) localZone(n int, rest string) error {
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return r.refuse(n, rest, errEmpty)
	}
	name := strings.Trim(fields[0], `"'`)
	if len(fields) > 1 {
		switch strings.Trim(fields[1], `"'`) {
		case "always_null", "always_nxdomain", "always_nodata", "always_refuse", "always_deny", "static", "redirect", "refuse", "deny", "inform_deny", "inform_redirect":
			return r.value(n, name, "")
		}
	}
	return r.refuse(n, name, errForward)
}

// bindZone takes zones that a resolver answers itself.
func (r *reader) bindZone(n int, rest string) (bool, error) {
	name, body, ok := strings.Cut(rest, "{")
	if !ok {
		return false, nil
	}
	name, _, _ = strings.Cut(strings.TrimLeft(name, `"' `), `"`)
	name, _, _ = strings.Cut(name, " ")
	body = strings.Join(strings.Fields(body), " ")
	if !strings.Contains(body, "type master") && !strings.Contains(body, "type primary") {
		return true, r.refuse(n, name, errForward)
	}
	return true, r.value(n, name, "")
}

// iptables takes the address that a rule drops, where the rule says nothing else.
func (r *reader) iptables(n int, words []string) (bool, error) {
	address, target, more, removes := "", "", false, false
	for i := 0; i+1 < len(words); i++ {
		switch word, next := words[i], words[i+1]; word {
		case "-D", "--delete":
			removes = true
		case "-s", "-d", "--source", "--destination", "--src", "--dst":
			if next == "0.0.0.0/0" || next == "::/0" {
				continue
			}
			more = more || address != "" || i > 0 && words[i-1] == "!"
			address = next
		case "-j", "--jump", "-g":
			target = next
		case "-p", "--protocol":
			more = more || next != "all" && next != "ip"
		case "--dport", "--sport", "--dports", "--sports", "--string", "--match-set":
			more = true
		}
	}
	text := strings.Join(words, " ")
	switch {
	case target == "" && address == "":
		return false, nil
	case target == "ACCEPT" || target == "RETURN":
		return true, r.refuse(n, text, errPassed)
	case address == "" || removes || !isBlock(target):
		return true, r.refuse(n, text, errBlocksNot)
	case more:
		return true, r.refuse(n, text, errCondition)
	}
	return true, r.value(n, address, "")
}

// isBlock reports a target that lets nothing pass, or a chain that is named after it,
// such as LOGDROP. What others do, such as to translate addresses, says nothing against
// them.
func isBlock(target string) bool {
	target = strings.ToUpper(target)
	return strings.HasSuffix(target, "DROP") || strings.HasSuffix(target, "REJECT") || target == "TARPIT"
}

// added takes "add NAME VALUE" of ipset and "add list=NAME address=VALUE" of RouterOS.
func (r *reader) added(n int, words []string) (bool, error) {
	for _, w := range words {
		if v, ok := strings.CutPrefix(w, "address="); ok {
			return true, r.value(n, v, "")
		}
	}
	if len(words) == 2 || len(words) > 2 && (words[2] == "timeout" || words[2] == "comment") {
		return true, r.value(n, words[1], "")
	}
	return false, nil
}

// access takes the address of a rule that refuses it: "deny 203.0.113.7;", "Deny
// from ...", "Require not ip ...", "deny ip host ... any", "block drop from ... to
// any", "ip route ... 255.255.255.255 Null0".
func (r *reader) access(n int, word string, words []string) (bool, error) {
	text := word + " " + strings.Join(words, " ")
	denies, passes := word == "deny" || word == "block" || word == "blackhole", word == "allow" || word == "permit"
	var list []string
	several := word == "require"
	for i, w := range words {
		switch w = strings.ToLower(strings.TrimRight(w, ";")); w {
		case "deny", "null0", "not", "drop", "blackhole", "reject":
			denies = true
		case "permit":
			passes = true
		case "remark":
			return true, r.refuse(n, text, errBlocksNot)
		case "tcp", "udp", "icmp", "eq", "range", "port", "proto":
			return true, r.refuse(n, text, errCondition)
		case "from":
			several = several || i == 0
		default:
			if strings.IndexAny(w, ".:") < 0 { // a number or name of a list, a word
				continue
			}
			if p, ok := masked(last(list), w); ok {
				list[len(list)-1] = p
				continue
			}
			if o, err := Recognize(w); err != nil || o.Type != schema.ObservableIP && o.Type != schema.ObservableCIDR && !several {
				return false, nil
			}
			list = append(list, w)
		}
	}
	switch {
	case len(list) == 0, !passes && !denies:
		return false, nil
	case passes && !denies:
		return true, r.refuse(n, text, errPassed)
	case len(list) > 1 && !several:
		return true, r.refuse(n, text, errCondition)
	}
	for _, v := range list {
		if err := r.value(n, v, ""); err != nil {
			return true, err
		}
	}
	return true, nil
}

// last gives a list's last text, "" of an empty one.
func last(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[len(list)-1]
}
