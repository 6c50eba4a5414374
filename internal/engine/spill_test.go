package engine_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
)

// Large answers for the tests: pages of a list with a text in each item, and a limit of memory that is
// smaller than all pages together.
const (
	largePages = 7
	largeItems = 4
	largeText  = 1 << 13
	someMemory = largeText * largePages * largeItems / 2
	marker     = "marker-of-a-secret"
)

// large answers with a page of the list.
func large(w http.ResponseWriter, r *http.Request) {
	page := len(r.URL.Query().Get("page_token"))
	var items []string
	for i := range largeItems {
		name := fmt.Sprintf("projects/p-%02d-%d", page, i)
		text := name + strings.Repeat(marker+" <&> \\u2028 ", largeText/(len(marker)+13))
		items = append(items, fmt.Sprintf(`{"name": %q, "uid": "%s", "status": {"display_name" : "<&> \u2028",  "n": 1.0}}`, name, text))
	}
	next := ""
	if page < largePages-1 {
		next = fmt.Sprintf(`, "next_page_token": %q`, strings.Repeat("x", page+1))
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"projects": [%s]%s}`, strings.Join(items, ", "), next)
}

// TestLargeAnswersAreKeptInAFile shows that answers beyond the memory limit are kept in a file that no other
// process can read, are read back unchanged, and are removed with the statement.
func TestLargeAnswersAreKeptInAFile(t *testing.T) { // not parallel: it sets TMPDIR
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	w := newWorld(t, emulator.Options{}, func(w http.ResponseWriter, r *http.Request, _ http.Handler) { large(w, r) })
	s := w.session(t, 0)
	s.Memory = someMemory
	want, err := read(t.Context(), s, "SELECT name, length(uid), substr(uid, 1, 200), status FROM {p}")
	if err != nil || len(want) != largePages*largeItems {
		t.Fatalf("%d rows: %v", len(want), err)
	}
	if spilled := spillFiles(t, dir); len(spilled) != 0 {
		t.Errorf("a list that is read once was put aside in %q", spilled)
	}
	w.calls()
	for rows, err := range s.Run(t.Context(), named("SELECT name, length(uid), substr(uid, 1, 200), status FROM {p} UNION ALL SELECT name, length(uid), substr(uid, 1, 200), status FROM {p}")) {
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for {
			row, err := rows.Next(t.Context())
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, strings.TrimSuffix(fmt.Sprintln(row...), "\n"))
		}
		if !slices.Equal(got, append(slices.Clone(want), want...)) {
			t.Errorf("%d rows, not twice those of a list that is not put aside", len(got))
		}
		spilled := spillFiles(t, dir)
		if len(spilled) != 1 {
			t.Fatalf("put aside in %q", spilled)
		}
		data, err := os.ReadFile(spilled[0])
		if err != nil {
			t.Fatal(err)
		}
		if len(data) < largeText*largePages*largeItems-someMemory-2*largeText*largeItems {
			t.Errorf("%d bytes were put aside", len(data))
		}
		for _, plain := range []string{marker, "projects/", "display_name"} {
			if bytes.Contains(data, []byte(plain)) {
				t.Errorf("the file has %q in plain text", plain)
			}
		}
		if info, err := os.Stat(spilled[0]); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the file has mode %v: %v", info.Mode(), err)
		}
		if err := rows.Close(); err != nil {
			t.Error(err)
		}
	}
	if spilled := spillFiles(t, dir); len(spilled) != 0 {
		t.Errorf("left behind: %q", spilled)
	}
	if calls := w.calls(); len(calls) != largePages {
		t.Errorf("%d calls", len(calls))
	}
}

// TestTheFileGoesWithAStatementThatStops shows the same for rows that are closed in between.
func TestTheFileGoesWithAStatementThatStops(t *testing.T) { // not parallel: it sets TMPDIR
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	w := newWorld(t, emulator.Options{}, func(w http.ResponseWriter, r *http.Request, _ http.Handler) { large(w, r) })
	s := w.session(t, 0)
	s.Memory = someMemory
	for rows, err := range s.Run(t.Context(), named("SELECT a.name FROM {p} a, {p} b")) {
		if err != nil {
			t.Fatal(err)
		}
		for range largePages * largeItems { // of the first a, all b: everything was read
			if _, err := rows.Next(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if spilled := spillFiles(t, dir); len(spilled) != 1 {
			t.Errorf("put aside in %q", spilled)
		}
		if err := rows.Close(); err != nil {
			t.Error(err)
		}
	}
	if spilled := spillFiles(t, dir); len(spilled) != 0 {
		t.Errorf("left behind: %q", spilled)
	}
}

// TestNoRoomToPutAside shows that a statement which cannot put its answers aside says so.
func TestNoRoomToPutAside(t *testing.T) { // not parallel: it sets TMPDIR
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "nowhere"))
	w := newWorld(t, emulator.Options{}, func(w http.ResponseWriter, r *http.Request, _ http.Handler) { large(w, r) })
	s := w.session(t, 0)
	s.Memory = someMemory
	_, err := read(t.Context(), s, "SELECT count(*) FROM {p} a, {p} b")
	if e := asError(t, err); !strings.Contains(e.Message, "put answers aside in a temporary file") || !strings.Contains(e.Hint, "TMPDIR") {
		t.Errorf("got %v, hint %q", err, e.Hint)
	}
}

// spillFiles returns the open files of a folder, also those without a name, as paths to read them by.
func spillFiles(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("this system does not show the files of a process")
	}
	for _, entry := range entries {
		path := "/proc/self/fd/" + entry.Name()
		if target, err := os.Readlink(path); err == nil && strings.HasPrefix(target, dir) {
			files = append(files, path)
		}
	}
	named, err := filepath.Glob(filepath.Join(dir, "lakeql-*"))
	if err != nil {
		t.Fatal(err)
	}
	return append(files, named...)
}
