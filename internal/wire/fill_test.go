package wire

import (
	"encoding/json"
	"fmt"
	"io"
	"path"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/databricks/databricks-sdk-go/common/types/duration"
	"github.com/databricks/databricks-sdk-go/common/types/fieldmask"
	sdktime "github.com/databricks/databricks-sdk-go/common/types/time"

	"github.com/lakeql/lakeql/internal/openapigen/sdk"
	"github.com/lakeql/lakeql/provider"
)

// filling says which fields of a request get a value.
type filling struct {
	name string
	// full sets every field, with characters in names and texts that need escapes; otherwise only the
	// required fields are set.
	full bool
}

func fillings() []filling { return []filling{{"full", true}, {"required", false}} }

// filler fills a request of the SDK from its types. No two values are the same, and all are the
// same each time.
type filler struct {
	filling
	api       *sdk.API
	operation *sdk.Operation
	method    *provider.Method
	count     int
	above     []reflect.Type // the structs around the one at hand
}

// request makes a request of a type.
func (f *filler) request(t reflect.Type) reflect.Value {
	v := reflect.New(t).Elem()
	if t.Kind() != reflect.Struct {
		f.fill(v, nil, inBody)
		return v
	}
	f.above = append(f.above, t)
	for _, field := range f.message(t).Fields {
		if place, wanted := f.place(field); wanted || f.full && place != nowhere {
			f.root(v.FieldByName(field.Go), field, place)
		}
	}
	return v
}

// root fills a field of the request itself.
func (f *filler) root(v reflect.Value, field *sdk.Field, place place) {
	p := f.operation.Paging
	iterated := p != nil && (p.Kind == sdk.OffsetPaging || p.Kind == sdk.PagePaging)
	switch {
	case place == inPath && v.Kind() == reflect.String:
		v.SetString(f.pathValue(field))
	case place == inPath && v.Kind() == reflect.Struct:
		// The SDK sends Go's notation of it, which an escape-like text would make no path at all.
	case iterated && field.URL == p.Request:
		v.SetInt(int64(p.First)) // where the SDK starts, whatever it is told
	default:
		f.fill(v, field, place)
	}
}

// place is where a field travels, which decides when it is required.
type place int

const (
	nowhere place = iota
	inPath
	inQuery
	inBody
)

// place returns where a field of the request is sent, and whether a call needs it.
func (f *filler) place(field *sdk.Field) (place, bool) {
	o := f.operation
	if slices.ContainsFunc(o.PathParams, func(p *sdk.PathParam) bool { return p.Field == field.Go }) {
		return inPath, true
	}
	for _, q := range o.Query {
		if q.Fields[0] == field.Go {
			return inQuery, field.RequiredURL
		}
	}
	switch o.Body.Kind {
	case sdk.WholeBody:
		if field.JSON != "" {
			return inBody, field.Required
		}
	case sdk.BareBody, sdk.StreamBody:
		if field.Go == o.Body.Field.Go {
			return inBody, true
		}
	case sdk.NoBody, sdk.EmptyObject:
	}
	return nowhere, false
}

// message returns the declaration of a struct in the source.
func (f *filler) message(t reflect.Type) *sdk.Message {
	m, ok := f.api.Message(named(t))
	if !ok {
		panic(fmt.Sprintf("the source has no message %v", t))
	}
	return m
}

// named is a type of the SDK as its source has it.
func named(t reflect.Type) *sdk.Type {
	return &sdk.Type{Kind: sdk.Named, Service: path.Base(t.PkgPath()), Name: t.Name()}
}

func (f *filler) next() int {
	f.count++
	return f.count
}

// fill sets a value. field describes it if it is a field in the source.
func (f *filler) fill(v reflect.Value, field *sdk.Field, place place) {
	if special := f.special(v.Type()); special.IsValid() {
		v.Set(special)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem(), field, place)
	case reflect.Struct:
		f.fillStruct(v, place)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), f.several(), f.several()))
		for i := range v.Len() {
			f.fill(v.Index(i), field, place)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range f.several() {
			item := reflect.New(v.Type().Elem()).Elem()
			f.fill(item, nil, place)
			v.SetMapIndex(reflect.ValueOf(fmt.Sprintf("key-%d", f.next())).Convert(v.Type().Key()), item)
		}
	case reflect.String:
		v.SetString(f.text(v.Type(), field))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int:
		v.SetInt(int64(f.next()))
	case reflect.Int64:
		v.SetInt(1<<53 + 1 + int64(f.next())) // more than a float64 holds
	case reflect.Float64:
		v.SetFloat(float64(f.next()) + 0.25)
	default:
		panic(fmt.Sprintf("%s: no value for %v", f.operation.ID(), v.Type()))
	}
}

