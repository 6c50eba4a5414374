package statement

import (
	"slices"
	"strings"
	"testing"
)

// TestEdited finds the places in the source that parts of an edited query come from.
func TestEdited(t *testing.T) {
	const source = "SELECT 1;\nSELECT a.b.c.d, f(é)\nFROM a.b.c"
	statements, err := Parse(source)
	if err != nil {
		t.Fatal(err)
	}
	q := statements[1].(*Query)
	edits, err := q.Renames(func(table Table) (string, error) {
		if table.From {
			return `"a.b.c" AS c`, nil
		}
		return "c", nil
	})
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(q.Text, "f(")
	edits = append(edits, Edit{at, at, "g("}, Edit{at + 5, at + 5, ")"})
	slices.Reverse(edits)
	edited := q.Edit(edits)
	if want := "SELECT c.d, g(f(é))\nFROM \"a.b.c\" AS c"; edited.Text != want {
		t.Fatalf("edited to %q, want %q", edited.Text, want)
	}
	for part, want := range map[string][2]int{"SELECT": {2, 1}, "c.d": {2, 8}, "d,": {2, 14}, "g(": {2, 17}, "f(": {2, 17}, "é": {2, 19}, "FROM": {3, 1}, `"a.b.c"`: {3, 6}} {
		if pos := edited.At(strings.Index(edited.Text, part)); pos.Line != want[0] || pos.Column != want[1] {
			t.Errorf("%s is at %d:%d, want %d:%d", part, pos.Line, pos.Column, want[0], want[1])
		}
	}
}
