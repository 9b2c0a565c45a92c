package intel

import (
	"testing"
	"time"

	"github.com/interdict/interdict/intel/library"
	"github.com/interdict/interdict/schema"
)

// TestPastOverrideEnds: that an override has come to the end it was given is no word of
// anybody. What an analyst called malicious until then was right, and what they allowed
// until then is not put back.
func TestPastOverrideEnds(t *testing.T) {
	const bad = "192.0.2.1"
	allow, malicious := schema.WishAllow, schema.VerdictMalicious
	for name, x := range map[string]struct {
		set  library.Override
		want []string
	}{
		"an analyst's own": {library.Override{Feed: library.Analyst, Verdict: &malicious}, []string{bad}},
		"an allow":         {library.Override{Wish: &allow}, []string{bad, "-" + bad + "allowed by feed analyst"}},
	} {
		t.Run(name, func(t *testing.T) {
			pastTest(t, func(t *testing.T, w *pastWorld) {
				run := func() {
					t.Helper()
					if err := w.run(5*time.Minute, nil); err != nil {
						t.Fatal(err)
					}
				}
				w.alert(bad)
				if x.set.Feed == "" {
					w.take("a", bad+"\n")
					run()
				}
				end := schema.FromTime(time.Now().Add(time.Hour))
				o := x.set
				o.Type, o.Value, o.By, o.Expires = schema.ObservableIP, bad, "ann", &end
				if _, err := w.lib.Override(t.Context(), o); err != nil {
					t.Fatal(err)
				}
				run()
				w.want("while it stands", x.want...)
				time.Sleep(time.Hour)
				if n, err := w.lib.Expire(t.Context(), time.Now()); n != 1 || err != nil {
					t.Fatal(n, err)
				}
				run()
				w.want("after its end", x.want...)
			})
		})
	}
}
