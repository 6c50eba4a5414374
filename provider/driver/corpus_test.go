package driver_test

import (
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/emulator"
	"github.com/lakeql/lakeql/provider/driver"
)

var update = flag.Bool("update", false, "write the results of the corpus anew")

// changing matches what differs from run to run: ids of requests and operations, and the port.
var changing = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|127\.0\.0\.1:\d+`)

const corpusFile = "testdata/corpus.txt"

// TestCorpus runs statements in the styles of StackQL's users, in the order of the file, against one
// emulator, and compares their rows, or their error, with the file's. A line that begins with # names a
// kind; a statement ends at a line of ---, its result at an empty line.
func TestCorpus(t *testing.T) {
	_, db := workspace(t, emulator.Options{}, driver.Config{})
	db.SetMaxOpenConns(1)
	text, err := os.ReadFile(corpusFile)
	if err != nil {
		t.Fatal(err)
	}
	var made strings.Builder
	count := 0
	for block := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n\n") {
		if made.Len() > 0 {
			made.WriteString("\n")
		}
		if strings.HasPrefix(block, "#") {
			made.WriteString(block + "\n")
			continue
		}
		count++
		statement, want, _ := strings.Cut(block, "\n---")
		got := changing.ReplaceAllString(corpusResult(t, db, statement), "…")
		made.WriteString(statement + "\n---\n" + got)
		if want = strings.TrimPrefix(want, "\n"); strings.TrimSuffix(got, "\n") != want && !*update {
			t.Errorf("%s\n got %s\nwant %s", statement, got, want)
		}
	}
	if count < 120 {
		t.Errorf("the corpus has %d statements", count)
	}
	if *update {
		if err := os.WriteFile(corpusFile, []byte(made.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// corpusResult is the rows of a statement, a line of JSON each, or the error.
func corpusResult(t *testing.T, db *sql.DB, statement string) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), statement)
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	defer func() { _ = rows.Close() }() // rows.Err has what matters
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for rows.Next() {
		values := make([]any, len(names))
		into := make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		parts := make([]string, len(names))
		for i, value := range values {
			if raw, ok := value.([]byte); ok {
				value = string(raw)
			}
			encoded, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			parts[i] = fmt.Sprintf("%s=%s", names[i], encoded)
		}
		b.WriteString(strings.Join(parts, " ") + "\n")
	}
	if err := rows.Err(); err != nil {
		return "error: " + err.Error() + "\n"
	}
	return b.String()
}
