package clickhouse

import (
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// Config says where the store is and how it is used.
type Config struct {
	// DSN of a server, such as "clickhouse://user:password@host:9000/interdict" or
	// "http://...". It holds a secret. No default.
	DSN string `yaml:"dsn"`
	// PasswordFile holds the password of the DSN's user, so that the DSN itself
	// need not; a final line break is dropped. Default: empty, the DSN's password.
	PasswordFile string `yaml:"password_file"`
	// Database overrides the DSN's. Default: empty, the DSN's, or else "interdict".
	Database string `yaml:"database"`
	// Cluster names the cluster of the server's configuration that tables are
	// created on, replicated. Default: empty, one server without replication.
	Cluster string `yaml:"cluster"`
	// InsertTimeout bounds one insert. It must be shorter than the consumer
	// group's session timeout: an insert that hangs longer could land after
	// another worker has taken over. Default: 20s.
	InsertTimeout time.Duration `yaml:"insert_timeout"`
	// QueryTimeout bounds one read. Default: 30s.
	QueryTimeout time.Duration `yaml:"query_timeout"`
	// MaxConnections is how many inserts and reads run at once. Default: 16.
	MaxConnections int `yaml:"max_connections"`
	// Retention is how long rows are kept.
	Retention Retention `yaml:"retention"`
}

// Retention is how long rows are kept, in days, by kind of table. Zero keeps
// them for ever. See docs/store.md for which table is of which kind.
type Retention struct {
	Alerts     int `yaml:"alerts"`     // days after an alert was created. Default: 90
	Cases      int `yaml:"cases"`      // days after the last change of an incident, member or path. Default: 730
	Response   int `yaml:"response"`   // days after a decision, the end of a lease, a command. Default: 730
	Ledger     int `yaml:"ledger"`     // days after an event. Default: 0
	Inventory  int `yaml:"inventory"`  // days after an entity, alias or detection was last seen. Default: 365
	Operations int `yaml:"operations"` // days of rejects, source statistics and completeness. Default: 30
}

// DefaultConfig gives the defaults named in Config; the DSN must be set.
func DefaultConfig() Config {
	return Config{
		InsertTimeout: 20 * time.Second, QueryTimeout: 30 * time.Second, MaxConnections: 16,
		Retention: Retention{Alerts: 90, Cases: 730, Response: 730, Ledger: 0, Inventory: 365, Operations: 30},
	}
}

// Validate reports every setting that cannot work. It never quotes the DSN.
func (c *Config) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("clickhouse: "+format, args...))
		}
	}
	check(c.DSN != "", "dsn must be set")
	if c.DSN != "" {
		_, err := clickhouse.ParseDSN(c.DSN)
		check(err == nil, "dsn cannot be read: want clickhouse://user:password@host:9000/database or http(s)://...")
	}
	check(c.Database == "" || isName(c.Database), "database %q must be letters, digits and underscores", c.Database)
	check(c.Cluster == "" || isName(c.Cluster) || c.Cluster == "{cluster}", "cluster %q must be letters, digits and underscores, or {cluster}", c.Cluster)
	check(c.InsertTimeout >= time.Second, "insert_timeout %v must be at least 1s", c.InsertTimeout)
	check(c.QueryTimeout >= time.Second, "query_timeout %v must be at least 1s", c.QueryTimeout)
	check(c.MaxConnections >= 1 && c.MaxConnections <= 1024, "max_connections %d must be between 1 and 1024", c.MaxConnections)
	for _, class := range classes() {
		days := class.days(c.Retention)
		check(days >= 0 && days <= 36500, "retention.%s %d must be between 0 and 36500 days", class.name, days)
	}
	return errors.Join(errs...)
}

// isName reports a name that needs no quoting in SQL.
func isName(s string) bool {
	for i, r := range s {
		letter := r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}
