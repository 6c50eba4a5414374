package render

import (
	"bufio"
	"encoding/csv"
	"strings"
	"unicode/utf8"

	"github.com/lakeql/lakeql/provider"
)

// csvEncoder writes RFC 4180 with line feeds. Null is nothing, and so is an empty string.
type csvEncoder struct {
	w       *bufio.Writer
	csv     *csv.Writer
	columns []provider.Column
	header  bool
	fields  []string
}

func newCSVEncoder(w *bufio.Writer, columns []provider.Column, opts Options) (encoder, error) {
	delimiter := opts.Delimiter
	if delimiter == 0 {
		delimiter = ','
	}
	if strings.ContainsRune("\"\r\n\uFFFD", delimiter) || !utf8.ValidRune(delimiter) {
		return nil, provider.Usagef("csv fields cannot be separated by %s", provider.Quote(string(delimiter))).
			Hintf("use a comma, a semicolon, a tab or another character that is no quote and no line end")
	}
	e := &csvEncoder{
		w:       w,
		csv:     csv.NewWriter(w), // takes w itself as its buffer, as that is one
		columns: columns,
		header:  opts.Header,
		fields:  make([]string, len(columns)),
	}
	e.csv.Comma = delimiter
	return e, nil
}

func (e *csvEncoder) begin() error {
	if !e.header {
		return nil
	}
	for i, c := range e.columns {
		e.fields[i] = c.Name
	}
	return e.write()
}

func (e *csvEncoder) row(values []any) error {
	for i, v := range values {
		text, _, err := plain(v)
		if err != nil {
			return err
		}
		e.fields[i] = text
	}
	return e.write()
}

func (e *csvEncoder) write() error {
	switch {
	case len(e.fields) == 0:
		return nil
	case len(e.fields) == 1 && e.fields[0] == "":
		// encoding/csv would write an empty line, which readers take for no row.
		_, err := e.w.WriteString("\"\"\n")
		return err
	}
	return e.csv.Write(e.fields)
}

func (e *csvEncoder) end(bool) error { return nil }

// textEncoder writes values between tabs. A tab inside a value is an escape.
type textEncoder struct {
	w       *bufio.Writer
	columns []provider.Column
	header  bool
}

func (e *textEncoder) begin() error {
	if !e.header {
		return nil
	}
	return e.write(names(e.columns))
}

func (e *textEncoder) row(values []any) error {
	line, err := cells(values)
	if err != nil {
		return err
	}
	return e.write(line)
}

func (e *textEncoder) write(line []string) error {
	if len(line) == 0 {
		return nil
	}
	_, err := e.w.WriteString(strings.Join(line, "\t") + "\n")
	return err
}

func (e *textEncoder) end(bool) error { return nil }

// names returns the column names as people see them.
func names(columns []provider.Column) []string {
	line := make([]string, len(columns))
	for i, c := range columns {
		line[i] = printable(c.Name)
	}
	return line
}

// cells returns a row as people see it.
func cells(values []any) ([]string, error) {
	line := make([]string, len(values))
	for i, v := range values {
		text, err := visible(v)
		if err != nil {
			return nil, err
		}
		line[i] = text
	}
	return line, nil
}
