package parse

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/interdict/interdict/intel/fact"
)

func iocText(body string) string {
	return `<?xml version="1.0" encoding="us-ascii"?>
<!-- a note with http://vendor.example/report -->
<ioc xmlns="http://schemas.example/ioc" id="0B879284-0C37-4BFA-9DD8-34505A9C5175" last-modified="2026-05-01T00:00:00">
<short_description>Bad people</short_description><description>seen at read.example</description><definition>` + body + `</definition></ioc>`
}

func iocItemText(condition, search, content string) string {
	return fmt.Sprintf(`<IndicatorItem id="x" condition="%s"><Context document="d" search="%s" type="mir"/><Content type="string">%s</Content></IndicatorItem>`, condition, search, content)
}

// TestOpenIOC: items that alone are enough are taken, and what needs others is not.
func TestOpenIOC(t *testing.T) {
	md5 := strings.Repeat("0f", 16)
	or := func(body string) string { return `<Indicator operator="OR" id="o">` + body + `</Indicator>` }
	and := func(body string) string { return `<Indicator operator="AND" id="a">` + body + `</Indicator>` }
	s := read(t, iocText(or(
		iocItemText("is", "FileItem/Md5sum", md5)+
			iocItemText("contains", "Network/DNS", "bad.example")+
			iocItemText("contains", "Network/URI", "b.example")+
			iocItemText("is", "PortItem/remoteIP", "203.0.113.7")+
			iocItemText("is", "UrlHistoryItem/URL", "http://c.example/x?a=1&amp;b=2")+
			iocItemText("contains", "Network/URI", "/gate.php")+
			iocItemText("contains", "Network/URI", "gate.pl")+
			iocItemText("is", "Network/URI", "index.sh")+
			iocItemText("contains", "FileItem/Md5sum", md5)+
			iocItemText("is", "FileItem/FileName", "bad.exe")+
			iocItemText("isnot", "Network/DNS", "good.example")+
			iocItemText("is", "Network/DNS", "")+
			and(iocItemText("is", "Email/From", "a@bad.example"))+
			and(iocItemText("is", "FileItem/SizeInBytes", "7")+or(iocItemText("is", "Network/DNS", "d.example")+iocItemText("is", "Network/DNS", "e.example")))+
			or(iocItemText("is", "DnsEntryItem/Host", "f.example")))),
	).want(t, "hash="+md5, "domain=bad.example", "domain=b.example", "ip=203.0.113.7", "url=http://c.example/x?a=1&b=2", "email=a@bad.example", "domain=f.example")
	s.wantRefused(t, "part of a text", "part of a text", "name of a file", "part of a text", "\"FileItem/FileName\" is not matched", "turned round", "no value", "several things", "several things", "several things")
	if len(s.objects) != 1 || s.objects[0].Name != "Bad people" || s.objects[0].ID != "openioc--0b879284-0c37-4bfa-9dd8-34505a9c5175" || len(s.objects[0].Refs) != 7 || s.objects[0].Refs[0] != s.said[0].ID {
		t.Errorf("objects %+v", s.objects)
	}
	// 1.1 has another root, turns conditions round with a word, and may have an AND at its top.
	text := `<OpenIOC xmlns="x" id="1"><metadata><short_description>b</short_description></metadata><criteria>` + or(
		strings.Replace(iocItemText("is", "Network/DNS", "a.example"), "<IndicatorItem", `<IndicatorItem negate="true"`, 1)+iocItemText("is", "Network/DNS", "b.example")) + `</criteria></OpenIOC>`
	read(t, text).want(t, "domain=b.example").wantRefused(t, "turned round")
	read(t, iocText(and(iocItemText("is", "Network/DNS", "a.example")+iocItemText("is", "PortItem/remoteIP", "203.0.113.7")))).want(t).wantRefused(t, "several", "several")
}

// TestOpenIOCBounded: a document of nothing but tags, which packs to a thousandth, costs
// about as much as any other of its length, wherever the tags stand.
func TestOpenIOCBounded(t *testing.T) {
	const size = 8 << 20
	within := `<ioc ><Indicator operator="OR">`
	for name, text := range map[string]string{
		"open elements":            "<ioc >" + strings.Repeat("<a>", size/3),
		"open elements in a group": within + strings.Repeat("<a>", size/3),
		"open elements in an item": within + "<IndicatorItem>" + strings.Repeat("<a>", size/3),
		"attributes":               "<ioc ><x" + strings.Repeat(` a=""`, size/5) + "/>",
		"a comment":                "<ioc ><!--" + strings.Repeat("a", size),
		"a text":                   "<ioc ><short_description>" + strings.Repeat("a", size),
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			used := allocated(func() {
				err = Read(context.Background(), strings.NewReader(text), feed(), fact.Part{}, now, &counter{})
			})
			if err == nil || strings.Count(err.Error(), "OpenIOC") != 1 {
				t.Errorf("error %v", err)
			}
			if used > size {
				t.Errorf("%d bytes for %d", used, len(text))
			}
		})
	}
}

// TestOpenIOCDamaged: neither brackets without end nor text without end cost more than
// their bounds.
func TestOpenIOCDamaged(t *testing.T) {
	for _, text := range []string{
		iocText("")[:200], iocText(`<Indicator operator="OR">`), iocText(strings.Repeat(`<Indicator operator="OR">`, 1000) + strings.Repeat(`</Indicator>`, 1000)),
		iocText(`<Indicator operator="AND">` + strings.Repeat(iocItemText("is", "Network/DNS", "a.example"), maxItems+1) + `</Indicator>`), iocText(`<Indicator>&unknown;</Indicator>`),
	} {
		if err := Read(context.Background(), strings.NewReader(text), feed(), fact.Part{}, now, &counter{}); err == nil || !strings.Contains(err.Error(), "OpenIOC") {
			t.Errorf("%.80s...: error %v", text, err)
		}
	}
}
