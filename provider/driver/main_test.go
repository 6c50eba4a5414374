package driver_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/openapi"
	"github.com/lakeql/lakeql/provider"
	"github.com/lakeql/lakeql/provider/driver"
)

const token = "dapi-of-the-tests"

// TestMain sets one credential for all tests and hides the machine's own configuration.
func TestMain(m *testing.M) {
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "DATABRICKS_") {
			_ = os.Unsetenv(name)
		}
	}
	for name, value := range map[string]string{"DATABRICKS_TOKEN": token, "DATABRICKS_CONFIG_FILE": os.DevNull} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// demo starts a workspace for the examples, and returns its address.
func demo() (host string, stop func()) {
	compiled, err := openapi.Embedded()
	if err != nil {
		panic(err)
	}
	server, err := emulator.Start(emulator.Options{Catalogue: provider.NewCatalogue(compiled), Token: token})
	if err != nil {
		panic(err)
	}
	return server.URL(), func() { _ = server.Close() }
}

// workspace starts a workspace for a test, and opens it.
func workspace(t *testing.T, opts emulator.Options, config driver.Config) (*emulator.Server, *sql.DB) {
	t.Helper()
	opts.Token = token
	server := testworld.StartEmulator(t, opts)
	config.Host = server.URL()
	return server, open(t, config)
}

// answering opens a workspace whose answers the test supplies.
func answering(t *testing.T, config driver.Config, answer http.HandlerFunc) (*httptest.Server, *sql.DB) {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	config.Host = server.URL
	return server, open(t, config)
}

func open(t *testing.T, config driver.Config) *sql.DB {
	t.Helper()
	connector, err := driver.NewConnector(config)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// read returns the rows of a query as one text.
func read(t *testing.T, rows *sql.Rows, err error) (string, error) {
	t.Helper()
	if err != nil {
		return "", err
	}
	defer func() {
		if err := rows.Close(); err != nil {
			t.Error(err)
		}
	}()
	names, err := rows.Columns()
	if err != nil {
		return "", err
	}
	var lines []string
	for rows.Next() {
		values := make([]any, len(names))
		into := make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return "", err
		}
		for i, v := range values {
			if raw, ok := v.([]byte); ok {
				values[i] = string(raw)
			}
		}
		lines = append(lines, strings.TrimSuffix(fmt.Sprintln(values...), "\n"))
	}
	return strings.Join(lines, "; "), rows.Err()
}
