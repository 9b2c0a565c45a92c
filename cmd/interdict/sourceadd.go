package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/interdict/interdict/cmd/interdict/internal/settings"
)

type sourceAddCmd struct {
	configFlag
	Tenant  string        `required:"" placeholder:"NAME" help:"Tenant that the alerts belong to."`
	Topic   string        `required:"" placeholder:"NAME" help:"Topic the sensor writes to."`
	Format  []string      `placeholder:"NAME" help:"Formats that are allowed; default: any, by detection."`
	Attest  []string      `placeholder:"TYPE" help:"Entity types that the sensor vouches for, such as host, or ip:sensor."`
	Silence time.Duration `placeholder:"AGE" help:"Longest silence that is expected, such as 1h; longer ones raise an alarm."`
	Zone    string        `placeholder:"ZONE" help:"Time zone of times that name none, as Europe/Berlin. Default: UTC."`
	Create  int32         `placeholder:"N" help:"Let topics apply make the topic with so many partitions."`
	DryRun  bool          `help:"Only print what would be added."`
	JSON    bool          `name:"json" help:"Print the source as JSON."`
	Name    string        `arg:"" help:"Id of the source within its tenant."`
}

// Run changes the file only where the whole configuration is valid before and
// after. What else is in the file stays as it is.
func (c *sourceAddCmd) Run(s *streams) error {
	if c.Config == "" {
		return usagef("source add: name the configuration with -c; interdict config example prints one")
	}
	cfg, err := c.load(s)
	if err != nil {
		return err
	}
	for _, x := range cfg.Sources {
		switch {
		case x.ID == c.Name && x.Tenant == c.Tenant:
			return usagef("tenant %s has a source %s already", c.Tenant, c.Name)
		case x.Topic == c.Topic:
			return usagef("topic %s belongs to the source %s of tenant %s already", c.Topic, x.ID, x.Tenant)
		}
	}
	src := settings.Source{ID: c.Name, Tenant: c.Tenant, Topic: c.Topic, Formats: c.Format, Attests: c.Attest, Zone: c.Zone, Silence: c.Silence, Create: c.Create}
	if c.Silence < 0 || c.Create < 0 {
		return usagef("source add: --silence and --create must not be negative")
	}
	text, err := os.ReadFile(c.Config)
	if err != nil {
		return err
	}
	text, err = addSource(text, src)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Config, err)
	}
	err = replaceFile(c.Config, text, c.DryRun, func(path string) error {
		_, err := settings.Load(path, s.environ)
		if err != nil {
			return usage{errors.New(strings.ReplaceAll(err.Error(), path, c.Config))}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(listSource(src))
	}
	if c.DryRun {
		_, err = fmt.Fprintf(s.out, "would add to %s:\n  - %s\n", c.Config, flowSource(src))
		return err
	}
	_, err = fmt.Fprintf(s.out, "added to %s:\n  - %s\nnext: interdict topics plan -c %[1]s; interdict source test -c %[1]s %[3]s; then restart detect and correlate with it\n",
		c.Config, flowSource(src), c.Name)
	return err
}

// replaceFile puts text in the place of a file in one step, once check has
// nothing against it. A link stays a link; the mode stays.
func replaceFile(path string, text []byte, dryRun bool, check func(path string) error) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // in vain once it has been renamed
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(info.Mode().Perm()), f.Sync(), f.Close())
	if err != nil {
		return fmt.Errorf("writing %s: %w", f.Name(), err)
	}
	if err := check(f.Name()); err != nil || dryRun {
		return err
	}
	return os.Rename(f.Name(), path)
}
