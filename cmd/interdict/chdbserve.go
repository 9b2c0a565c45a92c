package main

import (
	"context"
	"log/slog"

	"github.com/interdict/interdict/store/chdb"
)

// chdbServeCmd is the child process that holds the embedded ClickHouse engine.
type chdbServeCmd struct{}

func (c *chdbServeCmd) Run(ctx context.Context, s *streams) error {
	return chdb.ServeChild(ctx, s.in, s.out, slog.New(slog.NewTextHandler(s.err, nil)))
}
