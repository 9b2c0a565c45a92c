package persist

import "fmt"

// Config says how much of what was received goes into the store.
type Config struct {
	// Raw keeps the document as received beside each alert. It is about half of
	// what an alert takes on disk. Default: true.
	Raw bool `yaml:"raw"`
	// MaxReject is how many bytes of a rejected document are kept; the dead
	// letter topic has all of them. Bytes. Default: 65536.
	MaxReject int `yaml:"max_reject"`
}

// DefaultConfig gives the defaults named in Config.
func DefaultConfig() Config { return Config{Raw: true, MaxReject: 64 << 10} }

// Validate reports a setting that cannot work.
func (c Config) Validate() error {
	if c.MaxReject < 0 || c.MaxReject > 16<<20 {
		return fmt.Errorf("persist.max_reject: want 0 to %d bytes, not %d", 16<<20, c.MaxReject)
	}
	return nil
}
