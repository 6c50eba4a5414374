package parquet

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/lakeql/lakeql/provider"
)

// checkNames refuses names that would be refused later, where a file is read or loaded into a table.
func checkNames(columns []Column) error {
	if len(columns) == 0 || len(columns) > parquet.MaxColumnIndex+1 {
		return provider.Usagef("a Parquet file cannot have %d columns", len(columns))
	}
	seen := make(map[string]string, len(columns))
	for i, c := range columns {
		if fault := nameFault(c.Name); fault != "" {
			return nameError(fmt.Sprintf("column %d of a Parquet file cannot be named %s: %s", i+1, provider.Quote(c.Name), fault))
		}
		// Spark and DuckDB find columns without regard to case.
		key := strings.ToLower(c.Name)
		if other, ok := seen[key]; ok {
			return nameError(fmt.Sprintf("two columns of a Parquet file are named %s and %s: upper and lower case do not tell columns apart",
				provider.Quote(other), provider.Quote(c.Name)))
		}
		seen[key] = c.Name
	}
	return nil
}

// refused are the characters that Spark does not take in a column of a Parquet file, nor Delta Lake in one of a
// table without column mapping. Dots, slashes and quotes are fine: SQL reaches such columns between backticks.
const refused = " ,;{}()\n\t="

func nameFault(name string) string {
	if name == "" {
		return "it is empty"
	}
	if !utf8.ValidString(name) {
		return "it is no UTF-8"
	}
	for _, r := range name {
		if strings.ContainsRune(refused, r) {
			return fmt.Sprintf("Spark takes no %s in a name", describe(r))
		}
		if r < ' ' || r == 0x7f {
			return "it has a control character"
		}
	}
	return ""
}

func describe(r rune) string {
	switch r {
	case ' ':
		return "space"
	case '\n':
		return "line break"
	case '\t':
		return "tab"
	default:
		return string(r)
	}
}

func nameError(message string) error {
	return provider.Usagef("%s", message).Hintf("give the column another name with AS")
}

// newSchema keeps the order of the columns, where the library's own Group sorts them by name and
// its way over a struct's tags cannot carry every name.
func newSchema(columns []column) *parquet.Schema {
	root := &root{fields: make([]parquet.Field, len(columns))}
	for i, c := range columns {
		node := parquet.Leaf(c.typ)
		if !c.required {
			node = parquet.Optional(node)
		}
		root.fields[i] = &field{Node: parquet.Encoded(node, &parquet.Plain), name: c.name}
	}
	return parquet.NewSchema("schema", root)
}

// root is a group of fields in a given order.
type root struct {
	parquet.Group
	fields []parquet.Field
}

func (r *root) Fields() []parquet.Field { return r.fields }

type field struct {
	parquet.Node
	name string
}

func (f *field) Name() string { return f.name }

// Value is for rows that are Go structs, which ours are not.
func (f *field) Value(reflect.Value) reflect.Value { return reflect.Value{} }

// longType is a type of values of any length, which are not repeated in the file's indexes.
//
// It is not enough to leave out the bounds (parquet.SkipPageBounds): the library then writes empty bounds
// into the column index, and a reader would skip pages that contain matching values.
type longType struct{ parquet.Type }

func (longType) NewColumnIndexer(int) parquet.ColumnIndexer { return new(wideIndex) }

// wideIndex is a column index with the number of nulls of each page, and with bounds that every value is
// within.
type wideIndex struct {
	nullPages  []bool
	nullCounts []int64
}

func (x *wideIndex) Reset() { x.nullPages, x.nullCounts = x.nullPages[:0], x.nullCounts[:0] }

func (x *wideIndex) IndexPage(values, nulls int64, _, _ parquet.Value) {
	x.nullPages = append(x.nullPages, values == nulls)
	x.nullCounts = append(x.nullCounts, nulls)
}

func (x *wideIndex) ColumnIndex() format.ColumnIndex {
	index := format.ColumnIndex{
		NullPages:     slices.Clone(x.nullPages),
		NullCounts:    slices.Clone(x.nullCounts),
		MinValues:     make([][]byte, len(x.nullPages)),
		MaxValues:     make([][]byte, len(x.nullPages)),
		BoundaryOrder: format.Unordered,
	}
	for i, null := range x.nullPages {
		index.MinValues[i] = []byte{}
		index.MaxValues[i] = []byte{} // as the format wants it of a page of nulls
		if !null {
			index.MaxValues[i] = []byte{0xff} // above all UTF-8, which has no such byte
		}
	}
	return index
}
