package engine_test

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lakeql/lakeql/internal/connect"
	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/internal/engine"
)

// workspaces starts servers whose lists of projects have one project each, which is named after the server's
// number. The next answer of a server is longer by extra characters.
func workspaces(t *testing.T, n, extra int) []*world {
	t.Helper()
	all := make([]*world, n)
	for i := range all {
		first, other := fmt.Sprintf(`{"name": "projects/of-%d", "uid": "%s"}`, i, strings.Repeat("u", extra)), `{"name": "projects/other"}`
		all[i] = newWorld(t, emulator.Options{}, func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			w.Header().Set("Content-Type", "application/json")
			answer := `{"projects": [` + first + `, ` + other + `]}`
			switch path.Base(r.URL.Path) {
			case "projects":
			case "other":
				answer = other
			default:
				answer = first
			}
			_, _ = io.WriteString(w, answer) // a session that went away reports it
		})
	}
	return all
}

// TestProgramsOnce asks one query of many workspaces, in new sessions, one after the other and at the same
// time. It is compiled once for each that runs at the same time, and each session has the rows of its own
// workspace.
func TestProgramsOnce(t *testing.T) {
	t.Parallel()
	programs := &engine.Programs{}
	worlds := workspaces(t, 8, 1)
	ask := func(i int) {
		s := worlds[i].session(t, 0)
		defer s.Close()
		s.Programs = programs
		rows, err := read(t.Context(), s, "SELECT name FROM {p} WHERE name LIKE 'projects/of%'")
		if want := []string{fmt.Sprintf("projects/of-%d", i)}; err != nil || !slices.Equal(rows, want) {
			t.Errorf("workspace %d: %q, %v, want %q", i, rows, err, want)
		}
	}
	for i := range worlds {
		ask(i)
	}
	if n := programs.Compiled(); n != 1 {
		t.Errorf("%d workspaces, one after the other: the query was compiled %d times, want once", len(worlds), n)
	}
	for range 3 {
		var all sync.WaitGroup
		for i := range worlds {
			all.Go(func() { ask(i) })
		}
		all.Wait()
	}
	if n := programs.Compiled(); n > len(worlds) {
		t.Errorf("%d workspaces at a time: the query was compiled %d times", len(worlds), n)
	}
	if err := programs.Close(); err != nil {
		t.Error(err)
	}
	before := programs.Compiled()
	ask(0)
	ask(0)
	if n := programs.Compiled() - before; n != 2 {
		t.Errorf("after Close, two queries were compiled %d times", n)
	}
}

