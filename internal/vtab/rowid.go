package vtab

import (
	"crypto/sha256"
	"encoding/json"
	"slices"

	"github.com/lakeql/lakeql/provider"
)

// rowIDs identifies the rows of one call. SQLite asks for the number of a row that it may find more than
// once: through the alternatives of an OR, each of which is a call, and in a RIGHT or FULL JOIN. So the
// number must not depend on the call.
type rowIDs struct {
	id    int64 // of the row at hand; 0: not asked for yet
	alike map[[sha256.Size]byte]int
}

// next starts another row.
func (r *rowIDs) next() { r.id = 0 }

// RowID numbers the row. Rows are the same if they have the same parent, workspace and values.
// Equal rows of one call are numbered in their order.
func (c *cursor) RowID() (int64, error) {
	if c.ids.id != 0 {
		return c.ids.id, nil
	}
	identity, err := c.identity()
	if err != nil {
		return 0, c.table.fail(err)
	}
	if c.ids.alike == nil {
		c.ids.alike = map[[sha256.Size]byte]int{}
	}
	c.ids.alike[identity]++
	key := rowKey{c.table, identity, c.ids.alike[identity]}
	program := c.table.program
	if program.rowIDs == nil {
		program.rowIDs = map[rowKey]int64{}
	}
	id, ok := program.rowIDs[key]
	if !ok {
		id = int64(len(program.rowIDs)) + 1
		program.rowIDs[key] = id
	}
	c.ids.id = id
	return id, nil
}

// rowKey identifies a row.
type rowKey struct {
	table    *table
	identity [sha256.Size]byte
	alike    int // from 1, among the rows of a call that hold the same
}

// identity digests the values of the row, and the parameters that every method of the table
// requires.
func (c *cursor) identity() ([sha256.Size]byte, error) {
	row, err := c.rows.Whole()
	if err != nil {
		return [sha256.Size]byte{}, err
	}
	values := []any{c.req.Host()}
	for _, name := range c.table.parents() {
		values = append(values, c.given[name])
	}
	for n := range c.table.fields {
		if i := c.access.columns[n]; i >= 0 {
			values = append(values, revealed(row[i]))
		} else {
			values = append(values, nil)
		}
	}
	encoded, err := json.Marshal(values)
	if err != nil {
		return [sha256.Size]byte{}, provider.Internalf("tell rows apart").Because(err)
	}
	return sha256.Sum256(encoded), nil
}

// revealed returns a value unmasked: credentials that differ must not look the same.
func revealed(value any) any {
	if secret, ok := value.(provider.Secret); ok {
		return secret.Reveal()
	}
	return value
}

// parents names the parameters that every method requires.
func (t *table) parents() []string {
	var common []string
	for _, name := range t.methods[0].required {
		if !slices.ContainsFunc(t.methods, func(a *access) bool { return !slices.Contains(a.required, name) }) {
			common = append(common, name)
		}
	}
	return common
}
