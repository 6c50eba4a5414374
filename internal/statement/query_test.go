package statement

import (
	"reflect"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/provider"
)

// queriesOf returns all queries that are part of a statement.
func queriesOf(s Statement) []*Query {
	switch s := s.(type) {
	case *Query:
		return []*Query{s}
	case *Explain:
		return queriesOf(s.Statement)
	}
	var all []*Query
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i).Interface().(type) {
		case *Query:
			if f != nil {
				all = append(all, f)
			}
		case []Assignment:
			for _, a := range f {
				all = append(all, a.Value)
			}
		}
	}
	return all
}

// checkQueries checks rules for every query: its text equals its part of the source, except for blanks,
// and its positions are positions in the source.
func checkQueries(t *testing.T, text string, s Statement) {
	t.Helper()
	for _, q := range queriesOf(s) {
		if q.Text == "" || strings.Trim(q.Text, " \t\r\n\f") != q.Text {
			t.Fatalf("the text %q begins or ends with blanks", q.Text)
		}
		if q.origin != nil {
			checkTranslated(t, text, q)
		} else if want := provider.PositionAt(text, q.start); q.Position != want || q.At(0) != want {
			t.Fatalf("%q is at %+v and At(0) %+v, want %+v", q.Text, q.Position, q.At(0), want)
		}
		for i := range len(q.Text) {
			if q.origin != nil {
				break
			}
			if c := text[q.start+i]; q.Text[i] != c && q.Text[i] != ' ' && q.Text[i] != ',' {
				t.Fatalf("byte %d of %q is %q in the source", i, q.Text, c)
			}
		}
		at := 0
		for _, table := range q.Tables {
			if table.Start < at || table.End > len(q.Text) {
				t.Fatalf("the table %s is at %d to %d of %q", table.Name, table.Start, table.End, q.Text)
			}
			at = table.End
			if table.Name[0].Pos != q.At(table.Start) {
				t.Fatalf("the table %s is at %+v, want %+v", table.Name, table.Name[0].Pos, q.At(table.Start))
			}
			for _, part := range table.Name {
				if part.Pos != provider.PositionAt(text, part.Pos.Offset) {
					t.Fatalf("the part %q is at %+v", part.Text, part.Pos)
				}
			}
		}
		same := func(t Table) (string, error) { return q.Text[t.Start:t.End], nil }
		if got, err := rewriteTenants(q, same, nil); err != nil || got != q.Text {
			t.Fatalf("rewritten to itself %q is %q, %v", q.Text, got, err)
		}
		if got, err := rewriteTenants(q, same, map[string]string{tenant: "W"}); err != nil || q.Everywhere(tenant) == (got == q.Text) {
			t.Fatalf("Everywhere is %v of %q, which becomes %q, %v", q.Everywhere(tenant), q.Text, got, err)
		}
	}
}

// checkTranslated checks what holds of every query that was translated: each part of it comes from the
// statement, in order, and it holds nothing more to translate.
func checkTranslated(t *testing.T, text string, q *Query) {
	t.Helper()
	if q.Position != q.At(0) {
		t.Fatalf("%q is at %+v and At(0) %+v", q.Text, q.Position, q.At(0))
	}
	at := 0
	for i := range len(q.Text) {
		pos := q.At(i)
		if pos != provider.PositionAt(text, pos.Offset) || pos.Offset < at || pos.Offset > len(text) {
			t.Fatalf("byte %d of %q is at %+v, behind %d", i, q.Text, pos, at)
		}
		at = pos.Offset
	}
}

// The whole statement is kept beside its parts, without the semicolon and with markers blank.
func TestWhole(t *testing.T) {
	t.Parallel()
	whole := func(s Statement) *Query {
		switch s := s.(type) {
		case *Insert:
			return s.Whole
		case *Update:
			return s.Whole
		case *Delete:
			return s.Whole
		}
		return nil
	}
	for text, want := range map[string]string{
		" INSERT INTO t (a) SELECT b FROM p.s.r -- x\n;":        "INSERT INTO t (a) SELECT b FROM p.s.r",
		"WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x;":   "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x",
		"UPDATE t SET a = 1 --required WHERE b = 2 RETURNING c": "UPDATE t SET a = 1            WHERE b = 2 RETURNING c",
		"DELETE FROM t -- required\n WHERE b IN (SELECT 1)":     "DELETE FROM t            \n WHERE b IN (SELECT 1)",
	} {
		all, err := Parse(text)
		if err != nil {
			t.Errorf("Parse(%q): %v", text, err)
			continue
		}
		if got := whole(all[0]); got == nil || got.Text != want {
			t.Errorf("the whole of %q is %+v", text, got)
		}
		checkQueries(t, text, all[0])
	}
}

