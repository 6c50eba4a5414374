package statement

// Equality is a comparison of a column with a literal or placeholder: endpoint = 'e'.
type Equality struct {
	Column string // without what qualifies it
	Value  string // as the query writes it
}

// Equalities lists the comparisons by = of columns with literals and placeholders, wherever they stand
// in the query.
func (q *Query) Equalities() []Equality {
	c := &comparisons{query: q}
	if !c.scan() {
		return nil
	}
	var all []Equality
	for i, t := range c.tokens {
		if t.raw != "=" && t.raw != "==" || t.typ == stringToken {
			continue
		}
		column, value := c.get(i-1), c.get(i+1)
		if column.typ != wordToken || column.is("TRUE") || column.is("FALSE") {
			column, value = value, column
		}
		if column.typ != wordToken || !isOperand(column) || value.typ == wordToken && !value.is("TRUE") && !value.is("FALSE") || !isOperand(value) {
			continue
		}
		if binds(c.get(i-2)) || binds(c.get(i+2)) || c.get(i+2).typ == '.' { // a part of an expression or of a name
			continue
		}
		all = append(all, Equality{Column: unquoteName(column.raw), Value: value.raw})
	}
	return all
}
