package bind

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// SetColumn binds the value of a column: of a parameter, an attribute of the body, or with dots a
// part of one. A name that the body requires as well as the path is sent in both, unless one of
// all, the statement's columns, is for the attribute alone (data__name).
func (b *Binding) SetColumn(column statement.Ident, value any, all []statement.Ident) error {
	if b.IsWhole(column.Text) {
		return b.setWhole(column, value)
	}
	column.Text = b.Canonical(column.Text)
	here := func(provider.Path) provider.Position { return column.Pos }
	name := strings.TrimPrefix(column.Text, AttributePrefix)
	typed, err := b.typed(column, value)
	if err != nil {
		return err
	}
	g := given{name: column.Text, value: typed, named: column.Pos, pos: column.Pos, locate: here}
	if top, rest, dotted := strings.Cut(name, "."); dotted && !b.IsParam(column.Text) && b.IsAttribute(top) {
		return b.setPart(top, strings.Split(rest, "."), g)
	}
	if earlier, twice := b.given[b.otherSpelling(column.Text)]; twice && !sameValue(earlier.value, g.value) {
		return conflict(name, g.pos, earlier.pos)
	}
	if err := b.set(g); err != nil {
		return err
	}
	b.setBoth(g, all)
	return nil
}

// setBoth puts a parameter into the body as well if the body requires one of its name and no column
// is for that alone.
func (b *Binding) setBoth(g given, all []statement.Ident) {
	both := b.IsParam(g.name) && b.IsAttribute(g.name) && slices.Contains(b.Method.Body.RequiredAttributes, g.name) &&
		!slices.ContainsFunc(all, func(c statement.Ident) bool { return b.Canonical(c.Text) == AttributePrefix+g.name })
	if both {
		b.attributes[g.name] = g.value
	}
}

// typed converts a value of a row to the JSON type of its column: SQLite's 1 becomes true, and an integer
// beyond 64 bits, which SQLite has rounded, is an error.
func (b *Binding) typed(column statement.Ident, value any) (any, error) {
	schema, err := b.Schema(column.Text)
	if err != nil {
		return nil, err
	}
	typ := "any"
	if schema != nil {
		typ = schema.Type
	}
	switch number := value.(type) {
	case int64:
		if typ == "boolean" && (number == 0 || number == 1) {
			return number == 1, nil
		}
	case float64:
		if err := exact(column, typ, number); err != nil {
			return nil, err
		}
	case json.RawMessage:
		if typ == "" {
			return Unpack(string(number)), nil
		}
	}
	return JSONValue(value), nil
}

// exact rejects a number that is not the one in the statement, or that JSON does not have.
func exact(column statement.Ident, typ string, number float64) error {
	const integers = 1 << 63 // SQLite's end there
	switch {
	case math.IsInf(number, 0):
		return provider.Usagef("%s: the number is too large", column.Text).At(column.Pos)
	case typ != "number" && math.Abs(number) >= integers:
		return provider.Usagef("%s: SQLite rounds integers of more than 64 bits", column.Text).
			At(column.Pos).
			Hintf("write it between quotes")
	}
	return nil
}

// JSONValue returns a value of a row as decoding JSON would.
func JSONValue(value any) any {
	switch value := value.(type) {
	case int64:
		return json.Number(strconv.FormatInt(value, 10))
	case float64:
		return json.Number(strconv.FormatFloat(value, 'g', -1, 64))
	case json.RawMessage:
		return string(value)
	case provider.Secret:
		return value.Reveal()
	}
	return value
}

// Order returns the order in which to set columns: those with dots, which are parts of others,
// last.
func Order(columns []statement.Ident) []int {
	order := make([]int, len(columns))
	for i := range order {
		order[i] = i
	}
	dotted := func(i int) int {
		if name := strings.TrimPrefix(columns[i].Text, AttributePrefix); strings.Contains(name, ".") || strings.Contains(name, "__") {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(order, func(i, j int) int { return dotted(i) - dotted(j) })
	return order
}
