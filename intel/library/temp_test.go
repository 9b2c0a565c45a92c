package library

import (
	"os"

	"pgregory.net/rapid"
)

// tempDir makes a folder for one draw of a property test.
func tempDir(t *rapid.T) (string, func()) {
	dir, err := os.MkdirTemp("", "library-*")
	if err != nil {
		t.Fatal(err)
	}
	return dir, func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
}
