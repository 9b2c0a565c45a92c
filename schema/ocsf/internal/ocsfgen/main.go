// Package main is the generator behind package ocsf. It reads the OCSF schema
// source (a directory with version.json, categories.json, dictionary.json,
// profiles, objects and events), resolves includes, inheritance, profiles and
// enums, and writes two kinds of files: Go enums (*_gen.go) and one embedded
// table that the validator reads (schema_<version>.json).
//
// It takes names and numbers only; the schema's prose never reaches the
// output. The output depends on nothing but the input: the same directory
// gives the same bytes. It knows nothing about the packages that use ocsf.
//
// Usage: ocsfgen [-out DIR] SCHEMA_DIR
package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

func main() {
	out := flag.String("out", ".", "directory the generated files are written to")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: ocsfgen [-out DIR] SCHEMA_DIR")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *out); err != nil {
		fmt.Fprintln(os.Stderr, "ocsfgen:", err)
		os.Exit(1)
	}
}

// run generates everything in memory first, so that a broken schema leaves the
// files of the last good run in place.
func run(schemaDir, outDir string) error {
	files, err := generate(schemaDir)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := os.WriteFile(filepath.Join(outDir, name), files[name], 0o644); err != nil {
			return fmt.Errorf("write generated file: %w", err)
		}
	}
	return nil
}

// generate returns the generated files by name.
func generate(schemaDir string) (map[string][]byte, error) {
	s, err := load(schemaDir)
	if err != nil {
		return nil, err
	}
	files, err := emitEnums(s)
	if err != nil {
		return nil, err
	}
	name, table, err := emitTable(s)
	if err != nil {
		return nil, err
	}
	files[name] = table
	return files, nil
}
