package observe

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/databricks/databricks-sdk-go/common/types/duration"
	"github.com/databricks/databricks-sdk-go/common/types/fieldmask"
	sdktime "github.com/databricks/databricks-sdk-go/common/types/time"
)

// probe is a request in which every value is unique, so that each can be found in the sent request.
type probe struct {
	value  reflect.Value
	leaves []*leaf // in the order of the fields
	count  int
	above  []reflect.Type // the structs around the one at hand
}

// leaf is a field that is no struct: of the request, or of a struct in it.
type leaf struct {
	fields []string // Go names from the request to the field
	// texts are the values of the field as the SDK writes them into a path, a query or JSON: several
	// for a list or a map. A boolean has no text, because its two values do not identify it.
	texts []string
}

// newProbe fills a request of a type. Fields for which fill is false stay empty; fill sees the Go
// names from the request to the field.
func newProbe(t reflect.Type, fill func(fields []string) bool) (*probe, error) {
	p := &probe{value: reflect.New(t).Elem()}
	if t.Kind() != reflect.Struct {
		return p, p.fill(p.value, &leaf{})
	}
	return p, p.fillStruct(p.value, nil, fill)
}

// fillStruct fills the fields of a struct. A type inside itself is filled once more, and no further.
func (p *probe) fillStruct(v reflect.Value, fields []string, fill func([]string) bool) error {
	p.above = append(p.above, v.Type())
	defer func() { p.above = p.above[:len(p.above)-1] }()
	for i := range v.NumField() {
		field := v.Type().Field(i)
		at := append(slices.Clone(fields), field.Name)
		if field.Name == "ForceSendFields" || !field.IsExported() || !fill(at) {
			continue
		}
		if nested := structOf(field.Type); nested != nil {
			if p.depth(nested) > 1 {
				continue
			}
			target := v.Field(i)
			if target.Kind() == reflect.Pointer {
				target.Set(reflect.New(nested))
				target = target.Elem()
			}
			if err := p.fillStruct(target, at, fill); err != nil {
				return err
			}
			continue
		}
		l := &leaf{fields: at}
		if err := p.fill(v.Field(i), l); err != nil {
			return fmt.Errorf("field %s: %w", strings.Join(at, "."), err)
		}
		p.leaves = append(p.leaves, l)
	}
	return nil
}

func (p *probe) depth(t reflect.Type) int {
	n := 0
	for _, above := range p.above {
		if above == t {
			n++
		}
	}
	return n
}

// structOf is the struct behind a type; nil for the structs that travel as texts.
func structOf(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || isText(t) {
		return nil
	}
	return t
}

func isText(t reflect.Type) bool {
	return t == reflect.TypeFor[fieldmask.FieldMask]() || t == reflect.TypeFor[duration.Duration]() || t == reflect.TypeFor[sdktime.Time]()
}

// token makes a text that occurs nowhere else.
func (p *probe) token() string {
	p.count++
	return fmt.Sprintf("zq%dzq", 1000+p.count)
}

// content is the content of every stream.
const content = "\x00\xff{stream"

// fill sets a value and notes its texts.
func (p *probe) fill(v reflect.Value, l *leaf) error {
	note := func(texts ...string) { l.texts = append(l.texts, texts...) }
	switch v.Type() {
	case reflect.TypeFor[fieldmask.FieldMask]():
		token := p.token()
		v.Set(reflect.ValueOf(*fieldmask.New([]string{token})))
		note(token)
		return nil
	case reflect.TypeFor[duration.Duration]():
		p.count++
		seconds := 7_000_000 + p.count
		v.Set(reflect.ValueOf(*duration.New(time.Duration(seconds) * time.Second)))
		note(fmt.Sprintf("%ds", seconds))
		return nil
	case reflect.TypeFor[sdktime.Time]():
		p.count++
		at := time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(p.count) * time.Minute)
		v.Set(reflect.ValueOf(*sdktime.New(at)))
		note(at.Format(time.RFC3339))
		return nil
	case reflect.TypeFor[json.RawMessage](), reflect.TypeFor[any]():
		token := p.token()
		if v.Kind() == reflect.Interface {
			v.Set(reflect.ValueOf(map[string]any{"any": token}))
		} else {
			v.Set(reflect.ValueOf(json.RawMessage(strconv.Quote(token))))
		}
		note(token)
		return nil
	case reflect.TypeFor[io.ReadCloser]():
		v.Set(reflect.ValueOf(io.NopCloser(strings.NewReader(content))))
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return p.fill(v.Elem(), l)
	case reflect.Struct:
		inner := &probe{value: v, count: p.count, above: p.above}
		if p.depth(v.Type()) > 1 {
			return nil
		}
		err := inner.fillStruct(v, nil, func([]string) bool { return true })
		p.count = inner.count
		for _, leaf := range inner.leaves {
			note(leaf.texts...)
		}
		return err
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		return p.fill(v.Index(0), l)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		item := reflect.New(v.Type().Elem()).Elem()
		if err := p.fill(item, l); err != nil {
			return err
		}
		key := p.token()
		note(key)
		v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), item)
	case reflect.String:
		token := p.token()
		v.SetString(token)
		note(token)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		p.count++
		v.SetInt(int64(7_000_000 + p.count))
		note(strconv.Itoa(7_000_000 + p.count))
	case reflect.Float64:
		p.count++
		v.SetFloat(float64(p.count) + 0.25)
		note(fmt.Sprintf("%v", float64(p.count)+0.25))
	default:
		return fmt.Errorf("a value of the type %v", v.Type())
	}
	return nil
}
