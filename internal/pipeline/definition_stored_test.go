package pipeline

import (
	"strings"
	"testing"
)

// TestStoredDefinitions shows that names which a store's file holds are checked before they become
// SQL.
func TestStoredDefinitions(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"name": "p", "tables": [{"name": "t", "key": ["a"], "query": "SELECT 1", "columns": [{"name": "a", "type": "text"}]}]}`:        "",
		`{"name": "p", "tables": [{"name": "t$lakeql$ LANGUAGE sql; DROP TABLE x; --", "query": "SELECT 1"}]}`:                           "DROP TABLE x",
		`{"name": "p", "tables": [{"name": "t", "query": "SELECT 1", "columns": [{"name": "a\u0000", "type": "text"}]}]}`:                "t.a",
		`{"name": "p", "tables": [{"name": "t", "query": "SELECT 1", "columns": [{"name": "a", "type": "text); DROP TABLE x; --"}]}]}`:   "DROP TABLE x",
		`{"name": "p", "tables": [{"name": "t", "query": "SELECT 1", "columns": [{"name": "a\"); DROP TABLE x; --", "type": "text"}]}]}`: "DROP TABLE x",
	} {
		_, err := decodeDefinition([]byte(body))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "is damaged")) {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
}
