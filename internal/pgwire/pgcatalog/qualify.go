package pgcatalog

import (
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/pgwire/pgtext"
)

// Qualify writes the names of tables as statements have them: it puts the provider before names of two parts
// that are its resources, and before those of their columns, and takes the schema off those of the client's store.
func (s *Session) Qualify(text string) string {
	words := pgtext.Significant(pgtext.Tokens(text))
	var b strings.Builder
	done := 0
	services := s.services()
	if used, _ := s.used(); used != "" && !strings.EqualFold(used, s.provider) {
		services = nil // USE chose another provider, which completes the names
	}
	for i, t := range words {
		if t.Kind != pgtext.Word && t.Kind != pgtext.Quoted || i > 0 && words[i-1].Text == "." {
			continue
		}
		name := dotted(words[i:])
		switch {
		case len(name) > 1 && s.isOwnSchema(words, i, name):
			b.WriteString(text[done:t.Start])
			done = words[i+2*slices.IndexFunc(name, isSchemaOfStore)+2].Start
		case (len(name) == 2 || len(name) == 3) && services[strings.ToLower(name[0])][strings.ToLower(name[1])]: // a column may follow
			if call := i + 3; len(name) == 2 && call < len(words) && words[call].Text == "(" && (i == 0 || !strings.EqualFold(words[i-1].Text, "INTO")) {
				continue // a function
			}
			b.WriteString(text[done:t.Start] + s.provider + ".")
			done = t.Start
		}
	}
	if done == 0 && b.Len() == 0 {
		return text
	}
	return b.String() + text[done:]
}

// isSchemaOfStore reports whether a schema is one of the client's store. PostgreSQL's clients take public for the
// schema of what they make.
func isSchemaOfStore(name string) bool {
	return strings.EqualFold(name, "store") || strings.EqualFold(name, "session") || strings.EqualFold(name, "public")
}

// isOwnSchema reports whether the name at a word is that of a table of the client's store, or of a new one, with
// its schema and perhaps with the provider before that. A table that another one of the session hides keeps its
// schema.
func (s *Session) isOwnSchema(words []pgtext.Token, at int, name []string) bool {
	if s.isProvider(name[0]) {
		name = name[1:]
	}
	if len(name) < 2 || !isSchemaOfStore(name[0]) {
		return false
	}
	if at > 0 && slices.Contains([]string{"TABLE", "VIEW", "EXISTS"}, strings.ToUpper(words[at-1].Text)) {
		return true
	}
	if s.refresh() != nil {
		return false
	}
	count, there := 0, false
	for _, t := range s.own.tables {
		if strings.EqualFold(t.Name, name[1]) {
			count++
			there = there || strings.EqualFold(t.Schema, name[0]) || strings.EqualFold(name[0], "public")
		}
	}
	return there && (count == 1 || strings.EqualFold(name[0], "session"))
}
