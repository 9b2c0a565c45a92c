package settings

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/v2"
)

// EnvPrefix begins every environment variable that overrides a setting:
// INTERDICT_KAFKA__BATCH_RECORDS=5000 sets kafka.batch_records. Two underscores
// step into a section; the value is read as YAML.
const EnvPrefix = "INTERDICT_"

// notSettings are variables that begin like settings and are none.
var notSettings = [...]string{"INTERDICT_TEST_KAFKA", "INTERDICT_FAILPOINT"}

// Load reads the file (none if path is empty), puts the environment over it, and
// validates. environ has the form of os.Environ. Errors name the file and line,
// or the variable.
func Load(path string, environ []string) (*Config, error) {
	c := Default()
	if path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("reading the configuration: %w", err)
		}
		if err := decode(text, &c); err != nil {
			return nil, fmt.Errorf("%s:%w", path, err)
		}
	}
	over, err := environment(environ)
	if err != nil {
		return nil, err
	}
	if len(over) > 0 {
		text, err := yaml.Marshal(over)
		if err != nil {
			return nil, fmt.Errorf("reading %s* from the environment: %w", EnvPrefix, err)
		}
		if err := decode(text, &c); err != nil {
			return nil, fmt.Errorf("%s* in the environment: %w", EnvPrefix, err)
		}
	}
	if c.Kafka.Instance == "" {
		host, err := os.Hostname()
		if err != nil {
			return nil, fmt.Errorf("kafka.instance is not set and the host has no name: %w", err)
		}
		c.Kafka.Instance = host
	}
	if err := c.Validate(); err != nil {
		if path == "" {
			path = "configuration"
		}
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &c, nil
}

// decode reads YAML strictly over what c holds.
func decode(text []byte, c *Config) error {
	var said map[string]any
	if err := yaml.Unmarshal(text, &said); err == nil && len(said) == 0 {
		return nil // the decoder would set everything to zero
	}
	err := yaml.NewDecoder(strings.NewReader(string(text)), yaml.Strict(), yaml.DisallowUnknownField()).Decode(c)
	if err == nil || errors.Is(err, io.EOF) {
		return nil
	}
	var y yaml.Error
	if errors.As(err, &y) && y.GetToken() != nil {
		p := y.GetToken().Position
		return fmt.Errorf("%d:%d: %s", p.Line, p.Column, y.GetMessage())
	}
	return fmt.Errorf(" %w", err)
}

// environment reads the overrides into a tree.
func environment(environ []string) (map[string]any, error) {
	k := koanf.New(".")
	var bad []error
	provider := env.Provider(".", env.Opt{Prefix: EnvPrefix, EnvironFunc: func() []string { return environ },
		TransformFunc: func(name, value string) (string, any) {
			for _, n := range notSettings {
				if name == n {
					return "", nil
				}
			}
			var v any
			if err := yaml.Unmarshal([]byte(value), &v); err != nil {
				bad = append(bad, fmt.Errorf("%s: %w", name, err))
			}
			return strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(name, EnvPrefix)), "__", "."), v
		}})
	if err := k.Load(provider, nil); err != nil {
		return nil, fmt.Errorf("reading the environment: %w", err)
	}
	return k.Raw(), errors.Join(bad...)
}
