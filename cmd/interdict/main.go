// Command interdict is the whole product in one binary: the hops of the
// pipeline, the same stages over files, the embedded demonstration, and the
// commands that operators and analysts use. Each subcommand is one file; main
// only parses, runs and turns an error into an exit code.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/interdict/interdict/cmd/interdict/internal/settings"
)

// Exit codes of the command line.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// streams are what a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
	environ  []string
}

// cli is the command line.
type cli struct {
	Demo      demoCmd      `cmd:"" help:"Run everything embedded over a seeded attack hidden in background alerts."`
	Run       runCmd       `cmd:"" help:"Run hops against Kafka and ClickHouse, or embedded."`
	Replay    replayCmd    `cmd:"" help:"Run the same stages over files, without a broker."`
	Normalize normalizeCmd `cmd:"" help:"Turn vendors' alerts into OCSF, one JSON object a line."`

	Format formatCmd `cmd:"" help:"Formats: list, draft, check, test."`
	Source sourceCmd `cmd:"" help:"Sources: add, list, try, watch."`

	Intel      intelCmd      `cmd:"" help:"Indicators: import feeds, look values up."`
	Incident   incidentCmd   `cmd:"" help:"Incidents: list, show, explain."`
	Policy     policyCmd     `cmd:"" help:"Disruption policies, kill switch and releases."`
	Assets     assetsCmd     `cmd:"" help:"Inventory: import."`
	DeadLetter deadLetterCmd `cmd:"" name:"dead-letter" help:"Rejected records: list, show, send again."`

	Topics topicsCmd `cmd:"" help:"Topics on the cluster: compare and create."`
	Store  storeCmd  `cmd:"" help:"ClickHouse: migrate, erase a tenant."`
	Doctor doctorCmd `cmd:"" help:"Check everything a deployment needs."`
	Status statusCmd `cmd:"" help:"Lag, watermarks, snapshots and counts of a running deployment."`
	Config configCmd `cmd:"" help:"Check a configuration, or print a commented example."`

	Bench   benchCmd   `cmd:"" help:"Generate worlds and measure the pipeline."`
	Version versionCmd `cmd:"" help:"Print the version."`

	DevBroker devBrokerCmd `cmd:"" name:"dev-broker" help:"Serve the embedded broker, for development and tests."`
	ChdbServe chdbServeCmd `cmd:"" name:"chdb-serve" hidden:"" help:"Serve the embedded ClickHouse engine; started by others."`
}

// usage marks an error that is the caller's: exit code 2.
type usage struct{ error }

func (u usage) Unwrap() error { return u.error }

func usagef(format string, args ...any) error { return usage{fmt.Errorf(format, args...)} }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr, os.Environ()}))
}

// run executes one command line and gives its exit code. The error, if any, is
// printed here and nowhere else.
func run(ctx context.Context, args []string, s streams) (code int) {
	var c cli
	exit := -1
	parser, err := kong.New(&c, kong.Name("interdict"),
		kong.Description("A streaming detection-and-response pipeline on Kafka."),
		kong.Writers(s.out, s.err), kong.Exit(func(n int) { exit = n; panic(exiting{}) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}), kong.UsageOnError(),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(&s))
	if err != nil {
		fmt.Fprintln(s.err, "interdict:", err)
		return exitUsage
	}
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(exiting); !ok {
				panic(p)
			}
			code = exit
		}
	}()
	k, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(s.err, "interdict:", printableText(err.Error()))
		fmt.Fprintln(s.err, "Run 'interdict --help' for the commands.")
		return exitUsage
	}
	err = k.Run()
	var u usage
	var quiet quietError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &quiet):
		return int(quiet)
	case errors.As(err, &u):
		fmt.Fprintln(s.err, "interdict:", printableText(err.Error()))
		return exitUsage
	}
	fmt.Fprintln(s.err, "interdict:", printableText(err.Error()))
	return exitFailed
}

// exiting unwinds to run when kong has printed help or a version.
type exiting struct{}

// quietError is an exit code whose reason has been printed as data.
type quietError int

func (q quietError) Error() string { return fmt.Sprintf("exit code %d", int(q)) }

// configFlag names the configuration file of a command.
type configFlag struct {
	Config string `short:"c" type:"path" placeholder:"FILE" help:"Configuration file; settings may also come from INTERDICT_* variables."`
}

// load reads the configuration; what is wrong with it is the caller's error.
func (f configFlag) load(s *streams) (*settings.Config, error) {
	cfg, err := settings.Load(f.Config, s.environ)
	if err != nil {
		return nil, usage{err}
	}
	return cfg, nil
}

// examine is load for who is about to run what is configured: it gives the doubts too,
// and tells of them where the configuration cannot be run.
func (f configFlag) examine(s *streams) (*settings.Config, []settings.Finding, error) {
	cfg, doubts, err := settings.Examine(f.Config, s.environ)
	if err == nil {
		return cfg, doubts, nil
	}
	for _, d := range doubts {
		fmt.Fprintln(s.err, d)
	}
	return nil, nil, usage{err}
}

// logger makes the process's log on standard error.
func logger(cfg settings.Log, w io.Writer) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.Level)); err != nil {
		level = slog.LevelInfo // settings have been validated
	}
	opts := &slog.HandlerOptions{Level: level}
	if cfg.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}
