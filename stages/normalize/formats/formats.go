// Package formats holds the built-in formats, one folder each: the mapping
// (format.yaml, in the language of docs/mapping.md), a page about it, and its
// cases. It owns no code: what the mappings mean is package mapping's.
package formats

import (
	"embed"
	"io/fs"
)

//go:embed */format.yaml
var files embed.FS

// Files gives the mappings as FOLDER/format.yaml.
func Files() fs.FS { return files }
