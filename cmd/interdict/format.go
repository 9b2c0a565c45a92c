package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/interdict/interdict/cmd/interdict/internal/settings"
	"github.com/interdict/interdict/stages/normalize"
	"github.com/interdict/interdict/stages/normalize/mapping"
)

type formatCmd struct {
	List  formatListCmd  `cmd:"" help:"List the formats in force."`
	Show  formatShowCmd  `cmd:"" help:"Print a format as written, and where it is from."`
	New   formatNewCmd   `cmd:"" help:"Draft a format from samples."`
	Check formatCheckCmd `cmd:"" help:"Parse and compile a format's folder, or a folder of formats."`
	Test  formatTestCmd  `cmd:"" help:"Run the cases of formats' folders against their golden files."`
}

// formatsFlag says which formats are in force besides those built in.
type formatsFlag struct {
	configFlag
	Formats string `placeholder:"DIR" help:"Folder of formats of your own; default: the configuration's normalize.formats_dir."`
}

// config gives the configuration of normalize that the flags name. Neither a
// broker nor a store is needed to work on formats.
func (f formatsFlag) config(s *streams) (normalize.Config, error) {
	cfg := normalize.Default()
	if f.Config != "" {
		c, err := f.offline(s)
		if err != nil {
			return cfg, err
		}
		cfg = c.Normalize
		cfg.Format = ""
	}
	if f.Formats != "" {
		cfg.FormatsDir = f.Formats
	}
	return cfg, nil
}

// offline reads the configuration for a command that needs neither broker nor
// store.
func (f configFlag) offline(s *streams) (*settings.Config, error) {
	g := *s
	g.environ = append(append([]string{}, s.environ...), "INTERDICT_EMBEDDED=true")
	return f.load(&g)
}

func (f formatsFlag) load(s *streams) (*normalize.Formats, string, error) {
	cfg, err := f.config(s)
	if err != nil {
		return nil, "", err
	}
	formats, err := normalize.Load(cfg)
	if err != nil {
		return nil, "", usage{err}
	}
	return formats, cfg.FormatsDir, nil
}

// listedFormat is a format as list prints it.
type listedFormat struct {
	mapping.Info
	File    string `json:"file"`
	BuiltIn bool   `json:"built_in"`
}

func listed(src *mapping.Source, dir string) listedFormat {
	l := listedFormat{Info: src.Info, File: src.File, BuiltIn: true}
	if dir != "" {
		// A built-in format's file is named as it is in the repository, which may
		// be there, too: the text decides.
		text, err := os.ReadFile(src.File)
		l.BuiltIn = err != nil || string(text) != strings.Join(src.Lines, "\n") || !strings.HasPrefix(src.File, filepath.Clean(dir)+string(filepath.Separator))
	}
	if l.BuiltIn {
		l.File = "stages/normalize/" + src.File
	}
	return l
}

func (l listedFormat) flags() string {
	var all []string
	add := func(on bool, name string) {
		if on {
			all = append(all, name)
		}
	}
	add(!l.BuiltIn, "own")
	add(l.Generic, "generic")
	add(l.Partial, "partial")
	add(l.Proof != "", "unproven")
	if len(all) == 0 {
		return "-"
	}
	return strings.Join(all, ",")
}

type formatListCmd struct {
	formatsFlag
	JSON bool `name:"json" help:"Print as JSON."`
}

// Help says what the words in the third column mean.
func (formatListCmd) Help() string {
	return "own: of your own folder. generic: tried only where no other format has the shape. partial: a document tells a part of an alert. unproven: built from documentation, without a third-party sample."
}

func (c *formatListCmd) Run(s *streams) error {
	formats, dir, err := c.load(s)
	if err != nil {
		return err
	}
	all := []listedFormat{}
	for _, info := range formats.List() {
		if src, ok := formats.Find(info.Name); ok {
			all = append(all, listed(src, dir))
		}
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(all)
	}
	for _, l := range all {
		if _, err := fmt.Fprintf(s.out, "%-30s %-18s %-18s %s\n", l.Name, printable(l.Vendor), l.flags(), printable(l.Doc)); err != nil {
			return err
		}
	}
	return nil
}

type formatShowCmd struct {
	formatsFlag
	JSON bool   `name:"json" help:"Print as JSON, with the YAML as text."`
	Name string `arg:"" help:"Name of the format, as list prints it."`
}