// A part of a statement has the tables that are named in it and no others.
func TestTablesOfParts(t *testing.T) {
	t.Parallel()
	tables := func(q *Query) string {
		var all []string
		for _, table := range q.Tables {
			text := table.Name.String()
			if table.Qualifier {
				text += " qualifies"
			}
			if table.Alias {
				text += " AS"
			}
			all = append(all, text)
		}
		return strings.Join(all, ", ")
	}
	in := oneOf[*Insert](t, "INSERT INTO p.s.into (a) SELECT p.s.r.a FROM p.s.r, p.s.q x JOIN y ON y.a IS DISTINCT FROM m.y.a AND y.a = p.s.r.a, p.s.n WHERE x.a IS DISTINCT FROM m.x.a RETURNING p.s.into.a, (SELECT 1 FROM p.s.z)")
	up := oneOf[*Update](t, "UPDATE p.s.up SET a = (SELECT b FROM p.s.v), p.s.up.b = p.s.up.c FROM p.s.f WHERE p.s.up.id IN (SELECT p.s.w.* FROM p.s.w) RETURNING p.s.up.*")
	with := oneOf[*Insert](t, "WITH x AS (SELECT * FROM p.s.c) INSERT INTO p.s.into SELECT * FROM x, p.s.r")
	for _, test := range []struct {
		query *Query
		want  string
	}{
		{in.Source, "p.s.r qualifies, p.s.r AS, p.s.q, m.y.a, p.s.r qualifies, p.s.n AS, m.x.a"},
		{in.Returning, "p.s.into qualifies, p.s.z AS"},
		{up.Set[0].Value, "p.s.v AS"},
		{up.Set[1].Value, "p.s.up qualifies"},
		{up.From, "p.s.f AS"},
		{up.Where, "p.s.up qualifies, p.s.w qualifies, p.s.w AS"},
		{up.Returning, "p.s.up qualifies"},
		{with.Source, "p.s.c AS, p.s.r AS"},
	} {
		if got := tables(test.query); got != test.want {
			t.Errorf("the tables of %q are %q, want %q", test.query.Text, got, test.want)
		}
	}
	if name := in.Source.Tables[1].Name[2]; name.Pos.Column != 50 {
		t.Errorf("the resource is at column %d, want 50", name.Pos.Column)
	}
}

func TestMentions(t *testing.T) {
	t.Parallel()
	q := oneOf[*Query](t, "WITH c AS (SELECT 'text', :param, x'ab', 1e5 FROM Big) -- comment\n"+
		"SELECT \"Quoted Name\", `back`, a.b, p.s.res.col FROM main.t AS größe /* block */ JOIN p.s.r ON 1")
	for name, want := range map[string]bool{
		"big": true, "BIG": true, "quoted name": true, "BACK": true, "a": true, "b": true, "main": true, "T": true, "größe": true, "c": true,
		"text": false, "param": false, "x": false, "e5": false, "comment": false, "block": false, "p": false, "res": false, "r": false, "col": false,
		"gr": false, "": false, "quoted": false,
	} {
		if got := q.Mentions(name); got != want {
			t.Errorf("Mentions(%q) = %v", name, got)
		}
	}
	in := oneOf[*Insert](t, "INSERT INTO t (a) SELECT b FROM u RETURNING c")
	if !in.Source.Mentions("u") || in.Source.Mentions("t") || in.Source.Mentions("c") || !in.Whole.Mentions("t") || !in.Returning.Mentions("c") {
		t.Error("a part mentions what is not in it, or not what is")
	}
	with := oneOf[*Insert](t, "WITH x AS (SELECT 1 FROM y) INSERT INTO t SELECT 1 FROM u")
	if !with.Source.Mentions("y") || !with.Source.Mentions("u") || with.Source.Mentions("t") {
		t.Error("the query of WITH … INSERT mentions the wrong tables")
	}
}
