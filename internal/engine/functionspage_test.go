//go:build unix

package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/lakeql/lakeql/internal/functions"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/internal/testworld"
)

// example is a line of docs/functions.md.
type example struct{ names, text, want string }

// examples reads the examples of the page.
func examples(t *testing.T) []example {
	t.Helper()
	page, err := os.ReadFile("../../docs/functions.md")
	if err != nil {
		t.Fatal(err)
	}
	var all []example
	for _, match := range regexp.MustCompile("(?m)^\\| (.*?) \\| `(.+)` \\| `(.*)` \\|$").FindAllStringSubmatch(string(page), -1) {
		plain := strings.NewReplacer(`\|`, "|")
		all = append(all, example{match[1], plain.Replace(match[2]), plain.Replace(match[3])})
	}
	return all
}

// query is the statement of an example.
func (e example) query() string {
	if strings.HasPrefix(e.text, "SELECT ") {
		return e.text
	}
	return "SELECT " + e.text
}

// written is a result as the page writes it.
func written(rows [][]any) string {
	var lines []string
	for _, row := range rows {
		var values []string
		for _, value := range row {
			switch v := value.(type) {
			case nil:
				values = append(values, "NULL")
			case json.RawMessage:
				values = append(values, string(v))
			case float64:
				values = append(values, strconv.FormatFloat(v, 'g', -1, 64))
			default:
				values = append(values, fmt.Sprint(v))
			}
		}
		lines = append(lines, strings.Join(values, ", "))
	}
	return strings.Join(lines, "; ")
}

// TestFunctionsPage runs each example of the page, and finds each function on it.
func TestFunctionsPage(t *testing.T) {
	s := session(t)
	defer s.Close()
	all := examples(t)
	if len(all) < 150 {
		t.Fatalf("the page has %d examples", len(all))
	}
	names := ""
	for _, e := range all {
		names += e.names + "\n"
		rows, err := only(t, s, e.query())
		if got := written(rows); err != nil || got != e.want {
			t.Errorf("%s: %s, %v; want %s", e.text, got, err, e.want)
		}
	}
	for _, name := range functions.Names() {
		if !strings.Contains(names, "`"+name+"`") {
			t.Errorf("the page has no line for %s", name)
		}
	}
}

// TestPostgreSQLAgrees runs each example in PostgreSQL as well. The results are the same, but for how
// SQLite writes booleans, times and JSON.
func TestPostgreSQLAgrees(t *testing.T) {
	server := testworld.StartPostgres(t)
	conn, err := pgx.Connect(t.Context(), server.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }() // the test's context has ended then
	if _, err := conn.Exec(t.Context(), "SET timezone = 'UTC'"); err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, e := range examples(t) {
		if strings.Contains(e.text, "json_equal") || strings.Contains(e.text, "$2 $1") || strings.Contains(e.text, "gen_random") {
			continue // lakeql's own
		}
		if strings.Contains(e.text, "AS group") || strings.Contains(e.text, "Ärger") {
			continue // it wants quotes there; the server's locale is C
		}
		rows, err := conn.Query(t.Context(), e.query(), pgx.QueryExecModeSimpleProtocol)
		if err != nil {
			t.Errorf("%s: %v", e.text, err)
			continue
		}
		var lines []string
		for rows.Next() {
			var values []string
			for i, raw := range rows.RawValues() {
				value := string(raw)
				if raw == nil {
					value = "NULL"
				}
				values = append(values, asSQLite(value, rows.FieldDescriptions()[i].DataTypeOID))
			}
			lines = append(lines, strings.Join(values, ", "))
		}
		if rows.Err() != nil {
			t.Errorf("%s: %v", e.text, rows.Err())
			continue
		}
		compared++
		if got := strings.Join(lines, "; "); !sameResult(got, e.want) {
			t.Errorf("%s: PostgreSQL returns %s, lakeql %s", e.text, got, e.want)
		}
	}
	if compared < 140 {
		t.Errorf("only %d examples were compared", compared)
	}
}

// asSQLite writes a value of PostgreSQL's as SQLite has it.
func asSQLite(value string, oid uint32) string {
	switch oid {
	case 16: // bool
		return map[string]string{"t": "1", "f": "0"}[value]
	case 1114, 1184: // timestamp, timestamptz
		if parsed, ok := statement.ParseTime(value); ok {
			text := parsed.UTC().Format("2006-01-02T15:04:05.999999")
			if oid == 1184 {
				text += "Z"
			}
			return text
		}
	}
	return value
}

// sameResult compares results as texts, as numbers, as JSON, or as an array of PostgreSQL's.
func sameResult(postgres, ours string) bool {
	if postgres == ours || strings.TrimSuffix(ours, "Z") == strings.TrimSuffix(postgres, "Z") {
		return true
	}
	a, errA := strconv.ParseFloat(postgres, 64)
	b, errB := strconv.ParseFloat(ours, 64)
	if errA == nil && errB == nil {
		return math.Abs(a-b) < 1e-9
	}
	list := func(text string) string {
		return strings.NewReplacer(" ", "", "{", "[", "}", "]", `"`, "").Replace(text)
	}
	return list(postgres) == list(ours) || list(strings.ReplaceAll(postgres, `\"`, "")) == list(ours)
}
