package render

import (
	"bufio"

	"github.com/lakeql/lakeql/provider"
)

// rawEncoder writes the one value of a result as it is: no name, no quotes, no line end. A value
// between others has no place in the output, so any other result is an error, and nothing is
// written.
type rawEncoder struct {
	w     *bufio.Writer
	text  *string
	empty bool // there are no columns, so there is no value
}

func newRawEncoder(w *bufio.Writer, columns []provider.Column) (encoder, error) {
	if len(columns) > 1 {
		return nil, notOneValue("the rows have %d columns", len(columns))
	}
	return &rawEncoder{w: w, empty: len(columns) == 0}, nil
}

func notOneValue(format string, args ...any) error {
	return provider.Usagef("raw output is one value, and "+format, args...).
		Hintf("select one column of one row, as in SELECT contents FROM … WHERE …, or use another output format")
}

func (e *rawEncoder) begin() error { return nil }

func (e *rawEncoder) row(values []any) error {
	if e.empty {
		return nil
	}
	text, ok, err := plain(values[0])
	if err == nil && e.text != nil {
		err = notOneValue("there are several rows")
	}
	if err == nil && !ok {
		err = notOneValue("this one is null")
	}
	e.text = &text
	return err
}

func (e *rawEncoder) end(complete bool) error {
	switch {
	case !complete || e.empty:
		return nil
	case e.text == nil:
		return notOneValue("there is no row")
	}
	_, err := e.w.WriteString(*e.text)
	return err
}
