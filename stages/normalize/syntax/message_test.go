package syntax

import (
	"testing"

	"github.com/interdict/interdict/schema"
)

// TestMessageOfJSONIsText: JSON behind a header is also a value of the tape, and
// keeps its rules.
func TestMessageOfJSONIsText(t *testing.T) {
	g := newRig(t, testLimits, "@syslog.message")
	if f := g.read("<14>Oct 11 22:14:15 h a: {\"a\":\"\xff\"}"); f.Reason != schema.ReasonInvalidUTF8 || f.At != 31 {
		t.Errorf("got %+v, %q", f, g.got("@syslog.message"))
	}
	if f := g.read("<14>Oct 11 22:14:15 h a: {\n\"a\":\"\u00e9\"}"); f.Reason != 0 || g.got("@syslog.message") == "" || g.Payload() == nil {
		t.Errorf("got %+v", f)
	}
}

// TestAmpersandBeforeXML: where the XML begins does not move by what is escaped
// before it.
func TestAmpersandBeforeXML(t *testing.T) {
	g := newRig(t, testLimits, "Event.A", "@syslog.message", "@syslog.app")
	f := g.read("<14>Oct 11 22:14:15 h a: <Event><A>x & y</A></Event>")
	if f.Reason != 0 || g.got("Event.A") != "x & y" {
		t.Errorf("got %+v, %q", f, g.got("Event.A"))
	}
	f = g.read(`<14>1 2026-03-02T08:15:30Z h a - - [x@1 k="a&&&b<c"] <Event><A>x & y</A></Event>`)
	if f.Reason != 0 || g.got("Event.A") != "x & y" {
		t.Errorf("got %+v, %q", f, g.got("Event.A"))
	}
}
