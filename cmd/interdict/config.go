package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/interdict/interdict/cmd/interdict/internal/settings"
	"github.com/interdict/interdict/deploy"
	"github.com/interdict/interdict/pipeline"
)

type configCmd struct {
	Check   configCheckCmd   `cmd:"" help:"Validate a configuration strictly, look at the files that it names, and build every stage from it. All errors and warnings at once, each with its line."`
	Example configExampleCmd `cmd:"" help:"Print a commented example with every setting and its default."`
}

type configCheckCmd struct {
	configFlag
	JSON bool `name:"json" help:"Print as JSON."`
}

// checked is what `config check` says as JSON.
type checked struct {
	Valid    bool               `json:"valid"`
	Findings []settings.Finding `json:"findings"`
}

// Run tells everything that cannot work, exit code 2, and what is doubtful.
func (c *configCheckCmd) Run(s *streams) error {
	cfg, list, err := settings.Examine(c.Config, s.environ)
	if err == nil {
		_, err = pipeline.NewPlan(cfg.Plan(), pipeline.Deps{Prefix: cfg.Kafka.Prefix})
	}
	if c.JSON {
		if bad, ok := errors.AsType[*settings.Invalid](err); ok {
			list = append(bad.Findings, list...)
		} else if err != nil {
			list = append(list, settings.Finding{Place: settings.Place{File: firstText(c.Config, "configuration")}, Text: err.Error()})
		}
		if e := json.NewEncoder(s.out).Encode(checked{err == nil, append([]settings.Finding{}, list...)}); e != nil || err == nil {
			return e
		}
		return quietError(exitUsage)
	}
	for _, f := range list {
		fmt.Fprintln(s.err, f)
	}
	if err != nil {
		return usage{err}
	}
	told := ""
	if len(list) > 0 {
		told = fmt.Sprintf(", %d warnings", len(list))
	}
	_, err = fmt.Fprintf(s.out, "configuration is valid: %d sources, hops %v%s\n", len(cfg.Sources), cfg.Hops, told)
	return err
}

type configExampleCmd struct{}

func (c *configExampleCmd) Run(s *streams) error {
	_, err := fmt.Fprint(s.out, deploy.ConfigExample())
	return err
}
