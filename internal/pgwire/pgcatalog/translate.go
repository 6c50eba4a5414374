package pgcatalog

import (
	"errors"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/dialect"
	"github.com/lakeql/lakeql/internal/pgwire/pgtext"
	"github.com/lakeql/lakeql/provider"
)

// ofCatalogue translates questions about the catalogue, which are written for PostgreSQL alone.
var ofCatalogue = dialect.Options{ //nolint:gochecknoglobals // a table of data
	Only: true,
	Casts: map[string]string{
		"regclass": "pg_regclass", "regtype": "pg_regtype", "regnamespace": "pg_regnamespace",
	},
	Views: []string{"pg_get_keywords"},
}

// translate makes SQLite's dialect of a question in PostgreSQL's.
func translate(text string) (string, error) {
	plain, tokens, closed := pgtext.Dialect(text)
	if !closed {
		return "", provider.Usagef("a quote is not closed")
	}
	edits, err := ofCatalogue.Translate(plain, tokens)
	if fault, ok := errors.AsType[*dialect.Fault](err); ok {
		return "", provider.Usagef("%s", fault.Message).At(provider.PositionAt(text, fault.Offset)).Hintf("%s", fault.Hint)
	} else if err != nil {
		return "", err
	}
	var b strings.Builder
	at := 0
	for _, e := range edits {
		b.WriteString(plain[at:e.Start] + e.Text)
		at = e.End
	}
	return b.String() + plain[at:], nil
}

// isBareFunction lists the functions that are called without brackets.
func isBareFunction(name string) bool {
	return slices.Contains([]string{"current_user", "session_user", "current_catalog", "current_schema", "current_role"}, name)
}
