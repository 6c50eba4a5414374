package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/lakeql/lakeql/internal/render"
	"github.com/lakeql/lakeql/provider"
)

// raw is JSON that is written as it is.
type raw = json.RawMessage

// answer is what a statement returned, as far as it goes to the agent. What says how much is missing comes
// before the rows, so that an agent reads it even if its client cuts the text.
type answer struct {
	// Complete is set if the rows are all that there are.
	Complete bool     `json:"complete"`
	Cut      []string `json:"cut,omitempty"` // what was left out
	Notes    []string `json:"notes,omitempty"`
	RowCount int      `json:"row_count"`
	Columns  []column `json:"columns"`
	Rows     []raw    `json:"rows"`

	masked int // texts that were masked because they look like credentials
}

type column struct {
	Name string `json:"name"`
	Type string `json:"type,omitempty"`
}

// limits bound an answer.
type limits struct {
	rows, bytes int
	secret      func(string) bool // a text that is masked; nil: none is
}

// read reads rows up to the limits. It reads one more to know whether there is one.
func (a *answer) read(ctx context.Context, rows provider.Rows, most limits) error {
	columns := rows.Columns()
	used := 0
	a.Columns = make([]column, len(columns))
	for i, c := range columns {
		a.Columns[i] = column{c.Name, typeName(c)}
		used += len(c.Name)
	}
	if used > most.bytes/2 {
		a.Columns = nil
		return provider.Usagef("the names of the columns alone have %d bytes", used).Hintf("select fewer columns, with shorter names")
	}
	encode := render.Objects(columns)
	for {
		row, err := rows.Next(ctx)
		if err == io.EOF { //nolint:errorlint // a connection that breaks is an error that wraps io.EOF
			return nil
		}
		if err != nil {
			return err
		}
		if len(a.Rows) == most.rows {
			a.Cut = append(a.Cut, fmt.Sprintf("only the first %s here; there are more: count or filter them in SQL, or read on with ORDER BY, LIMIT and OFFSET", are(countOf(most.rows, "row"), most.rows)))
			return nil
		}
		if most.secret != nil {
			a.masked += hide(row, most.secret)
		}
		encoded, err := encode(row)
		if err != nil {
			return err
		}
		if used+len(encoded) > most.bytes {
			if len(a.Rows) > 0 {
				a.Cut = append(a.Cut, fmt.Sprintf("only the first %s here, because the next one exceeds %d bytes; there are more: select fewer columns, or read on with ORDER BY, LIMIT and OFFSET", are(countOf(len(a.Rows), "row"), len(a.Rows)), most.bytes))
				return nil
			}
			a.shortenValues(columns, row, (most.bytes-used)/(2*max(1, len(row))))
			if encoded, err = encode(row); err != nil {
				return err
			}
			if used+len(encoded) > most.bytes {
				return provider.Usagef("one row has more than %d bytes", most.bytes).Hintf("select fewer columns")
			}
		}
		used += len(encoded)
		a.Rows = append(a.Rows, bytes.Clone(encoded))
		a.RowCount = len(a.Rows)
	}
}

// finish takes the notes of a statement that ended.
func (a *answer) finish(notes *noteList) {
	if a.masked > 0 {
		notes.add(countOf(a.masked, "text") + " in the rows looked like a credential, and " + provider.Secret("").String() + " stands in place of each")
	}
	a.Notes = notes.all()
}

// hide puts masks in place of the texts in a row that look like credentials, and returns how many there were.
// The client has masked those that the API's documents mark.
func hide(row []any, secret func(string) bool) (n int) {
	for i, value := range row {
		switch value := value.(type) {
		case string:
			if secret(value) {
				row[i] = provider.Secret("").String()
				n++
			}
		case json.RawMessage:
			if !secret(string(value)) {
				continue
			}
			decoder := json.NewDecoder(bytes.NewReader(value))
			decoder.UseNumber()
			var parsed any
			if decoder.Decode(&parsed) != nil {
				continue // a number that is too long for Go's
			}
			masked, found := hideIn(parsed, secret)
			if encoded, err := toJSON(masked); err == nil && found > 0 {
				row[i] = json.RawMessage(encoded)
				n += found
			}
		}
	}
	return n
}

// hideIn is hide for a value of JSON.
func hideIn(value any, secret func(string) bool) (any, int) {
	n := 0
	switch value := value.(type) {
	case string:
		if secret(value) {
			return provider.Secret("").String(), 1
		}
	case []any:
		for i, item := range value {
			masked, found := hideIn(item, secret)
			value[i] = masked
			n += found
		}
	case map[string]any:
		for name, item := range value {
			masked, found := hideIn(item, secret)
			value[name] = masked
			n += found
		}
	}
	return value, n
}

// shortenValues cuts the values of the first row that have more bytes than the limit, and says so.
func (a *answer) shortenValues(columns []provider.Column, row []any, most int) {
	for i, value := range row {
		var text string
		switch value := value.(type) {
		case string:
			text = value
		case json.RawMessage:
			text = string(value)
		case provider.Secret:
			text = value.Reveal()
		}
		if len(text) <= most {
			continue
		}
		row[i] = shorten(text, most)
		a.Cut = append(a.Cut, fmt.Sprintf("row 1: %s has %d bytes, and only the beginning is here, as text", columns[i].Name, len(text)))
	}
}

// typeName names the type of a column's values.
func typeName(c provider.Column) string {
	if c.Format == "" {
		return c.Type
	}
	return strings.TrimSpace(c.Type + " (" + c.Format + ")")
}

// shorten cuts a text behind a number of bytes, and marks that.
func shorten(text string, most int) string {
	if len(text) <= most {
		return text
	}
	end := max(0, most-len("…"))
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

// countOf writes a number of things: 1 row, 2 rows.
func countOf(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// are adds the verb to a count.
func are(count string, n int) string {
	if n == 1 {
		return count + " is"
	}
	return count + " are"
}

// toJSON writes a value as JSON, without the escapes that HTML needs.
func toJSON(value any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		return nil, provider.Internalf("encode the answer: %v", err).Because(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
