package parquet

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/lakeql/lakeql/provider"
)

// everyType has a column of each type, not in the order of their names.
var everyType = []Column{
	{Name: "text", Type: Text},
	{Name: "integer", Type: Integer},
	{Name: "number", Type: Number},
	{Name: "boolean", Type: Boolean},
	{Name: "at", Type: Timestamp},
	{Name: "json", Type: JSON},
}

func TestArrowReadsWhatWasWritten(t *testing.T) {
	row := func(values ...any) []any { return values }
	nothing := make([]any, len(everyType))
	for _, test := range []struct {
		name string
		rows [][]any
	}{
		{"no rows", nil},
		{"a row of nulls", [][]any{nothing}},
		{"nulls between values", [][]any{
			nothing,
			row("a", int64(1), 1.5, true, time.UnixMicro(1), json.RawMessage(`{}`)),
			nothing,
			row("b", int64(2), 2.5, false, time.UnixMicro(2), json.RawMessage(`[]`)),
		}},
		{"extremes", [][]any{
			row("", int64(math.MinInt64), -math.MaxFloat64, false, time.UnixMicro(math.MinInt64), json.RawMessage(`0`)),
			row("", int64(math.MaxInt64), math.MaxFloat64, true, time.UnixMicro(math.MaxInt64), json.RawMessage(`""`)),
			row("\x00", int64(-1), math.SmallestNonzeroFloat64, true, time.Time{}, json.RawMessage(`null`)),
			row(" \t\r\n", int64(0), math.Inf(-1), true, time.Unix(0, 0), json.RawMessage(`123456789012345678901234567890.5`)),
			row("\U0010FFFF", int64(0), math.Copysign(0, -1), true, time.Unix(0, 0), json.RawMessage(`"\ud83d\ude00"`)),
		}},
		{"text of every kind", [][]any{
			row("naïve Ω 日本語 👩‍👩‍👧 \u202eabc", nil, nil, nil, nil, json.RawMessage(`{"日本": ["👩‍👩‍👧", null, {"a": {"b": [1, 2.50, -0]}}]}`)),
			row("'\"`\\", nil, nil, nil, nil, json.RawMessage(` {"spaces" :  "stay"} `)),
		}},
		{"timestamps before 1970, with microseconds and zones", [][]any{
			row(nil, nil, nil, nil, time.Date(1969, 12, 31, 23, 59, 59, 999_999_000, time.UTC), nil),
			row(nil, nil, nil, nil, time.Date(1600, 2, 29, 1, 2, 3, 4_000, time.FixedZone("", 5*3600+1800)), nil),
			row(nil, nil, nil, nil, time.Date(9999, 12, 31, 23, 59, 59, 123_456_000, time.UTC), nil),
		}},
		{"values that are numbers both ways", [][]any{
			row(nil, 3.0, int64(3), nil, nil, nil),
			row(nil, -float64(1<<53), int64(-1<<53), nil, nil, nil),
		}},
		{"a text of many pages", [][]any{
			row(strings.Repeat("long ", 4<<20), nil, nil, nil, nil, json.RawMessage(`"`+strings.Repeat("long ", 4<<20)+`"`)),
			row("short", int64(1), nil, nil, nil, json.RawMessage(`1`)),
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			roundTrip(t, everyType, test.rows, usualLimits())
		})
	}
}

func TestMomentsAreCutToMicroseconds(t *testing.T) {
	columns := []Column{{Name: "at", Type: Timestamp}}
	got, _ := read(t, encode(t, columns, [][]any{{time.Unix(5, 1_999)}, {time.Unix(-5, 1_999)}}, usualLimits()))
	want := [][]any{{time.Unix(5, 1_000)}, {time.Unix(-5, 1_000)}}
	compare(t, got, want)
}

