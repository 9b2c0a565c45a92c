package disrupt

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxPolicyFile bounds a policy file, in bytes.
const maxPolicyFile = 4 << 20

//go:embed policies/*.yaml
var shipped embed.FS

// ShippedPolicy is the file, within the package, of the policy that DefaultConfig
// holds.
const ShippedPolicy = "policies/human-operated-ransomware.yaml"

// LoadPolicies reads the policies of a YAML file: one document each. name is what
// errors call the file; each error begins with name:line. Unknown keys, wrong
// values and expressions that do not compile are errors, all of them reported.
func LoadPolicies(r io.Reader, name string) ([]Policy, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxPolicyFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading policies of %s: %w", name, err)
	}
	if len(data) > maxPolicyFile {
		return nil, fmt.Errorf("%s: more than %d bytes of policies", name, maxPolicyFile)
	}
	compiler, err := newCompiler()
	if err != nil {
		return nil, err
	}
	var (
		policies []Policy
		errs     []error
		first    = map[string]int{}
		nodes    = yaml.NewDecoder(bytes.NewReader(data))
		values   = yaml.NewDecoder(bytes.NewReader(data))
	)
	values.KnownFields(true)
	for {
		var node yaml.Node
		if err := nodes.Decode(&node); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, errors.Join(append(errs, located(name, err)...)...)
		}
		var p Policy
		err := values.Decode(&p)
		if len(node.Content) == 0 || node.Content[0].Tag == "!!null" {
			continue // an empty document
		}
		if err != nil {
			errs = append(errs, located(name, err)...)
			continue
		}
		full := p.withDefaults(defaultLease)
		_, err = compiler.policy(full)
		for _, e := range flatten(err) {
			errs = append(errs, fmt.Errorf("%s:%d: %w", name, lineOf(&node, e), e))
		}
		if line, twice := first[p.Name]; twice && err == nil {
			errs = append(errs, fmt.Errorf("%s:%d: policy %q is defined on line %d already", name, node.Content[0].Line, p.Name, line))
		}
		first[p.Name] = node.Content[0].Line
		policies = append(policies, p)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if len(policies) == 0 {
		return nil, fmt.Errorf("%s:1: no policy in the file", name)
	}
	return policies, nil
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )?line (\d+): `)

// located gives each fault that the YAML decoder found its place in the file.
func located(name string, err error) []error {
	var many *yaml.TypeError
	texts := []string{err.Error()}
	if errors.As(err, &many) {
		texts = many.Errors
	}
	var out []error
	for _, text := range texts {
		line := "1"
		if m := yamlLine.FindStringSubmatch(text); m != nil {
			line, text = m[1], text[len(m[0]):]
		}
		out = append(out, fmt.Errorf("%s:%s: %s", name, line, strings.TrimPrefix(text, "yaml: ")))
	}
	return out
}

// flatten lists the errors that were joined.
func flatten(err error) []error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var out []error
		for _, e := range joined.Unwrap() {
			out = append(out, flatten(e)...)
		}
		return out
	}
	return []error{err}
}

// lineOf finds the line of the field that an error is about, or of the nearest
// one around it.
func lineOf(doc *yaml.Node, err error) int {
	n := doc
	if n.Kind == yaml.DocumentNode {
		n = n.Content[0]
	}
	line := n.Line
	var fe *fieldError
	if !errors.As(err, &fe) {
		return line
	}
	for _, step := range fe.path {
		if n = child(n, step); n == nil {
			break
		}
		line = n.Line
	}
	return line
}

func child(n *yaml.Node, step any) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch step := step.(type) {
	case int:
		if n.Kind == yaml.SequenceNode && step < len(n.Content) {
			return n.Content[step]
		}
	case string:
		for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == step {
				return n.Content[i+1]
			}
		}
	}
	return nil
}
