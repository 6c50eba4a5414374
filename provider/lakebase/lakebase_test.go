//go:build unix

package lakebase_test

import (
	"crypto/x509"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/provider"
	"github.com/lakeql/lakeql/provider/lakebase"
)

func pool(t *testing.T, file string) *x509.CertPool {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p := x509.NewCertPool()
	p.AppendCertsFromPEM(text)
	return p
}

// TestExamples runs the examples against a PostgreSQL server with TLS, whose passwords are tokens of an
// emulator, and shows what else a program may do there.
func TestExamples(t *testing.T) {
	server := testworld.StartPostgres(t)
	roots := pool(t, server.ServeTLS(t, "127.0.0.1"))
	api := testworld.StartEmulator(t, emulator.Options{Postgres: server.DSN()})
	t.Setenv("DATABRICKS_HOST", api.URL())
	t.Setenv("DATABRICKS_TOKEN", api.Token())
	t.Setenv("DATABRICKS_CONFIG_FILE", filepath.Join(t.TempDir(), "none"))
	t.Setenv("PGHOST", "elsewhere.invalid") // what the environment says of a server is not used
	t.Setenv("PGSSLMODE", "require")
	config = lakebase.Config{Port: uint16(server.Port), Roots: roots} // a port

	for name, example := range map[string]func(){
		"ada.okafor@harbor-finch.example in projects/orders/branches/production/endpoints/primary\n": Example,
		"report in databricks_postgres\n": ExampleEndpoint_Connector,
	} {
		if got := output(t, example); got != name {
			t.Errorf("an example prints %q, want %q", got, name)
		}
	}

	t.Run("a connection is encrypted, and the token not minted again", func(t *testing.T) {
		endpoint, err := lakebase.Open(t.Context(), "orders", config)
		if err != nil {
			t.Fatal(err)
		}
		api.Reset()
		single, err := endpoint.ConnConfig(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		conn, err := pgx.ConnectConfig(t.Context(), single)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context()) //nolint:errcheck // the test is over
		var encrypted bool
		if err := conn.QueryRow(t.Context(), "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").Scan(&encrypted); err != nil || !encrypted {
			t.Error(encrypted, err)
		}
		token, err := endpoint.Token(t.Context())
		if err != nil || token.Password.Reveal() != single.Password || token.Expires.IsZero() || strings.Contains(token.Password.String(), "eyJ") {
			t.Error(token, err)
		}
		if n := len(api.Requests()); n != 0 {
			t.Errorf("%d calls after Open", n)
		}
	})
	t.Run("another certificate is refused", func(t *testing.T) {
		other := config
		other.Roots = pool(t, testworld.Certificate(t, t.TempDir(), "127.0.0.1"))
		endpoint, err := lakebase.Open(t.Context(), "orders", other)
		if err != nil {
			t.Fatal(err)
		}
		single, err := endpoint.ConnConfig(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if conn, err := pgx.ConnectConfig(t.Context(), single); err == nil || !strings.Contains(err.Error(), "certificate") || strings.Contains(err.Error(), "eyJ") {
			t.Error(conn, err)
		}
	})
	t.Run("an endpoint that is not there", func(t *testing.T) {
		if _, err := lakebase.Open(t.Context(), "nope", config); provider.CodeOf(err) != provider.API {
			t.Error(err)
		}
	})
}

// output returns what a function prints.
func output(t *testing.T, f func()) string {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	old := os.Stdout
	os.Stdout = write
	f()
	os.Stdout = old
	_ = write.Close()
	text, err := io.ReadAll(read)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
