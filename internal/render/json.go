package render

import (
	"bufio"
	"fmt"

	"github.com/lakeql/lakeql/provider"
)

// jsonEncoder writes one object for each row, with its keys in the order of the columns: as elements of
// one array, or as separate lines.
type jsonEncoder struct {
	w     *bufio.Writer
	array bool
	keys  [][]byte // `"name":`
	rows  int
	line  []byte
}

func newJSONEncoder(w *bufio.Writer, columns []provider.Column, array bool) *jsonEncoder {
	e := &jsonEncoder{w: w, array: array}
	for _, name := range uniqueNames(columns) {
		e.keys = append(e.keys, append(appendString(nil, name), ':'))
	}
	return e
}

// uniqueNames returns the column names, and numbers repeated ones: name, name_2. A join may return such
// columns, and most programs read only the last value of a repeated key.
func uniqueNames(columns []provider.Column) []string {
	names := make([]string, len(columns))
	reserved := map[string]bool{}
	for i, c := range columns {
		names[i] = string([]rune(c.Name)) // as it will read in JSON, without bytes that are not UTF-8
		reserved[names[i]] = true
	}
	used := map[string]bool{}
	for i, name := range names {
		for k := 2; used[names[i]]; k++ {
			if candidate := fmt.Sprintf("%s_%d", name, k); !reserved[candidate] {
				names[i] = candidate
			}
		}
		used[names[i]] = true
	}
	return names
}

func (e *jsonEncoder) begin() error { return nil }

func (e *jsonEncoder) row(values []any) error {
	var before string
	switch {
	case e.array && e.rows == 0:
		before = "["
	case e.array:
		before = ",\n"
	}
	if err := e.object(values); err != nil {
		return err
	}
	if !e.array {
		e.line = append(e.line, '\n')
	}
	e.rows++
	if _, err := e.w.WriteString(before); err != nil {
		return err
	}
	_, err := e.w.Write(e.line)
	return err
}

// object makes the object of a row.
func (e *jsonEncoder) object(values []any) error {
	e.line = append(e.line[:0], '{')
	for i, v := range values {
		if i > 0 {
			e.line = append(e.line, ',')
		}
		e.line = append(e.line, e.keys[i]...)
		var err error
		if e.line, err = appendJSON(e.line, v); err != nil {
			return err
		}
	}
	e.line = append(e.line, '}')
	return nil
}

// end closes the array. One that broke off stays open, so that it does not parse; the line end
// is for the message that follows on a terminal.
func (e *jsonEncoder) end(complete bool) error {
	var tail string
	switch {
	case !e.array, !complete && e.rows == 0:
	case !complete:
		tail = "\n"
	case e.rows == 0:
		tail = "[]\n"
	default:
		tail = "]\n"
	}
	_, err := e.w.WriteString(tail)
	return err
}
