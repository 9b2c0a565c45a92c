package parse

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/schema"
)

// Reasons of OpenIOC.
var (
	errIOCAnd       = errors.New("OpenIOC: one of several things at once (AND), which are not matched")
	errIOCNot       = errors.New("OpenIOC: a condition that is turned round")
	errIOCContained = errors.New("OpenIOC: a part of a text, which is no value")
	errIOCPiece     = fmt.Errorf("an element or text longer than %d bytes", maxPiece)
)

// maxPiece bounds what the decoder holds at once: one tag, text or comment. What it makes
// of a tag full of attributes takes many times the tag's own room.
const maxPiece = 128 << 10

// maxItems bounds the items of one group that waits for its end.
const maxItems = 100_000

// openIOC reads OpenIOC 1.0 and 1.1: a tree of items joined by OR and AND. Of it the
// items are taken that alone are enough.
type openIOC struct {
	r      *reader
	xml    *xml.Decoder
	in     *pieces
	depth  int // elements that are open
	report fact.Object
	n      int // items so far
}

// pieces is a text of which only so much is given at a time.
type pieces struct {
	in   io.Reader
	left int
}

func (p *pieces) Read(b []byte) (int, error) {
	if p.left <= 0 {
		return 0, errIOCPiece
	}
	n, err := p.in.Read(b[:min(len(b), p.left)])
	p.left -= n
	return n, err
}

// token reads the next piece. What is open is bounded: the decoder keeps all of it.
func (x *openIOC) token() (xml.Token, error) {
	x.in.left = maxPiece
	t, err := x.xml.Token()
	switch t.(type) {
	case xml.StartElement:
		if x.depth++; x.depth > maxDepth {
			err = errDepth
		}
	case xml.EndElement:
		x.depth--
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("OpenIOC: %w", err)
	}
	return t, err
}

// skip passes over the element that was begun last.
func (x *openIOC) skip() error {
	for outside := x.depth - 1; x.depth > outside; {
		if _, err := x.token(); err != nil {
			return err
		}
	}
	return nil
}

// iocItem is one comparison of a definition.
type iocItem struct {
	n         int
	condition string
	not       bool
	search    string
	text      string
}

// openIOC reads a document. It is bounded like a document of JSON.
func (r *reader) openIOC(br *bufio.Reader) error {
	x := &openIOC{r: r, in: &pieces{in: &bounded{ctx: r.ctx, r: br, left: maxDocument, limit: maxDocument}}}
	x.xml = xml.NewDecoder(x.in)
	x.xml.CharsetReader = func(name string, in io.Reader) (io.Reader, error) { return in, nil } // what is not UTF-8 is refused value by value
	x.report = fact.Object{Kind: schema.ThreatReport, TLP: r.feed.TLP}
	for {
		t, err := x.token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		e, ok := t.(xml.StartElement)
		if !ok {
			continue
		}
		switch e.Name.Local {
		case "ioc", "OpenIOC":
			x.report.ID = "openioc--" + strings.ToLower(cut(xmlAttribute(e, "id"), maxID/2))
		case "short_description":
			if x.report.Name, err = x.text(maxName); err != nil {
				return err
			}
		case "Indicator":
			items, err := x.group(e, false)
			if err != nil {
				return err
			}
			if err := x.take(items); err != nil {
				return err
			}
		}
	}
	if x.report.Name == "" || x.report.ID == "openioc--" {
		return nil
	}
	return r.object(x.n, x.report)
}

func xmlAttribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// text reads the text up to an element's end.
func (x *openIOC) text(limit int) (string, error) {
	var b strings.Builder
	for depth := 0; ; {
		t, err := x.token()
		if err != nil {
			return "", err
		}
		switch t := t.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			if depth--; depth < 0 {
				return cut(strings.TrimSpace(b.String()), limit), nil
			}
		case xml.CharData:
			b.Write(t[:min(len(t), max(0, limit+1-b.Len()))])
		}
	}
}

// group reads a group and gives its items. Those of a group of ORs that stands in no
// AND are taken at once, and not kept.
func (x *openIOC) group(start xml.StartElement, within bool) (items []iocItem, err error) {
	and := strings.EqualFold(xmlAttribute(start, "operator"), "AND")
	children := 0
	for {
		t, err := x.token()
		if err != nil {
			return nil, err
		}
		var some []iocItem
		switch e := t.(type) {
		case xml.EndElement:
			if and && children > 1 {
				for _, i := range items {
					if err := x.r.refuse(i.n, i.text, errIOCAnd); err != nil {
						return nil, err
					}
				}
				items = nil
			}
			return items, nil
		case xml.StartElement:
			children++
			switch e.Name.Local {
			case "Indicator":
				some, err = x.group(e, within || and)
			case "IndicatorItem":
				some, err = x.item(e)
			default:
				err = x.skip()
			}
		}
		switch {
		case err != nil:
			return nil, err
		case !and && !within:
			if err := x.take(some); err != nil {
				return nil, err
			}
		case len(items)+len(some) > maxItems:
			return nil, fmt.Errorf("OpenIOC: a group of more than %d items", maxItems)
		default:
			items = append(items, some...)
		}
	}
}

