package clickhouse_test

import (
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/interdict/interdict/stages/persist"
	"github.com/interdict/interdict/store/clickhouse"
)

// TestPasswordFile holds that the secret may come from a file for reads and
// writes alike, and that a wrong one is refused.
func TestPasswordFile(t *testing.T) {
	u, err := url.Parse(shared.DSN())
	if err != nil {
		t.Fatal(err)
	}
	secret, ok := u.User.Password()
	if !ok {
		t.Fatal("the engine's DSN has no password to take out")
	}
	u.User = url.User(u.User.Username())
	file := filepath.Join(t.TempDir(), "password")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg := clickhouse.DefaultConfig()
	cfg.DSN, cfg.PasswordFile, cfg.Database = u.String(), file, "password_file"
	write(secret + "\n")
	s, err := clickhouse.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	rows := persist.Rows{Completeness: make([]persist.Completeness, 1)}
	if _, err := s.Write(t.Context(), "token", &rows); err != nil {
		t.Errorf("writing: %v", err)
	}
	write("wrong")
	if x, err := clickhouse.Open(t.Context(), cfg); err == nil {
		x.Close()
		t.Error("a wrong password was accepted")
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if x, err := clickhouse.Open(t.Context(), cfg); err == nil {
		x.Close()
		t.Error("a missing password file was accepted")
	}
}
