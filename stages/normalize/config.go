package normalize

import (
	"errors"
	"fmt"

	"github.com/interdict/interdict/schema"
)

// Config bounds what one record may cost. Sizes are in bytes.
type Config struct {
	// Format names the one format to accept; a document of another shape is
	// rejected. Default "": detect it.
	Format string `yaml:"format"`
	// FormatsDir is a folder of the user's own formats (docs/mapping.md), read again
	// when it changes. Default "": none.
	FormatsDir string `yaml:"formats_dir"`
	// Confluent says what to do with records in Confluent's wire format (a zero byte
	// and the number of a schema before the payload): reject, or json, which takes the
	// payload for JSON, as the JSON Schema serializer writes it. Default reject.
	Confluent string `yaml:"confluent"`
	// MaxDepth is how deep a document may nest. Default 32, at most 1,000.
	MaxDepth int `yaml:"max_depth"`
	// MaxKeys is how many object keys a document may have. Default 2,000, at most 30,000.
	MaxKeys int `yaml:"max_keys"`
	// MaxString bounds each string and number of a document. Default 64 KiB.
	MaxString int `yaml:"max_string"`
	// MaxDocument bounds one document. Default 1 MiB.
	MaxDocument int `yaml:"max_document"`
	// MaxDocuments is how many documents a record may hold. Default 100,000.
	MaxDocuments int `yaml:"max_documents"`
	// MaxEntities is how many entities an alert may have. Default 512, at most 4,096: what the wire form takes.
	MaxEntities int `yaml:"max_entities"`
	// MaxInflated bounds a decompressed record. Default 64 MiB.
	MaxInflated int `yaml:"max_inflated"`
	// MaxRatio bounds decompressed to compressed size, past the first MiB. Default 200.
	MaxRatio int `yaml:"max_ratio"`
}

// Values of Config.Confluent.
const (
	ConfluentReject = "reject"
	ConfluentJSON   = "json"
)

// Default returns the limits to start from.
func Default() Config {
	return Config{
		Confluent: ConfluentReject, MaxDepth: 32, MaxKeys: 2000, MaxString: 64 << 10, MaxDocument: 1 << 20,
		MaxDocuments: 100_000, MaxEntities: 512, MaxInflated: 64 << 20, MaxRatio: 200,
	}
}

// Validate reports every field out of bounds.
func (c Config) Validate() error {
	var errs []error
	within := func(name string, v, lo, hi int) {
		if v < lo || v > hi {
			errs = append(errs, fmt.Errorf("%s is %d, want %d to %d", name, v, lo, hi))
		}
	}
	within("max_depth", c.MaxDepth, 1, 1000)
	within("max_keys", c.MaxKeys, 1, 30_000)
	within("max_string", c.MaxString, 64, 1<<30)
	within("max_document", c.MaxDocument, 64, 1<<30)
	within("max_documents", c.MaxDocuments, 1, 1<<30)
	within("max_entities", c.MaxEntities, 1, schema.MaxElements)
	within("max_inflated", c.MaxInflated, 64, 1<<30)
	within("max_ratio", c.MaxRatio, 1, 1<<20)
	if c.Confluent != ConfluentReject && c.Confluent != ConfluentJSON {
		errs = append(errs, fmt.Errorf("confluent is %q, want %s or %s", c.Confluent, ConfluentReject, ConfluentJSON))
	}
	return errors.Join(errs...)
}
