// Package parquet writes rows as a Parquet file, for Spark, DuckDB and other readers of the format.
//
// [Write] pulls the rows and keeps one row group of them in memory, compressed, so a file may be far larger
// than memory. It uses the oldest features of the format that suffice, so that most readers understand it:
//
//   - Pages are of version 1 and values in the PLAIN encoding, which every reader knows. Spark before 3.3 does
//     not know the DELTA encodings, which the library prefers for text.
//   - Pages are compressed with zstd, which Spark (3.2 and later), Databricks and DuckDB read without a
//     setting. The compression makes up for the missing dictionaries.
//   - Text and JSON have no minimum and maximum in the statistics. The library would write them in full, and
//     one long text would be repeated in the file's footer, whose size readers limit. Numbers and timestamps
//     have them.
package parquet

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/lakeql/lakeql/provider"
)

// Column is a column of a file.
type Column struct {
	Name        string
	Type        string // one of Text, Integer, Number, Boolean, Timestamp, JSON
	Description string // kept in the file's key/value metadata, as lakeql.description.<name>
	Required    bool   // no value is nil
	// Value is the common value of all rows in the column, as text; empty: they differ. The file's key/value
	// metadata has it as lakeql.value.<name>, where [Value] finds it without reading rows.
	Value string
}

const valueKey = "lakeql.value."

// Value reads which value all rows of a file have in a column, as [Column.Value] has it; empty: the file does
// not say.
func Value(r io.ReaderAt, size int64, column string) (string, error) {
	file, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return "", provider.Usagef("read a Parquet file: %v", err).Because(err)
	}
	value, _ := file.Lookup(valueKey + column)
	return value, nil
}

// The types of columns, and the values that fit them beside nil.
const (
	Text      = "text"      // string, in UTF-8
	Integer   = "integer"   // int64; float64 without a fraction, up to 2^53
	Number    = "number"    // float64; int64 up to 2^53
	Boolean   = "boolean"   // bool
	Timestamp = "timestamp" // time.Time, of which the file holds the moment in microseconds, rounded down
	JSON      = "json"      // json.RawMessage, valid JSON in UTF-8, as it stands
)

// Write writes one file. It pulls rows from next, which returns io.EOF, not wrapped, at the end. It returns
// the number of rows. next may reuse the slice of a row for the next one, but not the bytes of its
// json.RawMessages, because Write keeps them for several rows.
//
// Write returns errors of next unchanged. A name that readers refuse, or a value that does not fit its
// column, is a [provider.Error]. After an error, the output in w is not a valid Parquet file.
func Write(w io.Writer, columns []Column, next func() ([]any, error)) (int64, error) {
	return write(w, columns, next, usualLimits())
}

// limits bounds the memory of this package, and of readers.
type limits struct {
	groupRows  int   // of a row group
	groupBytes int64 // of a row group, as compressed
	value      int   // bytes of a text or JSON: a page holds less than 2 GiB, and a value is not divided
}

func usualLimits() limits {
	return limits{groupRows: 128 << 10, groupBytes: 64 << 20, value: 1 << 30}
}

// A batch is the number of values that a column gets at once: single values take a fifth more time. The
// library ends a page only between two batches, so batches of long values are short.
const (
	batchRows  = 64
	batchBytes = 1 << 20
)

func write(w io.Writer, columns []Column, next func() ([]any, error), limits limits) (int64, error) {
	f, err := newWriter(w, columns, limits)
	if err != nil {
		return 0, err
	}
	for {
		row, err := next()
		if err == io.EOF { //nolint:errorlint // a connection that broke off has io.EOF in its chain
			break
		}
		if err != nil {
			return f.rows, err
		}
		if err := f.add(row); err != nil {
			return f.rows, err
		}
	}
	return f.rows, f.close()
}

// writer is a file being written.
type writer struct {
	out     *parquet.GenericWriter[any]
	columns []column
	limits  limits

	rows      int64             // added
	grouped   int               // rows in the row group that is being filled, without the batch
	begin     int64             // where in the file the row group begins
	batch     [][]parquet.Value // a slice a column
	batched   int               // rows in the batch
	batchSize int               // bytes of text and JSON in the batch
}

func newWriter(w io.Writer, columns []Column, limits limits) (*writer, error) {
	if err := checkNames(columns); err != nil {
		return nil, err
	}
	f := &writer{limits: limits, batch: make([][]parquet.Value, len(columns))}
	options := []parquet.WriterOption{
		parquet.Compression(&parquet.Zstd),
		parquet.DataPageVersion(1),
		parquet.DataPageStatistics(false), // they repeat values in page headers, which readers limit to some MB
	}
	for _, c := range columns {
		column, err := newColumn(c)
		if err != nil {
			return nil, err
		}
		f.columns = append(f.columns, column)
		if column.long {
			options = append(options, parquet.SkipPageBounds(c.Name))
		}
		if c.Value != "" {
			options = append(options, parquet.KeyValueMetadata(valueKey+c.Name, c.Value))
		}
		if c.Description != "" {
			options = append(options, parquet.KeyValueMetadata("lakeql.description."+c.Name, strings.ToValidUTF8(c.Description, "\uFFFD")))
		}
	}
	f.out = parquet.NewGenericWriter[any](w, append(options, newSchema(f.columns))...)
	return f, nil
}

// add checks a row and puts it into the batch.
func (f *writer) add(row []any) error {
	f.rows++
	if len(row) != len(f.columns) {
		return provider.Internalf("row %d has %d values for the %d columns of a Parquet file", f.rows, len(row), len(f.columns))
	}
	for i, v := range row {
		value, size, err := f.columns[i].value(v, f.limits.value)
		if err != nil {
			return f.misfit(i, err)
		}
		f.batch[i] = append(f.batch[i], value.Level(0, f.columns[i].level(v), i))
		f.batchSize += size
	}
	f.batched++
	if f.batched == batchRows || f.batchSize >= batchBytes || f.grouped+f.batched == f.limits.groupRows {
		return f.flush()
	}
	return nil
}

// misfit is the error for a value that does not fit column i, which never shows the value: it may be a secret.
func (f *writer) misfit(i int, err error) error {
	code := provider.Usage
	if errors.Is(err, errForeign) {
		code = provider.Internal
	}
	return provider.Errorf(code, "row %d, column %s: %v", f.rows, provider.Quote(f.columns[i].name), err).
		Because(err)
}

// flush hands the batch to the columns, and ends the row group when it is full.
func (f *writer) flush() error {
	for i, c := range f.out.ColumnWriters() {
		if _, err := c.WriteRowValues(f.batch[i]); err != nil {
			return writeError(err)
		}
		clear(f.batch[i]) // the values point into rows
		f.batch[i] = f.batch[i][:0]
	}
	f.grouped += f.batched
	f.batched, f.batchSize = 0, 0
	if f.grouped < f.limits.groupRows && f.out.Size()-f.begin < f.limits.groupBytes {
		return nil
	}
	if err := f.out.Flush(); err != nil {
		return writeError(err)
	}
	f.grouped, f.begin = 0, f.out.Size()
	return nil
}

func (f *writer) close() error {
	if f.batched > 0 {
		if err := f.flush(); err != nil {
			return err
		}
	}
	return writeError(f.out.Close())
}

func writeError(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("write Parquet: %w", err)
}
