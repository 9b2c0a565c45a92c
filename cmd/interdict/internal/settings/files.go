package settings

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/interdict/interdict/intel/fact"
	"github.com/interdict/interdict/stages/respond"
)

// largestFile is how much of a file with a secret or certificates is looked at, in bytes.
const largestFile = 4 << 20

// files looks at the files that the parts of c that run here are told to read. One that
// keeps the process from starting is an error. What concerns a single feed is a doubt:
// only that feed fails, and what it needs is read again at each pull.
func (o *origin) files(c *Config) (list []Finding) {
	say := func(doubt bool, key, text string, args ...any) {
		list = append(list, Finding{Doubt: doubt, Place: o.place(key), Key: key, Text: fmt.Sprintf(key+": "+text, args...)})
	}
	bad := map[string]bool{} // keys of files that cannot be used
	walkFiles("", reflect.ValueOf(c).Elem(), func(key, path string) {
		if !c.reads(key) {
			return
		}
		err := readable(path)
		if err != nil {
			bad[key] = true
			say(strings.HasPrefix(key, "intel.feeds"), key, "%v", err)
			return
		}
		if strings.HasSuffix(key, "ca_file") {
			if text, err := os.ReadFile(path); err == nil && !x509.NewCertPool().AppendCertsFromPEM(text) {
				say(strings.HasPrefix(key, "intel.feeds"), key, "%s holds no certificate in PEM form", path)
			}
		}
		if private(key) {
			if mode, err := os.Stat(path); err == nil && mode.Mode().Perm()&0o004 != 0 {
				say(true, key, "%s can be read by every user of this machine (mode %#o): chmod o-r %s", path, mode.Mode().Perm(), path)
			}
		}
	})
	walkPairs("", reflect.ValueOf(c).Elem(), func(key, cert, private string) {
		if !c.reads(key) || bad[key] || bad[strings.TrimSuffix(key, "cert_file")+"key_file"] {
			return
		}
		pair, err := tls.LoadX509KeyPair(cert, private)
		if err != nil {
			say(strings.HasPrefix(key, "intel.feeds"), key, "%s and %s are no pair: %v", cert, private, err)
			return
		}
		if leaf, err := x509.ParseCertificate(pair.Certificate[0]); err == nil && time.Now().After(leaf.NotAfter) {
			say(true, key, "the certificate in %s has ended on %s: renew it", cert, leaf.NotAfter.UTC().Format(time.DateOnly))
		}
	})
	if c.reads("intel.upload.") {
		for _, err := range fact.Each(fact.Under("intel.", c.Intel.Upload.ValidateTokens())) {
			if f := o.find(false, err); !bad[f.Key] {
				list = append(list, f)
			}
		}
	}
	if slices.Contains(c.Hops, "intel") {
		for i := range c.Intel.Feeds {
			f := &c.Intel.Feeds[i]
			if err := thereIs(f); err != nil {
				say(true, fmt.Sprintf("intel.feeds[%d].file", i), "feed %s: %v; it is read as soon as it is there", f.Name, err)
			}
		}
	}
	if c.keeps() {
		if err := canMake(c.DataDir); err != nil {
			say(true, "data_dir", "%v", err)
		}
	}
	return list
}

// thereIs reports that a feed of files has none, or cannot read it.
func thereIs(f *fact.Feed) error {
	if _, err := filepath.Match(f.File, ""); err != nil || f.Transport != fact.TransportFile {
		return nil // Validate tells
	}
	if _, err := os.Stat(f.File); err == nil || !strings.ContainsAny(f.File, "*?[") {
		if err != nil {
			return err
		}
		in, err := os.OpenFile(f.File, os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			return err
		}
		return in.Close()
	}
	found, err := filepath.Glob(f.File)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("no file is called %s", f.File)
	}
	return err
}

// reads reports whether a process of this configuration reads the file of a setting.
func (c *Config) reads(key string) bool {
	runs := func(hop string) bool { return slices.Contains(c.Hops, hop) }
	section, rest, _ := strings.Cut(key, ".")
	switch section {
	case "kafka":
		return !c.Embedded
	case "clickhouse":
		return !c.Embedded && runs("persist")
	case "disrupt":
		return runs("correlate")
	case "respond":
		return runs("respond") && (c.Respond.Executor == respond.ExecutorWebhook || !strings.HasPrefix(rest, "webhook."))
	case "intel":
		switch {
		case strings.HasPrefix(rest, "upload."):
			return runs("intel") && c.Intel.Upload.Listen != ""
		case strings.HasPrefix(rest, "snapshots."):
			return (runs("intel") || runs("detect")) && c.Intel.Snapshots.URL != ""
		}
		return runs("intel")
	}
	return true
}

// private reports a setting whose file must stay so.
func private(key string) bool {
	return !strings.HasSuffix(key, "cert_file") && !strings.HasSuffix(key, "ca_file") && !strings.Contains(key, "trusted_")
}

// readable reports a file that cannot be read or says nothing.
func readable(path string) error {
	fi, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no file %s", path)
	}
	if err != nil {
		return err
	}
	if !fi.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", path)
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%s cannot be read by this user (uid %d, mode %#o)", path, os.Getuid(), fi.Mode().Perm())
	}
	if err != nil {
		return err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, largestFile))
	if err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return fmt.Errorf("%s is empty", path)
	}
	return nil
}

// walkFiles gives every setting that names a file to be read, with what it names.
func walkFiles(key string, v reflect.Value, yield func(key, path string)) {
	walk(key, v, func(key string, v reflect.Value) {
		switch name := key[strings.LastIndexByte(key, '.')+1:]; {
		case v.Kind() == reflect.String && strings.HasSuffix(name, "_file"):
			if v.String() != "" {
				yield(key, v.String())
			}
		case v.Kind() == reflect.Slice && strings.HasSuffix(name, "_files"):
			for i := range v.Len() {
				yield(fmt.Sprintf("%s[%d]", key, i), v.Index(i).String())
			}
		}
	})
}

// walkPairs gives every certificate that has a key beside it, by the certificate's
// setting.
func walkPairs(key string, v reflect.Value, yield func(key, cert, private string)) {
	certs := map[string]string{}
	walkFiles(key, v, func(key, path string) { certs[key] = path })
	walkFiles(key, v, func(key, path string) {
		if section, ok := strings.CutSuffix(key, "cert_file"); ok && certs[section+"key_file"] != "" {
			yield(key, path, certs[section+"key_file"])
		}
	})
}

// walk gives every setting that is no section, in the order of the configuration.
func walk(key string, v reflect.Value, yield func(key string, v reflect.Value)) {
	if keysOf(v.Type()) != nil {
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
			if name != "" && name != "-" && v.Type().Field(i).IsExported() {
				walk(join(key, name), v.Field(i), yield)
			}
		}
		return
	}
	if v.Kind() == reflect.Slice && keysOf(v.Type().Elem()) != nil {
		for i := range v.Len() {
			walk(fmt.Sprintf("%s[%d]", key, i), v.Index(i), yield)
		}
		return
	}
	yield(key, v)
}