func (c *formatShowCmd) Run(s *streams) error {
	formats, dir, err := c.load(s)
	if err != nil {
		return err
	}
	src, ok := formats.Find(c.Name)
	if !ok {
		return usagef("format %q is not known: interdict format list", c.Name)
	}
	l, text := listed(src, dir), strings.Join(src.Lines, "\n")
	if c.JSON {
		return json.NewEncoder(s.out).Encode(struct {
			listedFormat
			YAML string `json:"yaml"`
		}{l, text})
	}
	from := l.File
	if l.BuiltIn {
		from += ", built in"
	}
	_, err = fmt.Fprintf(s.out, "# %s\n%s", from, text)
	return err
}

type formatCheckCmd struct {
	JSON bool     `name:"json" help:"Print as JSON."`
	Dirs []string `arg:"" name:"dir" help:"Folder of one format, or of several."`
}

func (c *formatCheckCmd) Run(s *streams) error {
	type checked struct {
		Dir    string   `json:"dir"`
		OK     bool     `json:"ok"`
		Errors []string `json:"errors,omitempty"`
	}
	all, bad := []checked{}, false
	for _, dir := range c.Dirs {
		one := checked{Dir: dir, OK: true}
		if err := checkFormats(dir); err != nil {
			one.OK, one.Errors, bad = false, strings.Split(err.Error(), "\n"), true
		}
		all = append(all, one)
	}
	if c.JSON {
		if err := json.NewEncoder(s.out).Encode(all); err != nil {
			return err
		}
	} else {
		for _, one := range all {
			if one.OK {
				fmt.Fprintf(s.out, "%s: ok\n", one.Dir)
			}
			for _, e := range one.Errors {
				fmt.Fprintln(s.err, e)
			}
		}
	}
	if bad {
		return quietError(exitFailed)
	}
	return nil
}

// checkFormats compiles what is in a folder together with the built-in formats.
func checkFormats(dir string) error {
	if one, err := isFormat(dir); err != nil || one {
		if err != nil {
			return err
		}
		_, err := loadFolders(normalize.Default(), []string{dir})
		return err
	}
	cfg := normalize.Default()
	cfg.FormatsDir = dir
	f, err := normalize.Load(cfg)
	if err != nil {
		return err
	}
	for _, info := range f.List() {
		if src, ok := f.Find(info.Name); ok && !listed(src, dir).BuiltIn {
			return nil
		}
	}
	return fmt.Errorf("%s: no format is in it", dir)
}

// isFormat reports whether dir is the folder of one format.
func isFormat(dir string) (bool, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return false, err
	}
	if !info.IsDir() {
		return false, fmt.Errorf("%s is not a folder", dir)
	}
	_, err = os.Stat(filepath.Join(dir, normalize.FormatFile))
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// loadFolders loads the formats in force with the formats of the given folders
// among them, whatever lies beside those. Errors name the files in the folders.
func loadFolders(cfg normalize.Config, dirs []string) (*normalize.Formats, error) {
	tmp, err := os.MkdirTemp("", "interdict-formats-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	names := map[string]string{} // of the files in tmp
	put := func(folder, file string) error {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		to := filepath.Join(tmp, folder)
		if err := os.MkdirAll(to, 0o700); err != nil {
			return err
		}
		to = filepath.Join(to, normalize.FormatFile)
		names[to] = file
		return os.WriteFile(to, text, 0o600)
	}
	own := map[string]bool{}
	for i, dir := range dirs {
		file := filepath.Join(dir, normalize.FormatFile)
		own[clean(file)] = true
		if err := put(fmt.Sprintf("a%05d", i), file); err != nil {
			return nil, err
		}
	}
	if cfg.FormatsDir != "" {
		var files []string
		for _, pattern := range []string{"*/" + normalize.FormatFile, "*.yaml", "*.yml"} {
			more, err := filepath.Glob(filepath.Join(cfg.FormatsDir, pattern))
			if err != nil {
				return nil, err
			}
			files = append(files, more...)
		}
		for i, file := range files {
			if !own[clean(file)] {
				if err := put(fmt.Sprintf("b%05d", i), file); err != nil {
					return nil, err
				}
			}
		}
	}
	cfg.FormatsDir = tmp
	f, err := normalize.Load(cfg)
	if err != nil {
		text := err.Error()
		for in, file := range names {
			text = strings.ReplaceAll(text, in, file)
		}
		return nil, errors.New(text)
	}
	return f, nil
}

func clean(file string) string {
	if abs, err := filepath.Abs(file); err == nil {
		return abs
	}
	return filepath.Clean(file)
}
