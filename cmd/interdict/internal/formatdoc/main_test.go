package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestPageIsUpToDate(t *testing.T) {
	want, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile(filepath.Join("../../../..", pagePath))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want) {
		t.Errorf("%s is not what the formats say: run make generate", pagePath)
	}
}
