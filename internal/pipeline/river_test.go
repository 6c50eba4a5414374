package pipeline

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/riverqueue/river/rivermigrate"
)

// TestOnlyOneFileKnowsRiver shows that no other file of the package imports River or names its tables.
func TestOnlyOneFileKnowsRiver(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	river := regexp.MustCompile(`\briver_[a-z]+|riverqueue/[a-z/0-9]+`)
	found := false
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case name == "river.go":
			found = river.Match(text)
		case strings.HasSuffix(name, "_test.go"): // tests look at the tables from outside
		default:
			if known := river.Find(text); known != nil {
				t.Errorf("%s knows %s: only river.go may", name, known)
			}
		}
	}
	if !found {
		t.Error("river.go does not name River's tables: this test looks for the wrong names")
	}
}

// TestRiverSchema pins the tables that the statements of river.go are written for. When it fails, a new version
// of River has changed them: read its migrations, look at those statements again, and only then change this.
func TestRiverSchema(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		s, err := openSQLite(t.Context(), filepath.Join(t.TempDir(), "store.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer s.close()
		checkRiverSchema(t, s.queue, s, "SELECT lower(type) FROM pragma_table_info(?1) WHERE name = ?2", map[string]string{
			"river_job.id": "integer", "river_job.kind": "text", "river_job.state": "text", "river_job.args": "blob", "river_job.attempt": "integer",
			"river_job.scheduled_at": "timestamp", "river_job.attempted_at": "timestamp", "river_job.finalized_at": "timestamp", "river_job.attempted_by": "blob",
			"river_leader.leader_id": "text",
		})
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		p, err := openPostgres(t.Context(), startPostgres(t), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer p.close()
		checkRiverSchema(t, p.queue, p, "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = to_regclass(?1) AND attname = ?2", map[string]string{
			"river_job.id": "bigint", "river_job.kind": "text", "river_job.state": "river_job_state", "river_job.args": "jsonb", "river_job.attempt": "smallint",
			"river_job.scheduled_at": "timestamp with time zone", "river_job.attempted_at": "timestamp with time zone", "river_job.finalized_at": "timestamp with time zone", "river_job.attempted_by": "text[]",
			"river_leader.leader_id": "text",
		})
	})
}

func checkRiverSchema[T any](t *testing.T, q *riverQueue[T], c conn, typeOf string, columns map[string]string) {
	t.Helper()
	migrator, err := rivermigrate.New(q.driver, nil)
	if err != nil {
		t.Fatal(err)
	}
	there, err := migrator.ExistingVersions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := there[len(there)-1].Version; got != riverSchema {
		t.Errorf("River's tables are of version %d, and river.go is written for %d", got, riverSchema)
	}
	for name, want := range columns {
		table, column, _ := strings.Cut(name, ".")
		var got string
		if _, err := one(context.WithoutCancel(t.Context()), c, typeOf, []any{table, column}, &got); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%s is of type %q, want %q", name, got, want)
		}
	}
}