func TestRowGroupsAreBounded(t *testing.T) {
	for _, test := range []struct {
		name   string
		limits limits
		rows   int
		groups []int64
	}{
		{"by rows", limits{groupRows: 100, groupBytes: 1 << 30, value: 1 << 20}, 250, []int64{100, 100, 50}},
		{"by rows, to the last one", limits{groupRows: 100, groupBytes: 1 << 30, value: 1 << 20}, 200, []int64{100, 100}},
		{"by bytes, after a batch", limits{groupRows: 1 << 20, groupBytes: 1, value: 1 << 20}, 150, []int64{batchRows, batchRows, 150 - 2*batchRows}},
		{"in a small file not at all", usualLimits(), 1000, []int64{1000}},
	} {
		t.Run(test.name, func(t *testing.T) {
			meta := roundTrip(t, everyType, sample(test.rows), test.limits)
			var groups []int64
			for i := range meta.RowGroups {
				groups = append(groups, meta.RowGroup(i).NumRows())
			}
			if !slices.Equal(groups, test.groups) {
				t.Errorf("row groups of %v rows, want %v", groups, test.groups)
			}
		})
	}
}

func TestLongValuesMakeShortRowGroups(t *testing.T) {
	columns := []Column{{Name: "contents", Type: Text}}
	rows := make([][]any, 40)
	for i := range rows {
		rows[i] = []any{noise(i, 100<<10)}
	}
	meta := roundTrip(t, columns, rows, limits{groupRows: 1 << 20, groupBytes: 1 << 20, value: 1 << 20})
	if n := len(meta.RowGroups); n < 2 || n > 5 {
		t.Errorf("4 MB of noise in %d row groups, want one for each MB or two", n)
	}
}

func TestSchema(t *testing.T) {
	columns := append(slices.Clone(everyType), Column{Name: "needed", Type: Integer, Required: true})
	r := open(t, encode(t, columns, nil, usualLimits()))
	got := r.MetaData().Schema.String()
	for _, want := range []string{
		"optional byte_array field_id=-1 text (String);",
		"optional int64 field_id=-1 integer (Int(bitWidth=64, isSigned=true));",
		"optional double field_id=-1 number;",
		"optional boolean field_id=-1 boolean;",
		"optional int64 field_id=-1 at (Timestamp(isAdjustedToUTC=true, timeUnit=microseconds, is_from_converted_type=false, force_set_converted_type=false));",
		"optional byte_array field_id=-1 json (JSON);",
		"required int64 field_id=-1 needed (Int(bitWidth=64, isSigned=true));",
	} {
		before, after, ok := strings.Cut(got, want)
		if !ok {
			t.Fatalf("the schema, after what was found, is\n%s\nand lacks\n%s", got, want)
		}
		if strings.Contains(before, ";") {
			t.Errorf("before %s is %s", want, before)
		}
		got = after
	}
}

func TestPagesAreInWhatEveryReaderHas(t *testing.T) {
	meta := open(t, encode(t, everyType, sample(1000), usualLimits())).MetaData()
	for i, c := range everyType {
		chunk, err := meta.RowGroup(0).ColumnChunk(i)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(chunk.Compression(), chunk.Encodings(), chunk.HasDictionaryPage()); got != "ZSTD [PLAIN RLE] false" {
			t.Errorf("%s is in %s", c.Name, got)
		}
		stats, err := chunk.Statistics()
		if err != nil {
			t.Fatal(err)
		}
		if long := c.Type == Text || c.Type == JSON; stats.HasMinMax() == long {
			t.Errorf("%s has bounds: %v", c.Name, stats.HasMinMax())
		}
		if stats.NullCount() == 0 || stats.NullCount() == 1000 {
			t.Errorf("%s has %d nulls of 1000", c.Name, stats.NullCount())
		}
	}
}

