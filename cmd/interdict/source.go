package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/interdict/interdict/cmd/interdict/internal/settings"
)

type sourceCmd struct {
	Add    sourceAddCmd    `cmd:"" help:"Add a source to the configuration file."`
	List   sourceListCmd   `cmd:"" help:"List the configured sources."`
	Test   sourceTestCmd   `cmd:"" help:"Normalize records of a source and say what would become of them."`
	Status sourceStatusCmd `cmd:"" help:"What is heard of the sources: silence, rejects, lag. Exit 1 while an alarm is on."`
}

// sourceName picks a source of the configuration.
type sourceName struct {
	Tenant string `placeholder:"NAME" help:"Tenant of the source, where several have one of this name."`
	Name   string `arg:"" help:"Id of the source."`
}

func (n sourceName) find(cfg *settings.Config) (settings.Source, error) {
	found, err := pickSources(cfg, n.Name, n.Tenant)
	if err != nil {
		return settings.Source{}, err
	}
	if len(found) > 1 {
		return settings.Source{}, usagef("several tenants have a source %s: say --tenant", n.Name)
	}
	return found[0], nil
}

// pickSources gives the configured sources of a name and a tenant; "" is any.
func pickSources(cfg *settings.Config, name, tenant string) (found []settings.Source, err error) {
	for _, s := range cfg.Sources {
		if (name == "" || s.ID == name) && (tenant == "" || s.Tenant == tenant) {
			found = append(found, s)
		}
	}
	if len(found) == 0 && name != "" {
		return nil, usagef("there is no source %s in the configuration: interdict source list", name)
	}
	return found, nil
}

// listedSource is a source as list prints it.
type listedSource struct {
	ID      string   `json:"id"`
	Tenant  string   `json:"tenant"`
	Topic   string   `json:"topic"`
	Formats []string `json:"formats,omitempty"`
	Attests []string `json:"attests,omitempty"`
	Silence string   `json:"silence,omitempty"`
	Zone    string   `json:"zone,omitempty"`
	Create  int32    `json:"create,omitempty"`
}

func listSource(s settings.Source) listedSource {
	l := listedSource{ID: s.ID, Tenant: s.Tenant, Topic: s.Topic, Formats: s.Formats, Attests: s.Attests, Zone: s.Zone, Create: s.Create}
	if s.Silence > 0 {
		l.Silence = span(s.Silence)
	}
	return l
}

// span writes a duration without its empty parts: 1h, not 1h0m0s.
func span(d time.Duration) string {
	s := d.Round(time.Second).String()
	s = strings.TrimSuffix(s, "0s")
	if s == "" {
		return "0s"
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	if last := s[len(s)-1]; last >= '0' && last <= '9' { // it was 10s, 20s ...
		return d.Round(time.Second).String()
	}
	return s
}

type sourceListCmd struct {
	configFlag
	JSON bool `name:"json" help:"Print as JSON."`
}

func (c *sourceListCmd) Run(s *streams) error {
	cfg, err := c.offline(s)
	if err != nil {
		return err
	}
	all := []listedSource{}
	for _, x := range cfg.Sources {
		all = append(all, listSource(x))
	}
	if c.JSON {
		return json.NewEncoder(s.out).Encode(all)
	}
	for _, l := range all {
		formats := "any format"
		if len(l.Formats) > 0 {
			formats = strings.Join(l.Formats, ",")
		}
		attests, silence := "attests nothing", "silence not watched"
		if len(l.Attests) > 0 {
			attests = "attests " + strings.Join(l.Attests, ",")
		}
		if l.Silence != "" {
			silence = "silence " + l.Silence
		}
		if l.Zone != "" {
			silence += ", zone " + l.Zone
		}
		if _, err := fmt.Fprintf(s.out, "%-20s %-14s %-28s %s, %s, %s\n", l.ID, l.Tenant, l.Topic, formats, attests, silence); err != nil {
			return err
		}
	}
	return nil
}
