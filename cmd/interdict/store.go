package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/interdict/interdict/store/clickhouse"
)

type storeCmd struct {
	Migrate storeMigrateCmd `cmd:"" help:"Bring ClickHouse's tables and views up to date."`
	Erase   storeEraseCmd   `cmd:"" help:"Delete all rows of one tenant."`
}

// withStore opens the configured store for one command.
func withStore(ctx context.Context, f configFlag, s *streams, do func(*clickhouse.Store) error) error {
	g := *s
	// Reading the store needs no broker.
	g.environ = append(append([]string{}, s.environ...), "INTERDICT_HOPS=[persist]", "INTERDICT_EMBEDDED=true")
	cfg, err := f.load(&g)
	if err != nil {
		return err
	}
	if cfg.ClickHouse.DSN == "" {
		return usagef("clickhouse.dsn is not set; the demo prints the one of its embedded engine")
	}
	if err := cfg.ClickHouse.Validate(); err != nil {
		return usage{err}
	}
	st, err := clickhouse.Open(ctx, cfg.ClickHouse)
	if err != nil {
		return err
	}
	defer st.Close()
	return do(st)
}

type storeMigrateCmd struct {
	configFlag
	DryRun bool `help:"Only say what would be done."`
	JSON   bool `name:"json" help:"Print as JSON."`
}

func (c *storeMigrateCmd) Run(ctx context.Context, s *streams) error {
	return withStore(ctx, c.configFlag, s, func(st *clickhouse.Store) error {
		migrate := st.Migrate
		if c.DryRun {
			migrate = st.MigrationPlan
		}
		done, err := migrate(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(s.out).Encode(done)
		}
		for _, m := range done {
			fmt.Fprintf(s.out, "%s\n", m.Name)
		}
		verb := "applied"
		if c.DryRun {
			verb = "to apply"
		}
		_, err = fmt.Fprintf(s.out, "%d migrations %s\n", len(done), verb)
		return err
	})
}

type storeEraseCmd struct {
	configFlag
	Tenant string `required:"" placeholder:"NAME" help:"Tenant to delete."`
	Yes    bool   `help:"Do it; without this nothing is deleted."`
}

func (c *storeEraseCmd) Run(ctx context.Context, s *streams) error {
	if !c.Yes {
		return usagef("erase: this deletes every row of tenant %q for good; say --yes", c.Tenant)
	}
	return withStore(ctx, c.configFlag, s, func(st *clickhouse.Store) error {
		if err := st.EraseTenant(ctx, c.Tenant); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.out, "tenant %s erased from the store\n", c.Tenant)
		return err
	})
}
