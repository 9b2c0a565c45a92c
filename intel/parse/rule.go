package parse

import (
	"errors"
	"fmt"
	"strings"

	"github.com/interdict/interdict/schema"
)

// maxRule bounds the values that one rule of a sensor may name.
const maxRule = 10_000

var errContent = errors.New("a sensor's rule about what is in the traffic: only rules about addresses and certificates name values")

// rule takes the addresses of a rule of Snort or Suricata that is about nothing else,
// with the port of its end where it names one, and the fingerprint of a certificate.
// ok is false for lines of other kinds.
func (r *reader) rule(n int, line string) (ok bool, err error) {
	head, options, ok := strings.Cut(line, "(")
	if !ok || !strings.HasSuffix(strings.TrimRight(options, " \t"), ")") {
		return false, nil
	}
	// A list of addresses may have blanks in it.
	words := strings.Fields(strings.NewReplacer(", ", ",", "[ ", "[", " ]", "]").Replace(head))
	if len(words) != 7 || words[4] != "->" && words[4] != "<>" {
		return false, nil
	}
	switch words[0] {
	case "alert", "drop", "reject", "rejectsrc", "rejectdst", "rejectboth", "block", "sdrop":
	case "pass":
		return true, r.refuse(n, line, errPassed)
	default:
		return false, nil
	}
	certificate, content := ruleOptions(options)
	if certificate != "" && !content {
		o, err := Value(schema.ObservableCertificate, certificate)
		if err != nil {
			return true, r.refuse(n, certificate, err)
		}
		return true, r.observable(n, certificate, o, "")
	}
	if content {
		return true, r.refuse(n, line, errContent)
	}
	from, err1 := ruleList(words[2], words[3])
	to, err2 := ruleList(words[5], words[6])
	switch err := errors.Join(err1, err2); {
	case err != nil:
		return true, r.refuse(n, line, err)
	case (len(from) == 0) == (len(to) == 0):
		return true, r.refuse(n, line, errCondition)
	}
	for _, v := range append(from, to...) {
		if err := r.value(n, v, ""); err != nil {
			return true, err
		}
	}
	return true, nil
}

// ruleOptions tells whether a rule looks into traffic, and the certificate that it is
// about. What only describes the rule or says how often it fires is no condition.
func ruleOptions(text string) (certificate string, content bool) {
	for text != "" {
		end, quoted := 0, false
		for end < len(text) && (quoted || text[end] != ';') {
			switch text[end] {
			case '\\':
				end++
			case '"':
				quoted = !quoted
			}
			end++
		}
		option := text[:min(end, len(text))]
		text = text[min(end+1, len(text)):]
		name, value, _ := strings.Cut(option, ":")
		switch name = strings.TrimSpace(name); name {
		case "msg", "reference", "sid", "rev", "gid", "classtype", "priority", "metadata", "threshold", "detection_filter", "flags", "flow", "noalert", "target", "tag", "rem", ")", "":
		case "flowbits": // what other rules have seen is a condition, what this one sets is none
			content = content || strings.HasPrefix(strings.TrimSpace(value), "is")
		case "tls.fingerprint", "tls_fingerprint", "tls.cert_fingerprint":
			certificate = strings.Trim(strings.TrimSpace(value), `"`)
		default:
			content = true
		}
	}
	return certificate, content
}

// ruleList gives the addresses of one end of a rule, each with the end's ports where
// it names some; none for any address.
func ruleList(addresses, ports string) (list []string, err error) {
	if addresses == "any" || strings.HasPrefix(addresses, "$") {
		if ports != "any" { // one service of everybody's: less than the address at the other end
			return nil, errCondition
		}
		return nil, nil
	}
	if strings.ContainsAny(addresses+ports, "!:$") && !strings.Contains(addresses, "::") || strings.Contains(addresses, "!") {
		return nil, errCondition
	}
	for a := range strings.SplitSeq(strings.Trim(addresses, "[]"), ",") {
		for p := range strings.SplitSeq(strings.Trim(ports, "[]"), ",") {
			v := a
			switch {
			case p == "any":
			case isPrefix(a) && !strings.HasSuffix(a, "/32"):
				return nil, errCondition // a network with a port is no value
			case strings.IndexByte(a, ':') >= 0:
				v = "[" + a + "]:" + p
			default:
				v = strings.TrimSuffix(a, "/32") + ":" + p
			}
			if list = append(list, v); len(list) > maxRule {
				return nil, fmt.Errorf("a rule that names more than %d values", maxRule)
			}
		}
	}
	return list, nil
}
