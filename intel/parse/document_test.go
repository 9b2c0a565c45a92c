package parse

import (
	"strings"
	"testing"

	"github.com/interdict/interdict/intel/fact"
)

// TestDocument: of a text for people the indicators, and not what it tells them to read.
func TestDocument(t *testing.T) {
	sha1, sha := strings.Repeat("0f", 20), strings.Repeat("0f", 32)
	const document = `= Bad People Indicators of Compromise

The post is available at https://vendor.example/report[Vendor], and setup.py was run. Version 1.2.3.4 of Python.org, e.g. that.
They talk to bad[.]example and hxxp://b[.]example/x. See <http://vendor.example/more>.

|===
| SHA-1 | Filename | Domain
| ^SHA1^ | ^bad.exe^ | ^c.example.com^
| N/A | ^System.Net^ | www.example.com
| N/A | ^dump.py^ | 203.0.113[.]7
|===

- ^203.0.113.8^
- ^++f[.]example|203.0.113[.]9++^
- {link}SHA1[^x^]
- Win32/Agent.XOR
- https://vendor.example/third
- calls ^os.path^ and resolves by ^198.51.100.53^
d.example.com
System.Text

----
http://e.example/y
d.example.net
socket.connect
Win32.Net
curl http://vendor.example/tool
----
sample SHA256 dropped
`
	text := strings.NewReplacer("^", "`", "SHA1", sha1, "SHA256", sha, "SHA-1", "SHA-1").Replace(document)
	s := named(t, "README.adoc", text)
	s.want(t, "domain=bad.example", "url=http://b.example/x", "hash="+sha1, "domain=c.example.com", "ip=203.0.113.7", "ip=203.0.113.8", "domain=f.example", "ip=203.0.113.9", "domain=d.example.com", "url=http://e.example/y", "domain=d.example.net", "hash="+sha)
	s.wantRefused(t, "clicked", "sentence", "clicked", "clicked", "sentence", "clicked")
	// Whoever says that it is a list is believed.
	named(t, "list.md", "a.example seen\n", func(f *fact.Feed) { f.Format = fact.FormatList }).want(t, "domain=a.example")
	named(t, "list.md", "a.example seen\n").want(t)
	named(t, "list.md", strings.Repeat("x", 2*maxLine)+"\na.example.com\n").want(t, "domain=a.example.com").wantRefused(t, "longer than")
}
