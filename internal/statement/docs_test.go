package statement

import (
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	sqlBlock = regexp.MustCompile("(?s)```sql\n(.*?)```")
	// onPages is a placeholder of a page, and stringOnPages a string, of which it may be a part.
	onPages       = regexp.MustCompile(`\{\{[^{}]*\}\}`)
	stringOnPages = regexp.MustCompile(`'[^']*'`)
	// listed matches a line of a statement that begins with a name and = or is one: the pages write a
	// column a line.
	listed = regexp.MustCompile(`(?m)^(?:WHERE |AND )?("[^"]+"|\w+)(?: = |,?$)`)
)

// Every statement that the pages publish is read, its clauses found where they stand: as it is where
// placeholders stand in strings alone, else with values in their place.
func TestPublishedStatements(t *testing.T) {
	t.Parallel()
	kinds := map[string]int{}
	docs := os.DirFS("../../docs")
	err := fs.WalkDir(docs, ".", func(path string, entry fs.DirEntry, err error) error {
		if path == "site" { // the site over the pages; internal/cli tests what it adds
			return fs.SkipDir
		}
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".md") || !strings.Contains(path, "/") { // a guide: internal/cli tests it
			return err
		}
		page, err := fs.ReadFile(docs, path)
		if err != nil {
			return err
		}
		for _, block := range sqlBlock.FindAllStringSubmatch(string(page), -1) {
			kinds[published(t, path, block[1])]++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for kind, least := range map[string]int{"SELECT": 500, "EXEC": 100, "INSERT": 150, "UPDATE": 100, "REPLACE": 50, "DELETE": 150} {
		if kinds[kind] < least {
			t.Errorf("%d pages have %s, want %d at least", kinds[kind], kind, least)
		}
	}
}

// published checks one statement and returns its first word.
func published(t *testing.T, path, text string) string {
	t.Helper()
	all, err := Parse(text)
	if bare := stringOnPages.ReplaceAllString(text, "''"); strings.Contains(bare, "{{") {
		if err == nil || !strings.Contains(err.Error(), "was not filled in") {
			t.Errorf("%s: a placeholder outside of strings is taken: %v\n%s", path, err, text)
		}
		text = onPages.ReplaceAllString(text, "1")
		all, err = Parse(text)
	}
	if err != nil || len(all) != 1 {
		t.Errorf("%s: %d statements, %v\n%s", path, len(all), err, text)
		return ""
	}
	checkQueries(t, text, all[0])
	returning := func(q *Query) {
		if _, want, ok := strings.Cut(text, "RETURNING\n"); ok != (q != nil) || ok && q.Text != strings.TrimRight(want, "\n;") {
			t.Errorf("%s: RETURNING is %+v\n%s", path, q, text)
		}
	}
	names := func(from, to string, got []Ident) {
		_, lines, _ := strings.Cut(text, from)
		lines, _, _ = strings.Cut(lines, to)
		var want []string
		for _, match := range listed.FindAllStringSubmatch(lines, -1) {
			want = append(want, strings.Trim(match[1], `"`))
		}
		var have []string
		for _, ident := range got {
			have = append(have, ident.Text)
		}
		if len(want) == 0 || !slices.Equal(have, want) {
			t.Errorf("%s: the columns are %q, want %q\n%s", path, have, want, text)
		}
	}
	conditions := func(q *Query) {
		if want := len(regexp.MustCompile(`(?m)^(WHERE|AND) `).FindAllString(text, -1)); q == nil || strings.Count(q.Text, "\nAND ")+1 != want {
			t.Errorf("%s: the condition is %+v, want %d terms\n%s", path, q, want, text)
		}
	}
	word, _, _ := strings.Cut(strings.ToUpper(text), " ")
	word, _, _ = strings.Cut(word, "\n")
	switch s := all[0].(type) {
	case *Insert:
		returning(s.Returning)
		names("(\n", "\n)", s.Columns)
	case *Update:
		returning(s.Returning)
		conditions(s.Where)
		var columns []Ident
		for _, a := range s.Set {
			columns = append(columns, a.Column)
		}
		names("SET\n", "\nWHERE", columns)
	case *Delete:
		returning(s.Returning)
		conditions(s.Where)
	}
	return word
}
