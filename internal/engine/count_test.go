package engine_test

import (
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
)

// TestCountThenRun counts the statements of a text before it runs: it runs with the meaning that it has then,
// and as often as it is asked to.
func TestCountThenRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t, emulator.Options{}, nil)
	s := w.session(t, 0)
	defer s.Close()
	const text = "SELECT count(*) FROM postgres_projects"
	count := func() {
		if n, err := s.Count(text); err != nil || n != 1 {
			t.Fatalf("%d statements, %v", n, err)
		}
	}
	s.UseFirst("databricks_workspace", []string{"postgres"})
	count()
	for range 2 {
		if rows, err := read(t.Context(), s, text); err != nil || len(rows) != 1 || rows[0] != "6" {
			t.Errorf("%q, %v", rows, err)
		}
	}
	count()
	s.UseFirst("databricks_workspace", []string{"jobs"})
	if rows, err := read(t.Context(), s, text); err == nil || !strings.Contains(err.Error(), "postgres_projects") {
		t.Errorf("in another service it means something else: %q, %v", rows, err)
	}
	count()
	if rows, err := read(t.Context(), s, "SELECT 7"); err != nil || rows[0] != "7" {
		t.Errorf("another text runs as it stands: %q, %v", rows, err)
	}
}
