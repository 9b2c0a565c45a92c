// Command configdoc writes deploy/config.example.yaml and docs/config.md from the
// configuration itself: the keys and defaults by walking settings.Default(), the
// explanations from the comments on the fields of the Config structs. Nobody
// writes a default twice, and a comment that tells another default than the
// code has is an error.
//
// Run it from the root of the repository, as make generate does.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"

	"github.com/interdict/interdict/cmd/interdict/internal/settings"
)

// Where the two documents are, from the root of the repository.
const (
	examplePath   = "deploy/config.example.yaml"
	referencePath = "docs/config.md"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "configdoc:", err)
		os.Exit(1)
	}
}

// run writes both documents below root.
func run(root string) error {
	example, reference, err := generate(root)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(root, examplePath), example, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, referencePath), reference, 0o644)
}

// generate makes both documents from the sources below root.
func generate(root string) (example, reference []byte, err error) {
	w := walker{root: root, packages: map[string]structs{}}
	top, err := w.keys("", reflect.ValueOf(settings.Default()))
	if err != nil {
		return nil, nil, err
	}
	for path := range examples() {
		if !known(top, path) {
			return nil, nil, fmt.Errorf("there is an example value for %s, which is no key", path)
		}
	}
	return writeExample(top), writeReference(top), nil
}

func known(keys []key, path string) bool {
	for _, k := range keys {
		if k.path == path || known(k.sub, path) {
			return true
		}
	}
	return false
}