// item reads one comparison.
func (x *openIOC) item(start xml.StartElement) ([]iocItem, error) {
	x.n++
	i := iocItem{n: x.n, condition: xmlAttribute(start, "condition"), not: xmlAttribute(start, "negate") == "true"}
	for {
		t, err := x.token()
		if err != nil {
			return nil, err
		}
		switch e := t.(type) {
		case xml.EndElement:
			return []iocItem{i}, nil
		case xml.StartElement:
			switch e.Name.Local {
			case "Context":
				i.search = cut(xmlAttribute(e, "search"), maxLabel)
				err = x.skip()
			case "Content":
				i.text, err = x.text(maxValue)
			default:
				err = x.skip()
			}
			if err != nil {
				return nil, err
			}
		}
	}
}

// take passes items on that alone are enough.
func (x *openIOC) take(items []iocItem) error {
	for _, i := range items {
		if err := x.r.ctx.Err(); err != nil {
			return err
		}
		o, err := i.value()
		if err != nil {
			if err := x.r.refuse(i.n, i.text, err); err != nil {
				return err
			}
			continue
		}
		said := x.r.indicator(x.r.derivedID(o), o)
		taken, err := x.r.said(i.n, i.text, fact.Said{Indicator: said})
		if err != nil {
			return err
		}
		if taken && len(x.report.Refs) < maxRefs {
			x.report.Refs = append(x.report.Refs, said.ID)
		}
	}
	return nil
}

// value gives what an item names. A name that a text contains is taken as the name
// itself, which says less; a part of a path or of a hash is no value.
func (i *iocItem) value() (schema.Observable, error) {
	t, ok := iocType(i.search)
	switch {
	case !ok:
		return schema.Observable{}, fmt.Errorf("OpenIOC: %q is not matched", i.search)
	case i.not || strings.HasSuffix(i.condition, "not"):
		return schema.Observable{}, errIOCNot
	case i.condition == "is":
		if t == schema.ObservableUnknown {
			o, err := Recognize(i.text)
			if err == nil && o.Type == schema.ObservableDomain && isSource(o.Value) {
				return schema.Observable{}, errFile
			}
			return o, err
		}
		if o, err := Value(t, i.text); err == nil || t != schema.ObservableURL && t != schema.ObservableDomain {
			return o, err
		}
		return Recognize(i.text)
	case i.condition == "contains" && (t == schema.ObservableUnknown || t == schema.ObservableDomain || t == schema.ObservableURL):
		if o, err := domain(i.text); err == nil && !isFileName(o.Value) && !(t != schema.ObservableDomain && isSource(o.Value)) {
			return o, nil
		}
	}
	return schema.Observable{}, errIOCContained
}

// iocType tells what kind of value an item's search is about.
func iocType(search string) (schema.ObservableType, bool) {
	switch search {
	case "FileItem/Md5sum", "FileItem/Sha1sum", "FileItem/Sha256sum", "DriverItem/Md5sum", "DriverItem/Sha1sum", "DriverItem/Sha256sum",
		"ServiceItem/serviceDLLmd5sum", "ServiceItem/pathmd5sum", "TaskItem/md5sum", "ProcessItem/Md5sum", "fileWriteEvent/md5", "imageLoadEvent/md5", "processEvent/md5":
		return schema.ObservableHash, true
	case "Network/DNS", "DnsEntryItem/Host", "DnsEntryItem/RecordName", "DnsEntryItem/RecordData/Host", "UrlHistoryItem/HostName", "CookieHistoryItem/HostName",
		"dnsLookupEvent/hostname", "PortItem/remoteHost":
		return schema.ObservableDomain, true
	case "PortItem/remoteIP", "RouteEntryItem/Destination", "DnsEntryItem/RecordData/IPv4Address", "DnsEntryItem/RecordData/IPv6Address", "ipv4NetworkEvent/remoteIP", "Network/IP":
		return schema.ObservableIP, true
	case "UrlHistoryItem/URL", "FileDownloadHistoryItem/SourceURL", "urlMonitorEvent/requestUrl", "Network/URL":
		return schema.ObservableURL, true
	case "Network/URI": // a path, a URL or a host
		return schema.ObservableUnknown, true
	case "Network/UserAgent":
		return schema.ObservableUserAgent, true
	case "Email/From", "Email/Sender", "Email/ReplyTo":
		return schema.ObservableEmail, true
	case "RegistryItem/KeyPath", "RegistryItem/Path":
		return schema.ObservableRegistry, true
	case "X509/Fingerprint", "Network/SSL/CertificateFingerprint":
		return schema.ObservableCertificate, true
	}
	return schema.ObservableUnknown, false
}
