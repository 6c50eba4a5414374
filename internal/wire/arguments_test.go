package wire

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/databricks/databricks-sdk-go/common/types/duration"
	"github.com/databricks/databricks-sdk-go/common/types/fieldmask"
	sdktime "github.com/databricks/databricks-sdk-go/common/types/time"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/openapigen/sdk"
	"github.com/lakeql/lakeql/provider"
)

// callOf makes our call of a request of the SDK, as a person would write it who wants the same.
func callOf(o *sdk.Operation, m *provider.Method, request reflect.Value) (dispatch.Call, error) {
	call := dispatch.Call{Method: m, Args: map[string]any{}}
	for _, p := range o.PathParams {
		value := any(accountID)
		switch {
		case p.GoText:
			value = "seg-0" // text, as the API has it
		case p.Field != "":
			value = plain(request.FieldByName(p.Field))
		}
		if whole := m.NameParam; whole != nil && whole.Name == p.Name {
			parts, ok := whole.Split(fmt.Sprint(value))
			if !ok {
				return call, fmt.Errorf("%v does not have the form %s", value, whole.Template)
			}
			for name, part := range parts {
				call.Args[name] = part
			}
			continue
		}
		call.Args[p.Name] = value
	}
	for _, q := range o.Query {
		if v, ok := at(request, q.Fields); ok {
			call.Args[q.Name] = plain(v)
		}
	}
	switch o.Body.Kind {
	case sdk.WholeBody:
		body := plain(request)
		if attributes, ok := body.(map[string]any); ok {
			for _, p := range o.PathParams {
				delete(attributes, p.Name) // said once, as a parameter
			}
		}
		call.Body = body
	case sdk.BareBody:
		call.Body = plain(request.FieldByName(o.Body.Field.Go))
	case sdk.StreamBody:
		call.Body = content
	case sdk.NoBody, sdk.EmptyObject:
	}
	return call, nil
}

// at returns a field, and whether it has a value.
func at(v reflect.Value, fields []string) (reflect.Value, bool) {
	for _, name := range fields {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return v, false
			}
			v = v.Elem()
		}
		v = v.FieldByName(name)
	}
	return v, !v.IsZero()
}

// plain returns a value of the SDK's types as JSON has it.
func plain(v reflect.Value) any {
	switch value := v.Interface().(type) {
	case fieldmask.FieldMask:
		return strings.Join(value.Paths, ",")
	case duration.Duration:
		return seconds(value.AsDuration())
	case sdktime.Time:
		return value.AsTime().Format(time.RFC3339Nano)
	case json.RawMessage:
		return decoded(value)
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return plain(v.Elem())
	case reflect.Struct:
		return attributes(v)
	case reflect.Slice:
		items := make([]any, v.Len())
		for i := range items {
			items[i] = plain(v.Index(i))
		}
		return items
	case reflect.Map:
		attributes := map[string]any{}
		for _, key := range v.MapKeys() {
			attributes[key.String()] = plain(v.MapIndex(key))
		}
		return attributes
	case reflect.String:
		return v.String()
	case reflect.Bool:
		return v.Bool()
	case reflect.Int, reflect.Int64:
		return json.Number(strconv.FormatInt(v.Int(), 10))
	case reflect.Float64:
		return json.Number(strconv.FormatFloat(v.Float(), 'g', -1, 64))
	default:
		panic(fmt.Sprintf("no JSON for %v", v.Type()))
	}
}

// attributes returns the fields of a struct that its json tags name. One tagged omitempty is left
// out while it is empty, which a struct never is.
func attributes(v reflect.Value) map[string]any {
	found := map[string]any{}
	for i := range v.NumField() {
		name, options, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		if name == "-" || name == "" || v.Type().Field(i).Type == reflect.TypeFor[io.ReadCloser]() {
			continue
		}
		field := v.Field(i)
		if strings.Contains(options, "omitempty") && field.Kind() != reflect.Struct && field.IsZero() {
			continue
		}
		found[name] = plain(field)
	}
	return found
}

// seconds writes a duration as the API does: 90s, 1.500s, with as many threes of digits as it takes.
func seconds(d time.Duration) string {
	whole, rest := d/time.Second, d%time.Second
	if rest == 0 {
		return fmt.Sprintf("%ds", whole)
	}
	digits := fmt.Sprintf("%09d", rest)
	for strings.HasSuffix(digits, "000") {
		digits = strings.TrimSuffix(digits, "000")
	}
	return fmt.Sprintf("%d.%ss", whole, digits)
}

// decoded reads JSON, with numbers as they are written.
func decoded(data []byte) any {
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return fmt.Sprintf("no JSON: %v: %s", err, data)
	}
	return value
}
