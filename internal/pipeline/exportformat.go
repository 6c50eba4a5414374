package pipeline

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"time"

	"github.com/lakeql/lakeql/internal/parquet"
	"github.com/lakeql/lakeql/provider"
)

// ExportFormat is the format of exported files.
type ExportFormat string

// The formats of exported files.
const (
	ParquetFile ExportFormat = "parquet"
	CSVFile     ExportFormat = "csv"  // a line with the names of the columns first; NULL and the empty text are empty
	JSONFile    ExportFormat = "json" // an object a line
)

func (f ExportFormat) valid() error {
	switch f {
	case "", ParquetFile, CSVFile, JSONFile:
		return nil
	}
	return provider.Usagef("--format %s is neither parquet, csv, nor json", provider.Quote(string(f)))
}

// extension ends the names of files.
func (f ExportFormat) extension() string {
	switch f {
	case CSVFile:
		return "csv"
	case JSONFile:
		return "jsonl"
	case ParquetFile:
	}
	return "parquet"
}

// write writes rows, which next returns, and io.EOF behind them. It returns their number.
func (f ExportFormat) write(w io.Writer, columns []parquet.Column, next func() ([]any, error)) (int64, error) {
	if f != CSVFile && f != JSONFile {
		return parquet.Write(w, columns, next)
	}
	out := bufio.NewWriter(w)
	row := jsonRow(out, columns)
	flush := out.Flush
	if f == CSVFile {
		lines := csv.NewWriter(out)
		row = csvRow(lines, columns)
		flush = func() error {
			lines.Flush()
			return errors.Join(lines.Error(), out.Flush())
		}
	}
	for n := int64(0); ; n++ {
		values, err := next()
		if errors.Is(err, io.EOF) {
			return n, fileError(flush())
		}
		if err == nil {
			err = row(n, values)
		}
		if err != nil {
			return n, err
		}
	}
}

// csvRow writes the names of the columns at once, and returns the function that writes a row.
func csvRow(out *csv.Writer, columns []parquet.Column) func(int64, []any) error {
	record := make([]string, len(columns))
	for i, c := range columns {
		record[i] = c.Name
	}
	head := out.Write(record)
	return func(_ int64, values []any) error {
		if head != nil {
			return fileError(head)
		}
		for i, v := range values {
			record[i] = csvText(v)
		}
		return fileError(out.Write(record))
	}
}

// csvText is a value as a text.
func csvText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.RawMessage:
		return string(v)
	case time.Time:
		return stamp(v)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return fmt.Sprint(v)
}

// jsonRow returns the function that writes a row.
func jsonRow(out *bufio.Writer, columns []parquet.Column) func(int64, []any) error {
	return func(n int64, values []any) error {
		var line bytes.Buffer
		for i, v := range values {
			switch given := v.(type) {
			case time.Time:
				v = stamp(given)
			case float64:
				if math.IsNaN(given) || math.IsInf(given, 0) {
					return provider.Usagef("row %d, column %s: %v is not a number of JSON", n+1, columns[i].Name, given).
						Hintf("export as parquet or csv")
				}
			}
			name, _ := json.Marshal(columns[i].Name) // a text is always JSON
			value, err := json.Marshal(v)
			if err != nil {
				return provider.Internalf("row %d, column %s: %v", n+1, columns[i].Name, err).Because(err)
			}
			line.WriteByte([]byte("{,")[min(i, 1)])
			line.Write(name)
			line.WriteByte(':')
			line.Write(value)
		}
		line.WriteString("}\n")
		_, err := line.WriteTo(out)
		return fileError(err)
	}
}

// staleIn reads whether the rows of a file of one workspace are stale; empty: the file does not say.
func (f ExportFormat) staleIn(file *os.File, size int64) (string, error) {
	switch f {
	case CSVFile:
		lines := csv.NewReader(file)
		names, err := lines.Read()
		if err != nil {
			return "", err
		}
		values, err := lines.Read()
		if err != nil {
			return "", err
		}
		for i, name := range names {
			if name == staleColumn {
				return values[i], nil
			}
		}
		return "", nil
	case JSONFile:
		var first struct{ Stale *bool }
		if err := json.NewDecoder(file).Decode(&first); err != nil || first.Stale == nil {
			return "", err
		}
		return strconv.FormatBool(*first.Stale), nil
	case ParquetFile:
	}
	return parquet.Value(file, size, staleColumn)
}