// Readers skip a page if its bounds exclude the wanted values, so unknown bounds must be wide.
func TestNoPageOfTextIsExcluded(t *testing.T) {
	rows := sample(5000)
	for _, row := range rows[1000:] {
		row[5] = nil
	}
	data := encode(t, everyType, rows, usualLimits())
	f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range everyType {
		if c.Type != Text && c.Type != JSON {
			continue
		}
		index := f.ColumnIndexes()[i]
		if len(index.MinValues) == 0 {
			t.Fatalf("%s has no pages in the index", c.Name)
		}
		for page := range index.MinValues {
			if low, high := string(index.MinValues[page]), string(index.MaxValues[page]); low != "" || high != "\xff" || index.NullPages[page] {
				t.Errorf("page %d of %s: from %q to %q, nulls only: %v", page, c.Name, low, high, index.NullPages[page])
			}
		}
	}
}

func TestDescriptionsAreInTheMetadata(t *testing.T) {
	columns := []Column{{Name: "a", Type: Text, Description: "first, \"quoted\" \xff"}, {Name: "b", Type: Text}}
	kv := open(t, encode(t, columns, nil, usualLimits())).MetaData().KeyValueMetadata()
	if v := kv.FindValue("lakeql.description.a"); v == nil || *v != "first, \"quoted\" \uFFFD" {
		t.Errorf("description of a: %v", v)
	}
	if kv.Len() != 1 {
		t.Errorf("the file has %v", kv)
	}
}

func TestSameRowsSameBytes(t *testing.T) {
	columns := slices.Clone(everyType)
	for i := range columns {
		columns[i].Description = "about " + columns[i].Name
	}
	if !bytes.Equal(encode(t, columns, sample(300), usualLimits()), encode(t, columns, sample(300), usualLimits())) {
		t.Error("two files of the same rows differ")
	}
}

func TestNamesThatWork(t *testing.T) {
	var columns []Column
	for _, name := range []string{
		"z", "a", "with.dots.in", "a/path", `"quoted"`, "it's", "`ticks`", `back\slash`, "日本語", "é", "e\u0301", "😀",
		"-", "_", "1", "*", "count", "optional", "list", "element", "%s", "<nil>", "json:\"x\"", "a\u00a0b", strings.Repeat("long", 1000),
	} {
		columns = append(columns, Column{Name: name, Type: Text, Description: "is " + name})
	}
	row := make([]any, len(columns))
	for i, c := range columns {
		row[i] = "value of " + c.Name
	}
	meta := roundTrip(t, columns, [][]any{row}, usualLimits())
	if v := meta.KeyValueMetadata().FindValue("lakeql.description.with.dots.in"); v == nil || *v != "is with.dots.in" {
		t.Errorf("description: %v", v)
	}
}

func TestNamesThatAreRefused(t *testing.T) {
	for _, test := range []struct {
		name  string
		names []string
		want  string
	}{
		{"empty", []string{"a", ""}, `column 2 of a Parquet file cannot be named "": it is empty`},
		{"space", []string{"my size"}, `cannot be named "my size": Spark takes no space in a name`},
		{"comma", []string{"a,b"}, `Spark takes no , in a name`},
		{"call", []string{"count(*)"}, `cannot be named "count(*)": Spark takes no ( in a name`},
		{"line break", []string{"a\nb"}, `cannot be named "a\nb": Spark takes no line break in a name`},
		{"tab", []string{"a\tb"}, `Spark takes no tab in a name`},
		{"equals", []string{"a=b"}, `Spark takes no = in a name`},
		{"escape", []string{"\x1b[31m"}, `cannot be named "\x1b[31m": it has a control character`},
		{"null byte", []string{"a\x00"}, `it has a control character`},
		{"no UTF-8", []string{"a\xff"}, `it is no UTF-8`},
		{"same twice", []string{"id", "b", "id"}, `two columns of a Parquet file are named "id" and "id"`},
		{"same but for case", []string{"Id", "iD"}, `two columns of a Parquet file are named "Id" and "iD": upper and lower case`},
		{"none", nil, `a Parquet file cannot have 0 columns`},
		{"too many", make([]string, 1<<16), `a Parquet file cannot have 65536 columns`},
	} {
		t.Run(test.name, func(t *testing.T) {
			var columns []Column
			for _, name := range test.names {
				columns = append(columns, Column{Name: name, Type: Text})
			}
			fails(t, columns, nil, provider.Usage, test.want)
		})
	}
}

