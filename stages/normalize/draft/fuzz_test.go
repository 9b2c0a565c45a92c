package draft

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/interdict/interdict/stages/normalize/extract"
	"github.com/interdict/interdict/stages/normalize/mapping"
)

// FuzzDraft: whatever the documents are, the draft is a format that compiles.
func FuzzDraft(f *testing.F) {
	files, err := filepath.Glob("testdata/*.*")
	if err != nil || len(files) == 0 {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"id: #":"x","{a}":[{"type":"ip","value":"192.0.2.1"},{"type":"url","value":"http://a.example.com"}],"- x":{"?":1},"severity":"h: {"}`))
	f.Add([]byte(`{"action":"blocked\u0085 #","status":"new","kind":"alert, x","detection":"[","Detection":"{"}` + "\n" + `{"kind":"other\ty","vendor":"a'b"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := NewSample()
		for _, d := range documents(data) {
			if err := s.Add(d); err != nil {
				continue // not a document
			}
		}
		if s.Documents() == 0 {
			return
		}
		text := s.Draft("fuzzed")
		src, err := mapping.Parse("draft", text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		trie, err := extract.NewTrie(nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := mapping.Compile(trie, []*mapping.Source{src}); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
	})
}
