package respond

import (
	"errors"
	"fmt"
	"net/url"
	"time"
)

// Names of the built-in executors.
const (
	ExecutorDryRun  = "dry_run"
	ExecutorWebhook = "webhook"
)

// Config is what responding is done by.
type Config struct {
	Executor        string        `yaml:"executor"`          // dry_run or webhook. Default dry_run
	TrustedKeyFiles []string      `yaml:"trusted_key_files"` // PEM files of the Ed25519 public keys whose commands are obeyed; none: unsigned commands are taken, which only dry_run allows. Default none
	TrustedKeys     [][]byte      `yaml:"-"`                 // the same as bytes, in addition to the files
	NeverContain    []string      `yaml:"never_contain"`     // targets no command may be applied to: "type:key", or a CIDR for addresses. Default none
	MaxAge          time.Duration `yaml:"max_age"`           // an apply issued longer ago is refused; 1s to 24h. Default 10m
	Attempts        int           `yaml:"attempts"`          // tries of one command, 1 to 10. Default 4
	Backoff         time.Duration `yaml:"backoff"`           // wait before the second try; doubles with each, at most 5s. Default 200ms
	BatchTimeout    time.Duration `yaml:"batch_timeout"`     // for all commands of one transaction, 100ms to 20s; keep it well below kafka.transaction_timeout. Default 10s
	Remember        int           `yaml:"remember"`          // leases whose last command is remembered, 1 to 1000000. Default 65536
	Webhook         WebhookConfig `yaml:"webhook"`           // of the webhook executor
}

// WebhookConfig is where commands are posted.
type WebhookConfig struct {
	URL          string        `yaml:"url"`           // https endpoint
	SecretFile   string        `yaml:"secret_file"`   // file of the HMAC secret, at least 16 bytes after trimming space
	CAFile       string        `yaml:"ca_file"`       // PEM file of the roots to trust instead of the system's. Default empty
	Timeout      time.Duration `yaml:"timeout"`       // of one try, 10ms to respond.batch_timeout. Default 5s
	AllowPrivate bool          `yaml:"allow_private"` // permit private, loopback and other special addresses. Default false
	AllowHTTP    bool          `yaml:"allow_http"`    // permit http URLs: the command and its HMAC can be read on the way. Default false
}

// DefaultConfig changes nothing anywhere: dry_run.
func DefaultConfig() Config {
	return Config{Executor: ExecutorDryRun, MaxAge: 10 * time.Minute, Attempts: 4, Backoff: 200 * time.Millisecond, BatchTimeout: 10 * time.Second, Remember: 65_536,
		Webhook: WebhookConfig{Timeout: 5 * time.Second}}
}

// maxBackoff bounds the wait between two tries.
const maxBackoff = 5 * time.Second

// Validate reports everything that is out of bounds.
func (c Config) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("respond: "+format, args...)) }
	if c.MaxAge < time.Second || c.MaxAge > 24*time.Hour {
		bad("max_age: %v is not from 1s to 24h", c.MaxAge)
	}
	if c.Attempts < 1 || c.Attempts > 10 {
		bad("attempts: %d is not from 1 to 10", c.Attempts)
	}
	if c.Backoff < 0 || c.Backoff > maxBackoff {
		bad("backoff: %v is not from 0 to %v", c.Backoff, maxBackoff)
	}
	if c.BatchTimeout < 100*time.Millisecond || c.BatchTimeout > 20*time.Second {
		bad("batch_timeout: %v is not from 100ms to 20s", c.BatchTimeout)
	}
	if c.Remember < 1 || c.Remember > 1_000_000 {
		bad("remember: %d is not from 1 to 1000000", c.Remember)
	}
	if _, err := newNever(c.NeverContain); err != nil {
		bad("never_contain: %w", err)
	}
	switch c.Executor {
	case ExecutorDryRun:
	case ExecutorWebhook:
		if len(c.TrustedKeyFiles)+len(c.TrustedKeys) == 0 {
			bad("trusted_key_files: the webhook executor acts on signed commands only")
		}
		errs = append(errs, c.Webhook.validate())
		if w := c.Webhook.Timeout; w < 10*time.Millisecond || w > c.BatchTimeout {
			bad("webhook.timeout: %v is not from 10ms to batch_timeout, %v", w, c.BatchTimeout)
		}
	default:
		bad("executor: %q is not dry_run or webhook", c.Executor)
	}
	return errors.Join(errs...)
}

func (w WebhookConfig) validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("respond: webhook."+format, args...)) }
	u, err := url.Parse(w.URL)
	switch {
	case err != nil || u.Host == "":
		bad("url: not an absolute URL")
	case u.User != nil:
		bad("url: must not hold a password; use secret_file")
	case u.Scheme != "https" && !(u.Scheme == "http" && w.AllowHTTP):
		bad("url: %q is not https (allow_http permits http)", u.Scheme)
	}
	if w.SecretFile == "" {
		bad("secret_file: is missing")
	}
	return errors.Join(errs...)
}
