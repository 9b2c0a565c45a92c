// Command formatdoc writes docs/formats.md, the list of the built-in formats, from
// the formats themselves: their name, vendor and doc line, and whether they were
// proved on samples. It knows nothing else of them. Its test fails when the file is
// not what they say.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/interdict/interdict/stages/normalize"
)

const pagePath = "docs/formats.md"

func main() {
	page, err := generate()
	if err == nil {
		err = os.WriteFile(filepath.FromSlash(pagePath), page, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "formatdoc:", err)
		os.Exit(1)
	}
}

// generate renders the page.
func generate() ([]byte, error) {
	f, err := normalize.Load(normalize.Default())
	if err != nil {
		return nil, err
	}
	infos := f.List()
	unproven := 0
	for _, x := range infos {
		if x.Proof != "" {
			unproven++
		}
	}
	var w bytes.Buffer
	fmt.Fprintf(&w, "# Formats\n\nGenerated from [stages/normalize/formats](../stages/normalize/formats) by `make generate`.\n\n"+
		"%d formats are built in. %d of them, marked *unproven*, are written from public documentation alone: no third-party sample was at hand. "+
		"A generic format is tried only where no other has the shape of a document.\n\n| format | vendor | reads; what is an alert | |\n|---|---|---|---|\n", len(infos), unproven)
	cell := strings.NewReplacer("|", `\|`, "\n", " ")
	for _, x := range infos {
		var marks []string
		if x.Generic {
			marks = append(marks, "generic")
		}
		if x.Partial {
			marks = append(marks, "partial")
		}
		if x.Proof != "" {
			marks = append(marks, "*unproven*")
		}
		fmt.Fprintf(&w, "| [%s](../stages/normalize/formats/%s/README.md) | %s | %s | %s |\n", x.Name, x.Name, cell.Replace(x.Vendor), cell.Replace(x.Doc), strings.Join(marks, ", "))
	}
	return w.Bytes(), nil
}
