package driver_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/provider"
	"github.com/lakeql/lakeql/provider/driver"
)

// TestMemoryOfSQLite shows that a statement which needs too much memory is an error for the program
// that runs it, and that its connection is as good as before.
func TestMemoryOfSQLite(t *testing.T) {
	t.Parallel()
	_, db := workspace(t, emulator.Options{}, driver.Config{Memory: 8 << 20})
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }() // it goes back to its pool
	if _, err := conn.ExecContext(t.Context(), "CREATE TEMP TABLE t AS SELECT 'kept' AS a"); err != nil {
		t.Fatal(err)
	}
	const rows = "(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 2000) SELECT n FROM c)"
	for _, text := range []string{
		"SELECT group_concat(printf('%010000d', n)) FROM " + rows,
		"SELECT n FROM (SELECT 0 AS n UNION ALL SELECT length(group_concat(printf('%010000d', n))) FROM " + rows + ")",
		"SELECT hex(zeroblob(2000000))",
		"INSERT INTO t SELECT group_concat(printf('%010000d', n)) FROM " + rows,
		"UPDATE t SET a = (SELECT group_concat(printf('%010000d', n)) FROM " + rows + ")",
		"EXPLAIN ANALYZE SELECT group_concat(printf('%010000d', n)) FROM " + rows,
		"CREATE TABLE u AS SELECT group_concat(printf('%010000d', n)) FROM " + rows,
	} {
		err := func() error {
			found, err := conn.QueryContext(t.Context(), text)
			if err != nil {
				return err
			}
			defer func() { _ = found.Close() }() // Err says what there is to say
			for found.Next() {
				continue
			}
			return found.Err()
		}()
		e, ok := errors.AsType[*provider.Error](err)
		if !ok || e.Code != provider.API || !strings.Contains(e.Message, "MiB") {
			t.Errorf("%s: %v", text, err)
		}
		var kept string
		if err := conn.QueryRowContext(t.Context(), "SELECT a FROM t").Scan(&kept); err != nil || kept != "kept" {
			t.Errorf("after %s: %q, %v", text, kept, err)
		}
	}
}
