package draft

import (
	"strings"
)

// carriers are where shippers put the text they carry.
func carriers() []string {
	return []string{"event.original", "log", "MESSAGE", "message", "Message", "SyslogMessage", "RawData", "_raw", "result._raw", "textPayload",
		"jsonPayload.message", "body", "body.stringValue", "@message", "payload", "data", "record", "raw"}
}

// unwrap gives the document within a shipper's envelope, an object or a text; nil
// where o is no envelope. An object is taken for an envelope's content only where
// the shipper shows itself, since vendors have such names too.
func unwrap(o object) any {
	for _, e := range [...]struct {
		content string
		marks   []string
	}{
		{"_source", []string{"_index"}},
		{"detail", []string{"detail-type", "source"}},
		{"event", []string{"sourcetype"}},
		{"jsonPayload", []string{"logName"}},
		{"properties", []string{"category", "resourceId"}},
	} {
		content, ok := o.at(e.content).(object)
		for _, m := range e.marks {
			ok = ok && o.at(m) != nil
		}
		if ok && len(content) > 0 {
			return content
		}
	}
	for _, path := range carriers() {
		text, _ := o.at(path).(string)
		if text == "" {
			continue
		}
		if inner, ok := embedded(text).(object); ok && len(inner) > 1 {
			return text
		}
		if shipped(o) && structured(text) {
			return text
		}
	}
	return nil
}

// shipped reports whether a document says which shipper carried it.
func shipped(o object) bool {
	for _, mark := range []string{"@version", "agent.ephemeral_id", "agent.type", "log.offset", "_HOSTNAME", "SyslogMessage", "logName", "kubernetes", "_time", "source_type"} {
		if o.at(mark) != nil {
			return true
		}
	}
	return false
}

// structured reports whether a text is more than a line of words.
func structured(text string) bool {
	values, payload, err := readText([]byte(strings.TrimSpace(text)))
	if err != nil {
		return false
	}
	for _, v := range values {
		if !strings.HasPrefix(v.place.path, "@line") && !strings.HasPrefix(v.place.path, "@syslog") {
			return true
		}
	}
	return payload != nil
}
