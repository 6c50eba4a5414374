package render

import "github.com/lakeql/lakeql/provider"

// Objects returns a function that writes a row with the columns as a JSON object, as in json and jsonl.
// The bytes are valid until the next call.
func Objects(columns []provider.Column) func(values []any) ([]byte, error) {
	e := newJSONEncoder(nil, columns, false)
	return func(values []any) ([]byte, error) {
		err := e.object(values)
		return e.line, err
	}
}
