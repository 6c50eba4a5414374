package pipeline

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/pipeline/sqlfile"
	"github.com/lakeql/lakeql/provider"
)

// Table is one SQL file: a query, and the settings in the comment above it.
type Table struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Key         []string        `json:"key"`             // columns that tell the rows of a workspace apart
	Types       map[string]Type `json:"types,omitempty"` // of columns that have none by themselves, or another one
	Query       string          `json:"query"`
	// Columns are the columns of the query, once they are known.
	Columns []Column `json:"columns,omitempty"`
	// File is its name, Lines how many of it stand before the query.
	File  string `json:"-"`
	Lines int    `json:"-"`
}

// Column is a column of a table.
type Column struct {
	Name string `json:"name"`
	Type Type   `json:"type"`
}

// Type is the type of a column's values.
type Type string

// The types of columns.
const (
	Text      Type = "text"
	Integer   Type = "integer" // 64 bits
	Number    Type = "number"  // double precision
	Boolean   Type = "boolean"
	Timestamp Type = "timestamp" // UTC, to the microsecond
	JSON      Type = "json"
)

// types lists them all.
func types() []Type { return []Type{Text, Integer, Number, Boolean, Timestamp, JSON} }

// reserved are the columns that tables and their history use themselves, and the system columns of
// PostgreSQL.
func reserved() []string {
	return []string{
		"stale", "observed_at", "run_id", "change", "changed_at", "changed_columns", "key_hash", "row_hash", "history_id",
		"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid",
	}
}

// parseTable reads an SQL file.
func (d *Definition) parseTable(ctx context.Context, text string) (*Table, error) {
	file, err := sqlfile.Parse(text, "types")
	if err != nil {
		return nil, err
	}
	t := &Table{Types: map[string]Type{}, Query: file.Query, Lines: file.Lines}
	for _, setting := range file.Settings {
		if err := t.say(setting.Name, setting.Value); err != nil {
			return nil, sqlfile.AtLine(setting.Line, provider.Usagef("%s", err.Error()))
		}
	}
	switch {
	case t.Name == "":
		return nil, provider.Usagef("the comment at its top does not name the table").
			Hintf("begin the file with lines such as\n  -- table: branches\n  -- description: The branches of every project.\n  -- key: name")
	case len(t.Key) == 0:
		return nil, provider.Usagef("the comment at its top does not say by which columns the rows are told apart: -- key: name")
	}
	if t.Query == "" {
		return nil, provider.Usagef("it has no query")
	}
	_, err = d.fill(ctx, t.Query, probe)
	return t, t.shift(err)
}

// say takes in a line of the comment.
func (t *Table) say(name, value string) (err error) {
	switch name {
	case "table":
		if !names().MatchString(value) || slices.ContainsFunc(ownPrefixes(), func(p string) bool { return strings.HasPrefix(value, p) }) ||
			strings.HasSuffix(value, "_history") || strings.HasSuffix(value, "_at") {
			return fmt.Errorf("%s cannot be the name of a table: a small letter, then up to 40 small letters, digits and _; not %s…, …_history or …_at", provider.Quote(value), strings.Join(ownPrefixes(), "…, "))
		}
		t.Name = value
	case "description":
		t.Description = value
	case "key":
		t.Key, err = sqlfile.AppendKey(t.Key, value)
	case "types":
		for part := range strings.SplitSeq(value, ",") {
			words := strings.Fields(part)
			if len(words) != 2 || !slices.Contains(types(), Type(words[1])) {
				return fmt.Errorf("types: %s is not a column and its type, which is one of %s", provider.Quote(strings.TrimSpace(part)), typeNames())
			}
			if _, twice := t.Types[words[0]]; twice {
				return fmt.Errorf("types: %s is said twice", provider.Printable(words[0]))
			}
			t.Types[words[0]] = Type(words[1])
		}
	default:
		return fmt.Errorf("%s is not known here: table, description, key and types are", provider.Quote(name))
	}
	return err
}

// ownPrefixes begin the names of other tables in a store: its own, River's, and the database's.
func ownPrefixes() []string {
	return []string{"lakeql_", riverPrefix, "sqlite_", "pg_", "pipeline_status"}
}

func typeNames() string {
	var all []string
	for _, t := range types() {
		all = append(all, string(t))
	}
	return strings.Join(all, ", ")
}

// resolve derives the columns of a table from those of its query. The workspace is not one of them: every row
// has it.
func (t *Table) resolve(given []provider.Column) error {
	t.Columns = nil
	var lacking []string
	seen := map[string]bool{}
	for _, c := range given {
		if strings.EqualFold(c.Name, deploymentName) {
			continue
		}
		switch lower := strings.ToLower(c.Name); {
		case seen[lower]:
			return provider.Usagef("the query returns the column %s twice: name one of them otherwise with AS", provider.Quote(c.Name))
		case slices.Contains(reserved(), lower):
			return provider.Usagef("the column %s is one that every table or its history has for itself: name it otherwise with AS", c.Name)
		case !variableName().MatchString(c.Name) || len(c.Name) > 60:
			return provider.Usagef("the column %s needs a name of letters, digits and _, at most 60: give it one with AS", provider.Quote(c.Name))
		default:
			seen[lower] = true
		}
		typ, ok := t.Types[c.Name]
		if !ok {
			typ, ok = typeOf(c)
		}
		if !ok {
			lacking = append(lacking, c.Name)
		}
		t.Columns = append(t.Columns, Column{c.Name, typ})
	}
	for _, k := range t.Key {
		if t.column(k) < 0 {
			return provider.Usagef("the key names the column %s, which the query does not give", provider.Quote(k))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(t.Types)) {
		if t.column(name) < 0 {
			return provider.Usagef("types names the column %s, which the query does not give", provider.Quote(name))
		}
	}
	if len(lacking) > 0 {
		return provider.Usagef("the query computes %s, whose type is not known", strings.Join(lacking, ", ")).
			Hintf("say it in the comment at the top: -- types: %s integer (or %s)", lacking[0], typeNames())
	}
	return nil
}

// column returns the index of a column by its name; -1 if it does not exist.
func (t *Table) column(name string) int {
	return slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name })
}

// keyColumns returns the places of the key's columns.
func (t *Table) keyColumns() []int {
	places := make([]int, len(t.Key))
	for i, k := range t.Key {
		places[i] = t.column(k)
	}
	return places
}

// typeOf is the type of a column of the documents.
func typeOf(c provider.Column) (Type, bool) {
	switch c.Type {
	case "string":
		if c.Format == "date-time" {
			return Timestamp, true
		}
		return Text, true
	case "integer":
		return Integer, true
	case "number":
		return Number, true
	case "boolean":
		return Boolean, true
	case "object", "array":
		return JSON, true
	}
	return "", false
}
