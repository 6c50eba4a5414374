package emulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/resource"
	"github.com/lakeql/lakeql/provider"
)

// maxViolations is how many violations an error lists.
const maxViolations = 10

// validator validates requests by the documents. It is stricter than the API, which accepts some
// unknown fields and parameters.
type validator struct {
	catalogue *provider.Catalogue

	mu       sync.Mutex
	patterns map[string]*regexp.Regexp
}

func newValidator(catalogue *provider.Catalogue) *validator {
	return &validator{catalogue: catalogue, patterns: map[string]*regexp.Regexp{}}
}

// checkAny validates a request by the method of its route, or by another method of the same verb
// and path.
func (v *validator) checkAny(x *exchange, rt *route, params map[string]string) (url.Values, error) {
	query, err := v.check(x, rt.method, params)
	for _, m := range rt.also {
		if err == nil {
			break
		}
		if other, otherErr := v.check(x, m, params); otherErr == nil {
			return other, nil
		}
	}
	return query, err
}

// check validates the path's parameters, the query and the body, and returns the query.
func (v *validator) check(x *exchange, m *provider.Method, params map[string]string) (url.Values, error) {
	query, err := url.ParseQuery(x.request.URL.RawQuery)
	if err != nil {
		return nil, apierror.Invalid("The query %q cannot be read.", apierror.Printable(x.request.URL.RawQuery))
	}
	c := &check{validator: v, method: m}
	if text := query.Get("update_mask"); text != "" {
		for path := range strings.SplitSeq(text, ",") {
			c.mask = append(c.mask, strings.TrimSpace(path))
		}
	}
	if err := errors.Join(c.parameters(params, query), c.body(x.request.Header.Get("Content-Type"), x.body)); err != nil {
		return nil, err
	}
	if len(c.found) > 0 {
		texts := make([]string, len(c.found))
		for i, f := range c.found {
			texts[i] = f.Field + " " + f.Description
		}
		e := apierror.Invalid("The request is not valid: %s.", strings.Join(texts, "; "))
		e.Violations = c.found
		return nil, e
	}
	return query, nil
}

func (v *validator) pattern(expression string) (*regexp.Regexp, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if re, ok := v.patterns[expression]; ok {
		return re, nil
	}
	re, err := regexp.Compile(expression)
	if err != nil {
		return nil, fmt.Errorf("the documents' pattern %q: %w", expression, err)
	}
	v.patterns[expression] = re
	return re, nil
}

// check is the validation of one request. It collects violations of schemas. Its methods return
// other errors: of the documents, or of the JSON.
type check struct {
	*validator
	method *provider.Method
	mask   []string // paths of the update mask in the query; none: the request sets the whole body
	found  []apierror.Violation
}

func (c *check) violated(path provider.Path, format string, args ...any) {
	if len(c.found) < maxViolations {
		field := apierror.Printable(path.String())
		if field == "" {
			field = "body"
		}
		c.found = append(c.found, apierror.Violation{Field: field, Description: fmt.Sprintf(format, args...)})
	}
}

func (c *check) parameters(params map[string]string, query url.Values) error {
	for name := range query {
		if p, ok := c.method.Param(name); !ok || p.In != provider.InQuery {
			c.violated(provider.Path{name}, "is not a parameter of this call")
		}
	}
	for i := range c.method.Params {
		p := &c.method.Params[i]
		var values []string
		switch p.In {
		case provider.InPath:
			values = []string{params[p.Name]}
		case provider.InQuery:
			values = query[p.Name]
		default:
			continue
		}
		if len(values) == 0 {
			if p.Required {
				c.violated(provider.Path{p.Name}, "is required")
			}
			continue
		}
		schema, err := c.catalogue.Resolve(c.method, p.Schema)
		if err != nil {
			return err
		}
		if err := c.texts(provider.Path{p.Name}, schema, values); err != nil {
			return err
		}
	}
	return nil
}

// texts validates the values of one parameter, which are text.
func (c *check) texts(path provider.Path, schema *provider.Schema, values []string) error {
	if schema == nil {
		return nil
	}
	if schema.Type == "array" {
		for i, text := range values {
			if err := c.value(slices.Concat(path, provider.Path{i}), schema.Items, typed(schema.Items, text)); err != nil {
				return err
			}
		}
		return nil
	}
	if len(values) > 1 {
		c.violated(path, "is given %d times", len(values))
		return nil
	}
	return c.value(path, schema, typed(schema, values[0]))
}

// typed reads text as the schema's type. It returns the text itself if it is not of that type.
func typed(schema *provider.Schema, text string) any {
	if schema == nil {
		return text
	}
	switch schema.Type {
	case "integer":
		if _, err := strconv.ParseInt(text, 10, 64); err == nil {
			return json.Number(text)
		}
	case "number":
		if f, err := strconv.ParseFloat(text, 64); err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
			return json.Number(text)
		}
	case "boolean":
		if text == "true" || text == "false" {
			return text == "true"
		}
	}
	return text
}

