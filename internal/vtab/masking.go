package vtab

import (
	"encoding/json"
	"strings"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/provider"
)

// masked replaces the credentials in a value by masks.
func (c *cursor) masked(n int, value any) (any, error) {
	found := false
	switch was := value.(type) {
	case provider.Secret:
		value, found = was.String(), true
	case json.RawMessage:
		mask, err := c.access.mask(c.table.program.env.Client, n)
		if err != nil {
			return nil, err
		}
		if mask != nil {
			if value, found, err = mask(was); err != nil {
				return nil, err
			}
		}
	}
	c.table.program.Masked = c.table.program.Masked || found
	return value, nil
}

// mask returns the function that masks the credentials inside a column; nil if the column has none.
func (a *access) mask(client *dispatch.Client, field int) (dispatch.ColumnMask, error) {
	if mask, ok := a.masks[field]; ok || a.columns[field] < 0 {
		return mask, nil
	}
	mask, err := client.MaskColumn(a.method, a.columns[field])
	if a.masks == nil {
		a.masks = map[int]dispatch.ColumnMask{}
	}
	a.masks[field] = mask
	return mask, err
}

// CheckKept checks that the program, whose rows are stored, only passes credentials on. All credentials
// have the same mask in stored rows, so a comparison or computation with them would be wrong.
func (p *Program) CheckKept() error {
	var names []string // of the columns with credentials; a mark is the place in it, from 1
	known := map[string]int{}
	marks := map[int]map[int]int{} // by cursor and column
	if !p.Calls() {
		return nil
	}
	code, err := p.Bytecode()
	if err != nil {
		return err
	}
	for _, place := range code.Filters() {
		chosen, ok := p.env.choices.find(place.Choice)
		if !ok || chosen.table == ofTarget {
			continue
		}
		t := p.tables.list[chosen.table]
		a := t.methods[chosen.method]
		secret, err := p.env.Client.SecretColumns(a.method) // once: it reads the whole schema of the rows
		if err != nil {
			return err
		}
		for n, column := range a.columns {
			if column < 0 || !chosen.uses(n) || column >= len(secret) || !secret[column] {
				continue
			}
			name := t.resource.FullName() + "." + t.fields[n].name
			if known[name] == 0 {
				names = append(names, name)
				known[name] = len(names)
			}
			if marks[place.Cursor] == nil {
				marks[place.Cursor] = map[int]int{}
			}
			marks[place.Cursor][n] = known[name]
		}
	}
	if len(marks) == 0 {
		return nil
	}
	var used []string
	for _, mark := range code.Uses(func(cursor, column int) int { return marks[cursor][column] }) {
		used = append(used, names[mark-1])
	}
	if len(used) == 0 {
		return nil
	}
	return provider.Usagef("a credential is kept as a mask, so what is kept cannot compare, sort, group by or compute on %s", strings.Join(used, ", ")).
		At(p.position).
		Hintf("select the column as it is, test it by IS NULL, or leave it out; only the rows of a SELECT that nothing keeps have its value")
}