// TestProgramsDiffer asks queries between which something differs that a plan depends on, or that a run leaves
// behind. Each returns what it returns alone.
func TestProgramsDiffer(t *testing.T) {
	t.Parallel()
	const name = "SELECT name FROM {p} WHERE name = 'projects/of-0'"
	worlds := workspaces(t, 1, 1)
	long := workspaces(t, 1, 2<<20)
	for title, test := range map[string]struct {
		world       *world
		first, next string
		between     func(t *testing.T, s *engine.Session)
		compiled    int
		want        string // the rows of the second
		fault       string // a part of its error
	}{
		"another constraint": {
			first: name, next: "SELECT name FROM {p} WHERE name = 'projects/other'", compiled: 2, want: "projects/other",
		},
		"no constraint": {
			first: name, next: "SELECT name FROM {p}", compiled: 2, want: "projects/of-0\nprojects/other",
		},
		"another name by the same text": {
			first: "SELECT count(*) FROM postgres_projects", next: "SELECT count(*) FROM postgres_projects", compiled: 2, fault: "postgres_projects",
			between: func(t *testing.T, s *engine.Session) {
				t.Helper()
				do(t, s, "USE databricks_workspace.jobs")
			},
		},
		"documents": {
			first: name, next: name, compiled: 2, want: "projects/of-0",
			between: func(t *testing.T, s *engine.Session) {
				t.Helper()
				other, err := connect.Catalogue()
				if err != nil {
					t.Fatal(err)
				}
				s.Catalogue, s.Client.Catalogue = other, other
			},
		},
		"masks": {
			first: name, next: name, compiled: 2, want: "projects/of-0",
			between: func(_ *testing.T, s *engine.Session) { s.Masked = true },
		},
		"memory": {
			first: name, next: name, compiled: 2, want: "projects/of-0",
			between: func(_ *testing.T, s *engine.Session) { s.SQLMemory = 64 << 20 },
		},
		"functions": {
			first: name, next: name, compiled: 2, want: "projects/of-0",
			between: func(_ *testing.T, s *engine.Session) { s.Functions = map[string]string{"f": "x.y.z"} },
		},
		"nothing": {first: name, next: name, compiled: 1, want: "projects/of-0"},
		"a LIMIT": {
			first: "SELECT name FROM {p} LIMIT 1", next: "SELECT name FROM {p} LIMIT 1", compiled: 1, want: "projects/of-0",
		},
		"many bytes": {
			world: long[0], first: "SELECT length(uid) FROM {p} WHERE name = 'projects/of-0'", next: "SELECT length(uid) FROM {p} WHERE name = 'projects/of-0'",
			compiled: 2, want: "2097152",
		},
		"an error": {
			first: "SELECT json(name) FROM {p}", next: "SELECT json(name) FROM {p}", compiled: 2, fault: "malformed JSON",
		},
		"a table of the user's": {
			first: "SELECT a FROM mine", next: "SELECT a FROM mine", compiled: 2, want: "2",
			between: func(t *testing.T, s *engine.Session) {
				t.Helper()
				do(t, s, "DROP TABLE mine")
				do(t, s, "CREATE TABLE mine AS SELECT 2 AS a")
			},
		},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			s := cmp.Or(test.world, worlds[0]).session(t, 0)
			defer s.Close()
			if strings.Contains(test.first, "FROM mine") {
				do(t, s, "CREATE TABLE mine AS SELECT 1 AS a")
			}
			if strings.Contains(test.first, "FROM postgres_projects") {
				do(t, s, "USE databricks_workspace.postgres")
			}
			programs := &engine.Programs{}
			s.Programs = programs
			_, _ = read(t.Context(), s, test.first) // an error of the first is the second's too
			s.Programs = nil
			if test.between != nil {
				test.between(t, s)
			}
			s.Programs = programs
			rows, err := read(t.Context(), s, test.next)
			got := strings.Join(rows, "\n")
			if test.fault != "" && (err == nil || !strings.Contains(err.Error(), test.fault)) || test.fault == "" && (err != nil || got != test.want) {
				t.Errorf("%q, %v, want %q", got, err, test.want+test.fault)
			}
			if n := programs.Compiled(); n != test.compiled {
				t.Errorf("compiled %d times, want %d", n, test.compiled)
			}
			if err := programs.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestProgramsLeft stops to read rows before the last one. The next run begins at the first row.
func TestProgramsLeft(t *testing.T) {
	t.Parallel()
	s := workspaces(t, 1, 1)[0].session(t, 0)
	defer s.Close()
	s.Programs = &engine.Programs{}
	for range 2 {
		for rows, err := range s.Run(t.Context(), named("SELECT name FROM {p}")) {
			if err != nil {
				t.Fatal(err)
			}
			row, err := rows.Next(t.Context())
			if err := errors.Join(err, rows.Close()); err != nil || row[0] != "projects/of-0" {
				t.Errorf("the first row is %v: %v", row, err)
			}
		}
	}
	if n := s.Programs.Compiled(); n != 2 {
		t.Errorf("compiled %d times, want 2", n)
	}
	if err := s.Programs.Close(); err != nil {
		t.Error(err)
	}
}

// do runs a statement, which must not fail.
func do(t *testing.T, s *engine.Session, text string) {
	t.Helper()
	if _, err := read(t.Context(), s, text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}