func TestValuesThatDoNotFit(t *testing.T) {
	good := []any{"a", int64(1), 1.5, true, time.UnixMicro(1), json.RawMessage(`{}`)}
	for _, test := range []struct {
		name   string
		column string
		value  any
		want   string
	}{
		{"number as text", "text", int64(1), "a value of type integer does not fit the column's type, text"},
		{"JSON as text", "text", json.RawMessage(`"a"`), "a value of type json does not fit the column's type, text"},
		{"text that is no UTF-8", "text", "a\xffb", "the text is not in UTF-8"},
		{"text as integer", "integer", "1", "a value of type text does not fit the column's type, integer"},
		{"fraction as integer", "integer", 1.5, "the number is not an integer"},
		{"no number as integer", "integer", math.NaN(), "the number is not an integer"},
		{"infinity as integer", "integer", math.Inf(1), "the number is not an integer"},
		{"float beyond exactness as integer", "integer", float64(1 << 54), "the number is not an integer, or too large"},
		{"integer beyond exactness as number", "number", int64(1<<53 + 1), "the integer has more digits than a column of type number can hold"},
		{"least integer as number", "number", int64(math.MinInt64), "the integer has more digits than a column of type number can hold"},
		{"boolean as number", "number", true, "a value of type boolean does not fit the column's type, number"},
		{"integer as boolean", "boolean", int64(1), "a value of type integer does not fit the column's type, boolean"},
		{"text as timestamp", "at", "2026-01-01", "a value of type text does not fit the column's type, timestamp"},
		{"timestamp as JSON", "json", time.UnixMicro(1), "a value of type timestamp does not fit the column's type, json"},
		{"year beyond microseconds", "at", time.Date(300000, 1, 1, 0, 0, 0, 0, time.UTC), "the year 300000 is beyond"},
		{"year before microseconds", "at", time.Date(-300000, 1, 1, 0, 0, 0, 0, time.UTC), "the year -300000 is beyond"},
		{"text as JSON", "json", `{}`, "a value of type text does not fit the column's type, json"},
		{"half of JSON", "json", json.RawMessage(`{"a":`), "the value is no valid JSON"},
		{"empty JSON", "json", json.RawMessage(nil), "the value is no valid JSON"},
		{"JSON that is no UTF-8", "json", json.RawMessage("\"\xff\""), "the value is no valid JSON"},
		{"null where one is required", "needed", nil, "there is no value, and the column requires one"},
		{"longer than allowed", "text", strings.Repeat("x", 1001), "a value of 1001 bytes is too long: Parquet files are written with at most 1000"},
	} {
		t.Run(test.name, func(t *testing.T) {
			columns := append(slices.Clone(everyType), Column{Name: "needed", Type: Text, Required: true})
			first := append(slices.Clone(good), "x")
			second := slices.Clone(first)
			second[slices.IndexFunc(columns, func(c Column) bool { return c.Name == test.column })] = test.value
			fails(t, columns, [][]any{first, second}, provider.Usage, fmt.Sprintf("row 2, column %q: %s", test.column, test.want))
		})
	}
}

