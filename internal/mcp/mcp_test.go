package mcp

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/lakeql/lakeql/internal/statement"
)

func TestShorten(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"": "", "abcdef": "abcdef", "abcdefg": "abc…", "aüüü": "aü…", "€€€": "€…", "ab€cde": "ab…"} {
		got := shorten(text, 6)
		if got != want || !utf8.ValidString(got) || len(got) > 6 {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got := shorten("abc", 1); got != "…" {
		t.Errorf("%q", got)
	}
}

// TestGate shows that what a tool says of itself is what it lets through.
func TestGate(t *testing.T) {
	t.Parallel()
	const remove = "DELETE FROM t WHERE a = 1"
	for _, writes := range []bool{false, true} {
		for _, own := range []tool{{name: "query"}, {name: "execute", writes: true}} {
			g := gate{writes}
			_, err := g.admit(&own, remove)
			if told := g.annotations(&own); told.ReadOnlyHint != (err != nil) || *told.DestructiveHint != (err == nil) || (err == nil) != (own.writes && writes) {
				t.Errorf("%s, writes %v: %v, %+v", own.name, writes, err, told)
			}
			if effect, err := g.admit(&own, "EXPLAIN "+remove); err != nil || effect != statement.Reads {
				t.Errorf("%s, writes %v: EXPLAIN: %v, %v", own.name, writes, effect, err)
			}
		}
	}
}

// TestQuestions: an answer counts once, for its statement, and there is a bound on how many are open.
func TestQuestions(t *testing.T) {
	t.Parallel()
	var q questions
	first := q.ask("a")
	if q.take(first, "b") || q.take(first, "a") {
		t.Error("a question has an answer about another statement")
	}
	first = q.ask("a")
	if !q.take(first, "a") || q.take(first, "a") || q.take("", "a") {
		t.Error("an answer does not count once")
	}
	first = q.ask("a")
	for i := range mostQuestions {
		q.ask(fmt.Sprint(i))
	}
	if len(q.open) != mostQuestions || q.take(first, "a") {
		t.Errorf("%d questions are open", len(q.open))
	}
}

func TestWithin(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ query, workspace, want string }{
		{"SELECT 1 FROM p[where p]", "", "SELECT 1 FROM p"},
		{"SELECT 1 FROM p[where p]", "*", "SELECT 1 FROM p\nWHERE p.deployment_name = '*'"},
		{"FROM p JOIN b ON b.parent = p.name[b=p] WHERE true[and p]", "w", "FROM p JOIN b ON b.parent = p.name AND b.deployment_name = p.deployment_name WHERE true AND p.deployment_name = 'w'"},
		{`WHERE x = '["UI", "API"]'[and p]`, "", `WHERE x = '["UI", "API"]'`},
	} {
		if got := within(test.query, test.workspace); got != test.want {
			t.Errorf("%s: %s", test.query, got)
		}
	}
	for _, i := range inventories() {
		for _, q := range i.queries {
			if statements, err := statement.Parse(within(q, "*")); err != nil || len(statements) != 1 || strings.Contains(within(q, ""), "[where") {
				t.Errorf("%s: %v", q, err)
			}
		}
	}
}
