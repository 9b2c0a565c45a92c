package draft

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestWords(t *testing.T) {
	for name, want := range map[string]string{
		"srcIpAddr": "source ip address", "src_ip": "source ip", "srcip": "source ip", "SourceIPAddress": "source ip address", "userName": "user name",
		"dvchost": "sensor host", "alert.id": "alert id", "externalId": "external id", "policyid": "policy id", "valid": "valid", "SHA256": "hash", "": "",
		"@timestamp": "time", "TargetUserName": "target user name",
	} {
		if got := strings.Join(words(name), " "); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// TestScalars: what q writes is the same text again, in flow and in block.
func TestScalars(t *testing.T) {
	for _, s := range []string{"a", "a b", "a: b", "#", "a # b", "a[].b", "a{}.b", "'", `"`, "it's", "true", "No", "null", "~", "1", "-", "- a", "?", "*x", "&x", "!x", "%x", "@kv.x",
		"`x", "a,b", "]", "\n", "a\nb", "\t", "\u2028", "\u0085", "é", " a", "a ", "0x1", "1e3", "<<", "=", "a:", ":", "|", ">", ""} {
		for _, text := range []string{"x: " + q(s), "x: {y: [" + q(s) + "]}"} {
			var doc struct{ X yaml.Node }
			if err := yaml.Unmarshal([]byte(text+"\n"), &doc); err != nil {
				t.Errorf("%q: %s: %v", s, text, err)
				continue
			}
			n := &doc.X
			if n.Kind == yaml.MappingNode {
				n = n.Content[1].Content[0]
			}
			if n.Value != s || n.Tag != "!!str" {
				t.Errorf("%q: %s: %q %s", s, text, n.Value, n.Tag)
			}
		}
	}
}