func TestFaultsOfTheCaller(t *testing.T) {
	for _, test := range []struct {
		name    string
		columns []Column
		row     []any
		want    string
	}{
		{"a type that is none", []Column{{Name: "a", Type: "blob"}}, nil, `column "a" of a Parquet file has the unknown type "blob"`},
		{"too few values", everyType, []any{"a"}, "row 1 has 1 values for the 6 columns of a Parquet file"},
		{"a Go type that rows do not have", []Column{{Name: "a", Type: Integer}}, []any{1}, `row 1, column "a": the value is a Go int, which rows do not have`},
		{"a secret, which is not shown", []Column{{Name: "a", Type: Text}}, []any{provider.Secret("hunter2")}, `row 1, column "a": the value is a Go provider.Secret, which rows do not have`},
	} {
		t.Run(test.name, func(t *testing.T) {
			fails(t, test.columns, [][]any{test.row}, provider.Internal, test.want)
		})
	}
}

func TestErrorsOfRowsComeBackAsTheyAre(t *testing.T) {
	broken := errors.New("broken")
	rows := sample(3)
	n, err := Write(io.Discard, everyType, func() ([]any, error) {
		if len(rows) == 0 {
			return nil, broken
		}
		row := rows[0]
		rows = rows[1:]
		return row, nil
	})
	if n != 3 || err != broken { //nolint:errorlint // the error itself is meant
		t.Errorf("%d rows and %v, want 3 and the error of rows", n, err)
	}
}

// A connection that breaks off is io.EOF too, somewhere below: a file that ends there would look whole.
func TestOnlyEOFItselfIsTheEnd(t *testing.T) {
	cut := fmt.Errorf("list clusters: %w", io.EOF)
	if _, err := Write(io.Discard, everyType, func() ([]any, error) { return nil, cut }); err != cut { //nolint:errorlint // the error itself is meant
		t.Errorf("error %v, want %v", err, cut)
	}
}

func TestErrorsOfTheFileAreTold(t *testing.T) {
	whole := len(encode(t, everyType, sample(5000), limits{groupRows: 1000, groupBytes: 1 << 30, value: 1 << 20}))
	for _, room := range []int{0, 10, whole / 2, whole - 1} {
		_, err := write(&fullDisk{room: room}, everyType, rowsOf(sample(5000)), limits{groupRows: 1000, groupBytes: 1 << 30, value: 1 << 20})
		if !errors.Is(err, errFull) || !strings.HasPrefix(err.Error(), "write Parquet: ") {
			t.Errorf("with room for %d bytes of %d: %v", room, whole, err)
		}
	}
}

func TestValuesMayChangeOnceTheRowIsTaken(t *testing.T) {
	columns := []Column{{Name: "a", Type: Integer}, {Name: "b", Type: Text}}
	row, n := make([]any, 2), 0
	var b bytes.Buffer
	_, err := Write(&b, columns, func() ([]any, error) {
		if n == 200 {
			return nil, io.EOF
		}
		n++
		row[0], row[1] = int64(n), fmt.Sprint(n)
		return row, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	got, _ := read(t, b.Bytes())
	for i, row := range got {
		if row[0] != int64(i+1) || row[1] != fmt.Sprint(i+1) {
			t.Fatalf("row %d is %v", i+1, row)
		}
	}
}

var errFull = errors.New("no space left")

// fullDisk takes some bytes.
type fullDisk struct{ room int }

func (d *fullDisk) Write(p []byte) (int, error) {
	if len(p) > d.room {
		n := d.room
		d.room = 0
		return n, errFull
	}
	d.room -= len(p)
	return len(p), nil
}

// fails checks the error of writing rows, in all it says.
func fails(t *testing.T, columns []Column, rows [][]any, code provider.Code, want string) {
	t.Helper()
	_, err := write(io.Discard, columns, rowsOf(rows), limits{groupRows: 1000, groupBytes: 1 << 20, value: 1000})
	var e *provider.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v, want a provider.Error", err)
	}
	if e.Code != code || !strings.Contains(e.Message, want) {
		t.Errorf("error %d: %s\nwant  %d: %s", e.Code, e.Message, code, want)
	}
	if strings.Contains(e.Message, "hunter2") {
		t.Error("the message shows a secret")
	}
}
