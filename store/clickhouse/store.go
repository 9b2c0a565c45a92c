package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/interdict/interdict/stages/persist"
)

// Store is one database. It is safe for concurrent use.
type Store struct {
	cfg      Config
	opts     *clickhouse.Options
	conn     driver.Conn
	sender   sender
	encoders chan *encoder // those not in use
}

var _ persist.Writer = (*Store)(nil)

// defaultDatabase is used when neither the configuration nor the DSN names one.
const defaultDatabase = "interdict"

// Open connects to the store and checks that it answers. The database may still
// be missing: Migrate creates it.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	opts, err := clickhouse.ParseDSN(cfg.DSN)
	if err != nil {
		return nil, errors.New("clickhouse: dsn cannot be read") // the error would quote it
	}
	if cfg.PasswordFile != "" {
		secret, err := os.ReadFile(cfg.PasswordFile)
		if err != nil {
			return nil, fmt.Errorf("clickhouse: reading password_file: %w", err)
		}
		opts.Auth.Password = strings.TrimRight(string(secret), "\r\n")
	}
	switch {
	case cfg.Database != "":
		opts.Auth.Database = cfg.Database
	case opts.Auth.Database == "":
		opts.Auth.Database = defaultDatabase
	}
	if !isName(opts.Auth.Database) {
		return nil, fmt.Errorf("clickhouse: database %q must be letters, digits and underscores", opts.Auth.Database)
	}
	opts.MaxOpenConns, opts.MaxIdleConns = cfg.MaxConnections, cfg.MaxConnections
	conn, err := clickhouse.Open(opts)
	if err != nil {
		return nil, fmt.Errorf("opening ClickHouse: %w", err)
	}
	s := &Store{cfg: cfg, opts: opts, conn: conn, encoders: make(chan *encoder, idleEncoders)}
	if opts.Protocol == clickhouse.HTTP {
		s.sender = newPoster(opts, cfg.MaxConnections)
	} else {
		s.sender = &batcher{conn: conn}
	}
	if err := s.Ping(ctx); err != nil && codeOf(err) != codeUnknownDatabase {
		_ = s.Close()
		return nil, fmt.Errorf("connecting to ClickHouse: %w", err)
	}
	return s, nil
}

// Ping reports whether the store answers.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.QueryTimeout)
	defer cancel()
	return s.conn.Ping(ctx)
}

// Close ends the connections. Nothing may be in flight.
func (s *Store) Close() error {
	s.sender.close()
	return s.conn.Close()
}

// Database names the database in use.
func (s *Store) Database() string { return s.opts.Auth.Database }

func (s *Store) onCluster() string {
	if s.cfg.Cluster == "" {
		return ""
	}
	return "ON CLUSTER '" + s.cfg.Cluster + "'"
}
