package settings

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/interdict/interdict/intel/fact"
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
// validates. environ has the form of os.Environ. What cannot work is an *Invalid with all
// of it, each with file and line, or the variable.
func Load(path string, environ []string) (*Config, error) {
	c, list, _, err := read(path, environ)
	if err == nil {
		err = invalid(list)
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Examine is Load for who is about to run the configuration: it also looks at the files
// that it names, and says what is doubtful. Doubts are given also with an *Invalid.
func Examine(path string, environ []string) (c *Config, doubts []Finding, err error) {
	c, list, o, err := read(path, environ)
	if err != nil {
		return nil, nil, err
	}
	if c != nil {
		if invalid(list) == nil {
			for _, err := range c.Intel.Doubts() {
				list = append(list, o.find(true, err))
			}
		}
		list = append(list, o.files(c)...)
	}
	for _, f := range list {
		if f.Doubt {
			doubts = append(doubts, f)
		}
	}
	inOrder(doubts)
	if err := invalid(list); err != nil {
		return nil, doubts, err
	}
	return c, doubts, nil
}

// read gives a configuration and what is wrong with it; none if it cannot be read as
// one.
func read(path string, environ []string) (*Config, []Finding, *origin, error) {
	c, o := Default(), &origin{}
	var list []Finding
	whole := true // it could be read
	if path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("reading the configuration: %w", err)
		}
		o = newOrigin(path, text)
		list, whole = o.decode(text, &c)
	}
	over, err := environment(environ, o)
	if err != nil {
		return nil, nil, nil, err
	}
	if len(over) > 0 {
		text, err := yaml.Marshal(over)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("reading %s* from the environment: %w", EnvPrefix, err)
		}
		if err := decode(text, &c, true); err != nil {
			list = append(list, Finding{Place: Place{File: EnvPrefix + "* in the environment"}, Text: message(err)})
			return nil, list, o, nil
		}
	}
	if c.Kafka.Instance == "" {
		host, err := os.Hostname()
		if err != nil {
			return nil, nil, nil, fmt.Errorf("kafka.instance is not set and the host has no name: %w", err)
		}
		c.Kafka.Instance = host
	}
	if !whole {
		return nil, list, o, nil // what could not be read is not to be judged
	}
	misspelled := slices.Clone(list)
	for _, err := range fact.Each(c.Validate()) {
		f := o.find(false, err)
		if !slices.ContainsFunc(misspelled, func(m Finding) bool { return follows(f.Key, m.Key) }) {
			list = append(list, f)
		}
	}
	return &c, list, o, nil
}

// follows reports a finding about an element of a list in which another key is unknown:
// what is missing there may be what was misspelled.
func follows(key, unknown string) bool {
	element := unknown[:strings.LastIndexByte(unknown, ']')+1]
	return element != "" && (key == element || strings.HasPrefix(key, element+"."))
}

// decode reads the file over what c holds. It gives what is wrong with it, and whether
// that is only keys that are no settings: c then holds the rest.
func (o *origin) decode(text []byte, c *Config) (list []Finding, whole bool) {
	err := decode(text, c, true)
	if err == nil {
		return nil, true
	}
	list = o.misfits(o.root, reflect.TypeFor[Config](), "")
	*c = Default()
	if rest := decode(text, c, false); rest == nil {
		whole = true
	} else {
		err = rest
	}
	place := Place{File: o.path}
	if y, ok := errors.AsType[yaml.Error](err); ok && y.GetToken() != nil {
		p := y.GetToken().Position
		place.Line, place.Column = p.Line, p.Column
	}
	if len(list) == 0 || place.Line > 0 && !slices.ContainsFunc(list, func(f Finding) bool { return f.Place == place }) {
		list = append(list, Finding{Place: place, Text: message(err)})
	}
	return list, whole && len(list) > 0
}

// message gives the words of an error of the decoder, without its drawing.
func message(err error) string {
	if y, ok := errors.AsType[yaml.Error](err); ok {
		return y.GetMessage()
	}
	return err.Error()
}

// decode reads YAML over what c holds.
func decode(text []byte, c *Config, strict bool) error {
	var said map[string]any
	if err := yaml.Unmarshal(text, &said); err == nil && len(said) == 0 {
		return nil // the decoder would set everything to zero
	}
	var opts []yaml.DecodeOption
	if strict {
		opts = []yaml.DecodeOption{yaml.Strict(), yaml.DisallowUnknownField()}
	}
	err := yaml.NewDecoder(strings.NewReader(string(text)), opts...).Decode(c)
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// environment reads the overrides into a tree, and notes them in o.
func environment(environ []string, o *origin) (map[string]any, error) {
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
				bad = append(bad, fmt.Errorf("%s: %s", name, message(err))) // its drawing shows the value, which may be secret
			}
			key := strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(name, EnvPrefix)), "__", ".")
			o.over = append(o.over, override{name, key})
			return key, v
		}})
	if err := k.Load(provider, nil); err != nil {
		return nil, fmt.Errorf("reading the environment: %w", err)
	}
	return k.Raw(), errors.Join(bad...)
}
