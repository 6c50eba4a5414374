package statement_test

import (
	"slices"
	"testing"

	"github.com/lakeql/lakeql/internal/statement"
)

func TestEqualities(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]statement.Equality{
		"SELECT 1": nil,
		"SELECT a FROM t WHERE a = 'x' AND t.b = 5 AND c == ?": {{Column: "a", Value: "'x'"}, {Column: "b", Value: "5"}, {Column: "c", Value: "?"}},
		"SELECT a FROM t WHERE 'x' = a AND :n = \"b c\"":       {{Column: "a", Value: "'x'"}, {Column: "b c", Value: ":n"}},
		"SELECT a FROM t WHERE a = true AND FALSE = b":         {{Column: "a", Value: "true"}, {Column: "b", Value: "FALSE"}},
		"SELECT a FROM t WHERE a = b AND a = 'x' || b":         nil,
		"SELECT a FROM t WHERE 1 + a = 2 AND 'x' = t.a":        nil,
		"SELECT a FROM t WHERE a <= 1 AND b != 2 AND c > 'it'": nil,
		"SELECT a FROM t WHERE a = 'it''s'":                    {{Column: "a", Value: "'it''s'"}},
	} {
		parsed, err := statement.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := parsed[0].(*statement.Query).Equalities(); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
