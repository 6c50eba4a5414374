//go:build unix

package pipeline

import (
	"testing"

	"github.com/lakeql/lakeql/internal/testworld"
)

// startPostgres runs a PostgreSQL server until the test ends, and returns the connection string of an empty
// database.
func startPostgres(t *testing.T) (dsn string) {
	t.Helper()
	return testworld.StartPostgres(t).URL("postgres")
}
