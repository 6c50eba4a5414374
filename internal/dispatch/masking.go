package dispatch

import (
	"encoding/json"

	"github.com/lakeql/lakeql/provider"
)

// ColumnMask copies JSON with a mask in place of each credential in it, and reports whether there was
// one. JSON without a credential stays as it is.
type ColumnMask func(json.RawMessage) (json.RawMessage, bool, error)

// MaskColumn returns a function that masks the credentials inside the objects and lists of a column of a
// method's rows; nil if the document names no credential there. A column that is itself a credential
// holds a [provider.Secret] already.
func (c *Client) MaskColumn(m *provider.Method, column int) (ColumnMask, error) {
	s, err := c.shapeOf(m)
	if err != nil || column >= len(s.schemas) || !c.holdsSecret(m, s.schemas[column]) {
		return nil, err
	}
	schema := s.schemas[column]
	return func(raw json.RawMessage) (json.RawMessage, bool, error) {
		value, err := parse(string(raw))
		if err != nil {
			return nil, false, provider.Internalf("read the JSON of a row again").Because(err)
		}
		masked, found, err := c.mask(m, schema, value)
		if err != nil || !found {
			return raw, false, err
		}
		encoded, err := json.Marshal(masked)
		return encoded, true, err
	}, nil
}
