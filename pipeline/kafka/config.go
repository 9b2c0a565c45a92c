package kafka

import (
	"errors"
	"time"
)

// Config says how to reach the cluster and how the hops use it.
type Config struct {
	// Brokers are the bootstrap addresses, host:port.
	Brokers []string `yaml:"brokers"`
	// Prefix of Interdict's own topics, groups and transactional ids. Default: interdict.
	Prefix string `yaml:"prefix"`
	// Instance names this process among those of the same hop; with the hop it
	// forms the transactional id, so it must be stable across restarts and unique
	// among live processes. Default: the host name.
	Instance string `yaml:"instance"`
	// FreshTransactionalIDs adds a random part to transactional ids at each
	// start. Only for the embedded broker, which hides committed records when
	// an id is reused after a crash. Default: false.
	FreshTransactionalIDs bool `yaml:"fresh_transactional_ids"`
	// TLS to the brokers.
	TLS TLS `yaml:"tls"`
	// SASL log-in.
	SASL SASL `yaml:"sasl"`
	// Partitions of each sharded topic of ours. Checked at start: a cluster that
	// differs is refused. Default: 8.
	Partitions int32 `yaml:"partitions"`
	// Replication factor of our topics. Default: 3 (1 on the embedded broker).
	Replication int16 `yaml:"replication"`
	// BatchRecords ends a transaction after this many records. Default: 10000.
	BatchRecords int `yaml:"batch_records"`
	// BatchLinger ends a transaction after this long. Default: 100ms.
	BatchLinger time.Duration `yaml:"batch_linger"`
	// SessionTimeout of the consumer groups. Default: 45s.
	SessionTimeout time.Duration `yaml:"session_timeout"`
	// TransactionTimeout must be shorter than the session timeout. Default: 30s.
	TransactionTimeout time.Duration `yaml:"transaction_timeout"`
	// SnapshotEvery takes a snapshot of a lane after this long with changes. Default: 10m.
	SnapshotEvery time.Duration `yaml:"snapshot_every"`
	// SnapshotBytes takes one after this much input since the last. Default: 268435456.
	SnapshotBytes int64 `yaml:"snapshot_bytes"`
	// MaxBuffered bytes fetched and not yet processed before partitions are
	// paused, per hop. Default: 268435456.
	MaxBuffered int64 `yaml:"max_buffered"`
}

// TLS settings. Secrets are files.
type TLS struct {
	// Enabled turns TLS on. Default: false.
	Enabled bool `yaml:"enabled"`
	// CAFile is a PEM bundle; empty: the system's roots.
	CAFile string `yaml:"ca_file"`
	// CertFile and KeyFile are the client's certificate, for mTLS.
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
	// ServerName overrides the name that is verified.
	ServerName string `yaml:"server_name"`
}

// SASL settings. Secrets are files.
type SASL struct {
	// Mechanism: empty, plain, scram-sha-256 or scram-sha-512.
	Mechanism string `yaml:"mechanism"`
	// User to log in as.
	User string `yaml:"user"`
	// PasswordFile holds the password; a trailing newline is dropped.
	PasswordFile string `yaml:"password_file"`
}

// DefaultConfig gives the defaults named in Config.
func DefaultConfig() Config {
	return Config{
		Prefix: "interdict", Partitions: 8, Replication: 3, BatchRecords: 10000, BatchLinger: 100 * time.Millisecond,
		SessionTimeout: 45 * time.Second, TransactionTimeout: 30 * time.Second,
		SnapshotEvery: 10 * time.Minute, SnapshotBytes: 256 << 20, MaxBuffered: 256 << 20,
	}
}

// Validate reports every setting that cannot work.
func (c Config) Validate() error {
	var errs []error
	check := func(ok bool, what string) {
		if !ok {
			errs = append(errs, errors.New("kafka: "+what))
		}
	}
	check(len(c.Brokers) > 0, "brokers: at least one host:port is needed")
	check(c.Prefix != "", "prefix: must not be empty")
	check(c.Partitions > 0, "partitions: must be at least 1")
	check(c.Replication > 0, "replication: must be at least 1")
	check(c.BatchRecords > 0, "batch_records: must be at least 1")
	check(c.BatchLinger > 0, "batch_linger: must be positive")
	check(c.TransactionTimeout < c.SessionTimeout, "transaction_timeout: must be shorter than session_timeout")
	check(c.SnapshotEvery > 0 && c.SnapshotBytes > 0, "snapshot_every, snapshot_bytes: must be positive")
	check(c.MaxBuffered > 0, "max_buffered: must be positive")
	switch c.SASL.Mechanism {
	case "", "plain", "scram-sha-256", "scram-sha-512":
	default:
		check(false, "sasl.mechanism: want plain, scram-sha-256 or scram-sha-512")
	}
	check((c.TLS.CertFile == "") == (c.TLS.KeyFile == ""), "tls: cert_file and key_file go together")
	return errors.Join(errs...)
}