func (c *check) body(contentType string, raw []byte) error {
	want := c.method.Body
	if c.method.Path == importPath && strings.HasPrefix(contentType, "multipart/form-data") {
		return nil // its handler reads the form
	}
	if want == nil {
		return nil // like the API, the emulator ignores a body that is not documented
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		if want.Required {
			c.violated(nil, "is required")
		}
		return nil
	}
	if want.MediaType != "" && want.MediaType != "application/json" {
		return nil
	}
	value, err := resource.Decode(raw)
	if err != nil {
		return apierror.New(http.StatusBadRequest, "MALFORMED_REQUEST", "The request's body is not JSON: %s", apierror.Printable(err.Error()))
	}
	return c.value(nil, want.Schema, value)
}

// value validates a value by a schema.
func (c *check) value(path provider.Path, schema *provider.Schema, value any) error {
	schema, err := c.catalogue.Resolve(c.method, schema)
	if err != nil || schema == nil {
		return err
	}
	if value == nil {
		if !schema.Nullable {
			c.violated(path, "is null")
		}
		return nil
	}
	switch schema.Type {
	case "object":
		object, ok := value.(map[string]any)
		if !ok {
			break
		}
		return c.object(path, schema, object)
	case "array":
		items, ok := value.([]any)
		if !ok {
			break
		}
		for i, item := range items {
			if err := c.value(slices.Concat(path, provider.Path{i}), schema.Items, item); err != nil {
				return err
			}
		}
		return nil
	case "string":
		text, ok := value.(string)
		if !ok {
			break
		}
		return c.text(path, schema, text)
	case "integer", "number":
		n, ok := value.(json.Number)
		if !ok || !fits(n, schema) {
			break
		}
		return nil
	case "boolean":
		if _, ok := value.(bool); !ok {
			break
		}
		return nil
	default:
		return nil // the documents leave it open
	}
	c.violated(path, "must be of type %s", strings.TrimSpace(schema.Type+" "+schema.Format))
	return nil
}

// changes reports whether a request sets an attribute. With an update mask it sets the attributes
// at or below the paths of the mask, so the body may lack others.
func (c *check) changes(path provider.Path, name string) bool {
	at := slices.Concat(path, provider.Path{name}).String()
	return len(c.mask) == 0 || slices.ContainsFunc(c.mask, func(m string) bool {
		rest, below := strings.CutPrefix(at, m)
		return m == "*" || below && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

func (c *check) object(path provider.Path, schema *provider.Schema, object map[string]any) error {
	for _, name := range schema.Required {
		if _, ok := object[name]; !ok && c.changes(path, name) {
			c.violated(slices.Concat(path, provider.Path{name}), "is required")
		}
	}
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		at := slices.Concat(path, provider.Path{name})
		property, ok := schema.Property(name)
		switch {
		case ok:
		case schema.Additional != nil:
			property = schema.Additional
		case len(schema.Properties) == 0:
			continue // an object of any shape
		default:
			c.violated(at, "is not a known field")
			continue
		}
		if err := c.value(at, property, object[name]); err != nil {
			return err
		}
	}
	return nil
}

func (c *check) text(path provider.Path, schema *provider.Schema, text string) error {
	if len(schema.Enum) > 0 && !slices.ContainsFunc(schema.Enum, func(v any) bool { return v == text }) {
		c.violated(path, "must be one of %s", strings.Trim(fmt.Sprint(schema.Enum), "[]"))
		return nil
	}
	if !formatted(schema.Format, text) {
		c.violated(path, "must be a %s", schema.Format)
		return nil
	}
	if schema.Pattern == "" {
		return nil
	}
	re, err := c.pattern(schema.Pattern)
	if err != nil {
		return err
	}
	if !re.MatchString(text) {
		c.violated(path, "must match %s", schema.Pattern)
	}
	return nil
}

// fits reports whether a number has the schema's type and is in the format's range.
func fits(n json.Number, schema *provider.Schema) bool {
	if schema.Type == "number" {
		_, err := n.Float64()
		return err == nil
	}
	i, err := n.Int64()
	return err == nil && (schema.Format != "int32" || i >= math.MinInt32 && i <= math.MaxInt32)
}

func formatted(format, text string) bool {
	switch format {
	case "date-time":
		_, err := time.Parse(time.RFC3339, text)
		return err == nil
	case "duration": // as protobuf writes it: 3.5s
		seconds, ok := strings.CutSuffix(text, "s")
		_, err := strconv.ParseFloat(seconds, 64)
		return ok && err == nil && strings.Trim(seconds, "-.0123456789") == ""
	}
	return true
}
