// Package deploy holds what a deployment starts from: an example configuration, the
// compose file, and the scripts of the test cluster. The example is part of the
// binary, so that it fits the version that prints it. The package knows nothing of
// what the settings mean; cmd/interdict/internal/configdoc writes the file.
package deploy

import _ "embed"

//go:embed config.example.yaml
var configExample string

// ConfigExample is a configuration file with every setting, its meaning and its
// default.
func ConfigExample() string { return configExample }
