package catalogtest

import (
	"regexp"
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"
)

// token matches one token of SQL: a comment or blanks, a text, a name of one or more parts, each
// of which may be quoted, or any other character.
var token = regexp.MustCompile(`(?s)` +
	`(?P<blank>\s+|--[^\n]*|/\*.*?\*/)` +
	`|(?P<text>'(?:[^']|'')*')` +
	`|(?P<name>` + part + `(?:\.` + part + `)*)` +
	`|.`)

const part = "(?:[A-Za-z_\\x{80}-\\x{10FFFF}][\\w$\\x{80}-\\x{10FFFF}]*|\"(?:[^\"]|\"\")*\"|`(?:[^`]|``)*`)"

// namePart takes a name of several parts apart.
var namePart = regexp.MustCompile(part)

// rewrite translates a text to SQLite's dialect: it quotes the names of resources, and replaces the
// statements that only StackQL has by the nearest ones of SQLite.
func (db *DB) rewrite(text string) (string, error) {
	providers, err := db.cat.Providers()
	if err != nil {
		return "", err
	}
	var names []string
	for _, p := range providers {
		names = append(names, p.Name)
	}
	blank, name := token.SubexpIndex("blank"), token.SubexpIndex("name")
	w := writer{start: true}
	for _, match := range token.FindAllStringSubmatch(text, -1) {
		switch {
		case match[blank] != "":
			w.b.WriteString(match[0])
		case match[name] == "":
			w.other(match[0])
		default:
			parts := namePart.FindAllString(match[0], -1)
			if len(parts) < 3 || !slices.Contains(names, unquote(parts[0])) {
				w.word(match[0])
				continue
			}
			table, err := db.table(unquote(parts[0]), unquote(parts[1]), unquote(parts[2]))
			if err != nil {
				return "", err
			}
			w.table(table, unquote(parts[2]), parts[3:])
		}
	}
	w.alias("")
	return w.b.String(), nil
}

// changesSchema reports whether a statement creates or drops something.
func changesSchema(statement string) bool {
	blank := token.SubexpIndex("blank")
	for statement != "" {
		match := token.FindStringSubmatch(statement)
		if match[blank] == "" {
			return strings.EqualFold(match[0], "CREATE") || strings.EqualFold(match[0], "DROP")
		}
		statement = statement[len(match[0]):]
	}
	return false
}

func unquote(name string) string {
	for _, quote := range []string{`"`, "`"} {
		if len(name) > 1 && strings.HasPrefix(name, quote) {
			return strings.ReplaceAll(name[1:len(name)-1], quote+quote, quote)
		}
	}
	return name
}

// writer writes a statement in SQLite's words. Whether a word has to go is known only from the
// words around it, so the last ones are remembered.
type writer struct {
	b       strings.Builder
	start   bool   // nothing but blanks stands in the statement yet
	leading string // the words that the statement began with, as far as they matter
	replace int    // where REPLACE without INTO would stand; only of use while leading is REPLACE
	from    bool   // FROM or JOIN was the last token
	pending string // the name by which the table just written goes unless it has an alias
	end     int    // where that table ends
}

// table writes the name of a resource's table, or of a column of it: columns is empty or the
// fourth part. In a query a table goes by the resource's own name, as it does in the engine.
func (w *writer) table(table, resource string, column []string) {
	if len(column) > 0 {
		w.other(sqlite3.QuoteIdentifier(resource) + "." + strings.Join(column, "."))
		return
	}
	from := w.from
	w.other(sqlite3.QuoteIdentifier(table))
	if from {
		w.pending, w.end = resource, w.b.Len()
	}
}

// afterTable matches the words that may follow a table and are no alias of it.
var afterTable = regexp.MustCompile(`^(?i:CROSS|EXCEPT|FULL|GROUP|HAVING|INDEXED|INNER|INTERSECT|JOIN|LEFT|LIMIT|NATURAL|NOT|ON|ORDER|OUTER|RETURNING|RIGHT|SET|UNION|USING|VALUES|WHERE|WINDOW)$`)

// alias names the table written last, if the token behind it does not.
func (w *writer) alias(token string) {
	isName := namePart.MatchString(token) && !afterTable.MatchString(token) && token[0] != '\''
	if w.pending != "" && !isName {
		written := w.b.String()
		w.b.Reset()
		w.b.WriteString(written[:w.end] + " AS " + sqlite3.QuoteIdentifier(w.pending) + written[w.end:])
	}
	w.pending = ""
}

func (w *writer) word(word string) {
	w.alias(word)
	upper := strings.ToUpper(word)
	w.from = upper == "FROM" || upper == "JOIN"
	switch leading := w.leading; {
	case w.start && upper == "REPLACE":
		w.leading, w.replace = upper, w.b.Len()
	case w.start && (upper == "CREATE" || upper == "DROP"):
		w.leading = upper
	case w.start && upper == "REFRESH":
		// REFRESH MATERIALIZED VIEW v names a view and no more.
		w.leading, word = upper, "SELECT * FROM"
	case leading == "REFRESH" && (upper == "MATERIALIZED" || upper == "VIEW"):
		word = ""
	case leading == "CREATE" && (upper == "OR" || upper == "REPLACE" || upper == "MATERIALIZED"),
		leading == "DROP" && upper == "MATERIALIZED":
		word = ""
	case leading == "REPLACE" && upper != "INTO":
		w.update()
		w.leading = ""
	default:
		w.leading = ""
	}
	w.start = false
	w.b.WriteString(word)
}

// other writes a token that is not a keyword.
func (w *writer) other(text string) {
	w.alias(text)
	w.from = false
	if w.leading == "REPLACE" {
		w.update()
	}
	w.leading, w.start = "", text == ";"
	w.b.WriteString(text)
}

// update writes UPDATE over the REPLACE of StackQL's REPLACE … SET.
func (w *writer) update() {
	written := w.b.String()
	w.b.Reset()
	w.b.WriteString(written[:w.replace] + "UPDATE" + written[w.replace+len("REPLACE"):])
}
