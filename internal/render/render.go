// Package render writes rows to a terminal, a file or a pipe, in the formats of StackQL. Only here is a
// [provider.Secret] revealed.
//
// json, jsonl, csv, parquet and raw are for programs: a program reads exactly the values of the rows.
// table, text, pptext, markdown and html are for people. They show unprintable characters and those that
// control a terminal as escapes, because other people wrote the values of a row.
//
// An incomplete result never looks complete: a JSON array and an HTML table stay open, a table has no last
// rule, a Parquet file has no end, and [Write] returns the error. If the first row fails, nothing is written.
package render

import (
	"bufio"
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// Format is a way to write rows.
type Format string

// The formats.
const (
	Table  Format = "table"  // columns between rules
	JSON   Format = "json"   // one array of objects
	JSONL  Format = "jsonl"  // an object a line
	CSV    Format = "csv"    // RFC 4180 with a header line, null as nothing
	Text   Format = "text"   // tab-separated
	PPText Format = "pptext" // columns aligned by blanks
	Raw    Format = "raw"    // the one value of a result, byte for byte

	Markdown Format = "markdown" // a table of GitHub Flavored Markdown
	HTML     Format = "html"     // a table element
	Parquet  Format = "parquet"  // a Parquet file
)

// Formats returns every format in the order in which help lists them.
func Formats() []Format {
	return []Format{Table, JSON, JSONL, CSV, Text, PPText, Markdown, HTML, Parquet, Raw}
}

// FormatNames returns the names of the formats, in the same order.
func FormatNames() []string {
	var names []string
	for _, f := range Formats() {
		names = append(names, string(f))
	}
	return names
}

// ParseFormat finds a format by name, without regard to case. ndjson is another name of jsonl.
func ParseFormat(name string) (Format, error) {
	f := Format(strings.ToLower(name))
	if f == "ndjson" {
		return JSONL, nil
	}
	if slices.Contains(Formats(), f) {
		return f, nil
	}
	return "", provider.Usagef("unknown output format %s", provider.Quote(name)).
		Hintf("use one of %s", strings.Join(FormatNames(), ", "))
}

// Options say how rows are written.
type Options struct {
	Format Format
	// Header asks for the column names above the rows. It changes nothing in json and jsonl,
	// where every row names its columns.
	Header bool
	// Delimiter stands between the fields of csv; 0 is a comma.
	Delimiter rune
	// Screen is the terminal that a table is written to; nil elsewhere. Other formats ignore it.
	Screen *Screen
}

const (
	bufferSize = 64 << 10
	// flushEvery bounds how long a row waits in the buffer while others keep coming.
	flushEvery = 100 * time.Millisecond
)

// Write writes all rows to w and reports how many there were. It does not close them. On an error
// the rows before it have been written, in a form that does not look complete.
func Write(ctx context.Context, w io.Writer, rows provider.Rows, opts Options) (n int64, err error) {
	if opts.Format == Parquet {
		return writeParquet(ctx, w, rows)
	}
	buffer := bufio.NewWriterSize(w, bufferSize)
	enc, err := newEncoder(buffer, rows.Columns(), opts)
	if err != nil {
		return 0, err
	}
	n, err = copyRows(ctx, buffer, enc, rows)
	// Write the rows before an error too. The first error is the one to report.
	if flushErr := buffer.Flush(); err == nil && flushErr != nil {
		err = writeError(flushErr)
	}
	return n, err
}

// encoder writes rows in one format. begin is called once the first row is at hand or known to
// be missing, end after the last; complete is false where the rows broke off.
type encoder interface {
	begin() error
	row(values []any) error
	end(complete bool) error
}

func newEncoder(w *bufio.Writer, columns []provider.Column, opts Options) (encoder, error) {
	switch opts.Format {
	case JSON:
		return newJSONEncoder(w, columns, true), nil
	case JSONL:
		return newJSONEncoder(w, columns, false), nil
	case CSV:
		return newCSVEncoder(w, columns, opts)
	case Text:
		return &textEncoder{w: w, columns: columns, header: opts.Header}, nil
	case Table:
		if opts.Screen != nil {
			return newScreenEncoder(w, columns, opts), nil
		}
		return newAlignedEncoder(w, columns, opts.Header, true), nil
	case PPText:
		return newAlignedEncoder(w, columns, opts.Header, false), nil
	case Markdown:
		return newMarkdownEncoder(w, columns), nil
	case HTML:
		return &htmlEncoder{w: w, columns: columns, header: opts.Header}, nil
	case Raw:
		return newRawEncoder(w, columns)
	case Parquet: // written by Write
	}
	_, err := ParseFormat(string(opts.Format))
	return nil, err
}

func copyRows(ctx context.Context, buffer *bufio.Writer, enc encoder, rows provider.Rows) (int64, error) {
	var n int64
	flushed := time.Now()
	for {
		row, err := rows.Next(ctx)
		// A connection that breaks is an error that wraps io.EOF; only io.EOF itself ends rows.
		last := err == io.EOF //nolint:errorlint // see above
		if err == nil && len(row) != len(rows.Columns()) {
			err = provider.Internalf("a row has %d values for %d columns", len(row), len(rows.Columns()))
		}
		if n == 0 && (err == nil || last) {
			if beginErr := enc.begin(); beginErr != nil {
				return n, writeError(beginErr)
			}
		}
		if last {
			return n, writeError(enc.end(true))
		}
		if err == nil {
			err = writeError(enc.row(row))
		}
		if err != nil {
			if n > 0 {
				_ = enc.end(false) // err came first
			}
			return n, err
		}
		n++
		if time.Since(flushed) < flushEvery {
			continue
		}
		if err := buffer.Flush(); err != nil {
			return n, writeError(err)
		}
		flushed = time.Now()
	}
}
