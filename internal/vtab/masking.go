package vtab

import (
	"encoding/json"

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

// mask returns the function that masks the credentials inside a column; nil if it has none.
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
