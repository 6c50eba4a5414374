package postgres_test

import (
	"errors"
	"testing"

	"github.com/lakeql/lakeql/internal/lakebase"
	"github.com/lakeql/lakeql/internal/postgres"
	"github.com/lakeql/lakeql/provider"
)

// TestNoServer shows which hosts get the hint that an emulator may have no server.
func TestNoServer(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"ep-calm-harbor-1.database.localhost":            postgres.NoServer,
		"ep-calm-harbor-1.database.cloud.databricks.com": "",
		"127.0.0.1": "",
	} {
		err := postgres.LoginError(lakebase.Login{Host: host, Port: 5432}, errors.New("connection refused"))
		if got := provider.HintOf(err); got != want {
			t.Errorf("%s: %q", host, got)
		}
	}
}
