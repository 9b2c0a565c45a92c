package retro

import (
	"bufio"
	"fmt"
	"os"
	"testing"

	"github.com/interdict/interdict/schema"
)

// roleEnv makes the test binary play the process that is killed.
const roleEnv = "RETRO_TEST_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(roleEnv); dir != "" {
		os.Exit(remember(dir))
	}
	os.Exit(m.Run())
}

// numbered is the n-th of a sequence of alerts over a few hours.
func numbered(n int) schema.Alert {
	return schema.Alert{Tenant: "acme", Created: noon - schema.Millis(n%7)*schema.Hour, Ingested: noon,
		Entities: []schema.Entity{{Type: schema.EntityFileHash, Key: fmt.Sprintf("%032x", n)}, {Type: schema.EntityDomain, Key: fmt.Sprintf("h%d.bad.example", n)}}}
}

// remember sees alert after alert, tells each that was acknowledged, and folds often.
// It never ends.
func remember(dir string) int {
	cfg := DefaultConfig()
	cfg.Dir, cfg.Pending = dir, 1000
	s, err := Open(cfg)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	start := 0
	fmt.Sscan(os.Getenv("RETRO_TEST_FROM"), &start)
	out := bufio.NewWriter(os.Stdout)
	for n := start; ; n += 10 {
		var part []schema.Alert
		for k := range 10 {
			part = append(part, numbered(n+k))
		}
		if err := s.See(part); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		if n/10%5 == 0 {
			if err := s.Fold(noon); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
		}
		fmt.Fprintln(out, n+9)
		if out.Flush() != nil {
			return 0
		}
	}
}