// special makes values of types whose JSON form differs from their kind.
func (f *filler) special(t reflect.Type) reflect.Value {
	switch t {
	case reflect.TypeFor[fieldmask.FieldMask]():
		return reflect.ValueOf(*fieldmask.New([]string{"spec.display_name", "spec.ttl"}))
	case reflect.TypeFor[duration.Duration]():
		return reflect.ValueOf(*duration.New(time.Duration(f.next())*time.Second + 500*time.Millisecond))
	case reflect.TypeFor[sdktime.Time]():
		return reflect.ValueOf(*sdktime.New(time.Date(2026, 1, 31, 12, 0, f.next(), 5_000_000, time.UTC)))
	case reflect.TypeFor[json.RawMessage]():
		return reflect.ValueOf(json.RawMessage(fmt.Sprintf(`{"any-%d":[1,"two"]}`, f.next())))
	case reflect.TypeFor[any]():
		return reflect.ValueOf(map[string]any{fmt.Sprintf("any-%d", f.next()): []any{"one", true}})
	case reflect.TypeFor[io.ReadCloser]():
		return reflect.ValueOf(io.NopCloser(strings.NewReader(content)))
	}
	return reflect.Value{}
}

// content is the content of a stream: neither JSON nor text.
const content = "\x00\xff{stream"

// several is how many items a list gets: two where that does not lead too far.
func (f *filler) several() int {
	if f.full && len(f.above) <= 3 {
		return 2
	}
	return 1
}

// fillStruct fills a struct inside a request. A type inside itself is filled once more, and no further.
func (f *filler) fillStruct(v reflect.Value, place place) {
	f.above = append(f.above, v.Type())
	defer func() { f.above = f.above[:len(f.above)-1] }()
	for _, field := range f.message(v.Type()).Fields {
		travels, required := field.JSON != "", field.Required
		if place == inQuery {
			travels, required = field.URL != "" && field.URL != "-", field.RequiredURL
		}
		if travels && (required || f.full && !f.tooDeep(v.Type(), field)) {
			f.fill(v.FieldByName(field.Go), field, place)
		}
	}
}

// tooDeep reports whether a field would go on inside a type that it is in already.
func (f *filler) tooDeep(in reflect.Type, field *sdk.Field) bool {
	t := field.Type
	for t.Elem != nil {
		t = t.Elem
	}
	times := 0
	for _, above := range f.above {
		if *named(above) == *t {
			times++
		}
	}
	return times > 1 || times == 1 && *named(in) != *t
}

// text makes a text: one of an enum's values, a resource name of the right form, or any.
func (f *filler) text(t reflect.Type, field *sdk.Field) string {
	n := f.next()
	if e, ok := f.api.Enum(named(t)); ok {
		return e.Values[n%len(e.Values)]
	}
	if field != nil && field.Template != "" {
		return f.resourceName(field.Template, func(string) string { return f.segment("") })
	}
	if f.full {
		return fmt.Sprintf("tëxt %d + \"a&b=c/d?e#f%%g\" <é>\n", n)
	}
	return fmt.Sprintf("text-%d", n)
}

// pathValue makes the value of a path's parameter: whatever the method's form and pattern allow.
func (f *filler) pathValue(field *sdk.Field) string {
	i := slices.IndexFunc(f.operation.PathParams, func(p *sdk.PathParam) bool { return p.Field == field.Go })
	name := f.operation.PathParams[i].Name
	if whole := f.method.NameParam; whole != nil && whole.Name == name {
		return f.resourceName(whole.Template, func(part string) string { return f.segment(f.patternOf(part)) })
	}
	if p, ok := f.method.Param(name); ok && p.MultiSegment {
		several := f.segment("") + "/" + f.segment("")
		switch {
		case strings.Contains(f.operation.Path, "/{"+name+"}"):
			return several
		case f.full:
			return "/" + several + "/" + nameOfFile
		}
		return "/" + several
	}
	if e, ok := f.api.Enum(f.operation.PathParams[i].Type); ok {
		return e.Values[f.next()%len(e.Values)]
	}
	return f.segment(f.patternOf(name))
}

func (f *filler) patternOf(param string) string {
	if p, ok := f.method.Param(param); ok && p.Schema != nil {
		return p.Schema.Pattern
	}
	return ""
}

// nameOfFile has characters that only the name of a file may have.
const nameOfFile = "100%3A%zz\\ 売上\u3000👩\u200d💻?#\r\n.csv"

// segment makes a segment of a path.
func (f *filler) segment(pattern string) string {
	n := f.next()
	switch {
	case !f.full || pattern != "":
		return fmt.Sprintf("seg-%d", n)
	case n%2 == 0: // what may stand in a path as it is, which not every encoder leaves alone
		return fmt.Sprintf("seg-%d!$&'()*+,;=:@~", n)
	default:
		return fmt.Sprintf("sëg %d!$&'()*+,;=:@[]{}|^~", n)
	}
}

// resourceName fills the parameters of a template such as projects/{project_id}.
func (f *filler) resourceName(template string, value func(param string) string) string {
	segments := strings.Split(template, "/")
	for i, s := range segments {
		if strings.HasPrefix(s, "{") {
			segments[i] = value(strings.Trim(s, "{}"))
		}
	}
	return strings.Join(segments, "/")
}
