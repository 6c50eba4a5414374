package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"github.com/stackql/any-sdk/pkg/internaldto"
	"github.com/stackql/any-sdk/public/formulation"

	"github.com/lakeql/lakeql/provider"
)

// caller calls a method of the bundle with StackQL's library, as StackQL does. StackQL's own program cannot
// be imported: the steps before its call of the library are written here again, after its observed
// behaviour.
type caller struct {
	bundled  *bundled
	resource *provider.Resource
	method   *provider.Method
	service  formulation.Service
	judged   formulation.Resource
	store    formulation.StandardOperationStore
}

// arguments are the arguments of an EXEC: @ parameters, and the JSON of @@json.
type arguments struct {
	params map[string]any
	json   string
}

// exec makes the checks that StackQL makes before an EXEC, and builds its request.
func (c *caller) exec(a arguments) (*http.Request, error) {
	for name, value := range a.params {
		if p, ok := c.store.GetParameter(name); ok && !p.ConditionIsValid(name, value) {
			return nil, fmt.Errorf("@%s is a %s and takes no literal like %#v", name, p.GetType(), value)
		}
	}
	for name := range c.store.GetRequiredParameters() {
		if _, ok := a.params[name]; !ok {
			return nil, fmt.Errorf("@%s is required", name)
		}
	}
	var payload internaldto.ExecPayload
	if a.json != "" {
		var attributes map[string]any
		if err := json.Unmarshal([]byte(a.json), &attributes); err != nil {
			return nil, err
		}
		schema, err := c.store.GetRequestBodySchema()
		if err != nil {
			return nil, err
		}
		if err := takes(schema, attributes); err != nil {
			return nil, fmt.Errorf("@@json: %w", err)
		}
		payload = internaldto.NewExecPayload([]byte(a.json), map[string][]string{"Content-Type": {jsonType}}, attributes)
	}
	if err := execColumns(c.bundled.providers[c.resource.Provider], c.service, c.judged, c.store); err != nil {
		return nil, err
	}
	return c.request(a.params, formulation.NewExecContext(payload, c.judged))
}

// request builds the request of a call: for EXEC with its context, otherwise from the named values.
func (c *caller) request(params map[string]any, exec formulation.ExecContext) (*http.Request, error) {
	preparator := formulation.NewHTTPPreparator(c.bundled.providers[c.resource.Provider], c.service, c.store,
		map[int]map[string]any{0: params}, nil, exec, nil)
	armoury, err := preparator.BuildHTTPRequestCtx(formulation.NewHTTPPreparatorConfig(false))
	if err != nil {
		return nil, err
	}
	if built := armoury.GetRequestParams(); len(built) == 1 {
		return built[0].GetRequest(), nil
	}
	return nil, fmt.Errorf("%d requests, not one", len(armoury.GetRequestParams()))
}

// takes compares @@json with the schema of the body as StackQL does.
func takes(schema formulation.Schema, given map[string]any) error {
	properties, err := schema.GetProperties()
	if err != nil {
		return err
	}
	for name := range properties {
		if _, ok := given[name]; schema.IsRequired(name) && !ok {
			return fmt.Errorf("%s is required", name)
		}
	}
	for name, value := range given {
		attribute, ok := schema.GetProperty(name)
		if !ok {
			return fmt.Errorf("%s is not in the schema", name)
		}
		if err := takesValue(schema, attribute, name, value); err != nil {
			return err
		}
	}
	return nil
}

func takesValue(schema, attribute formulation.Schema, name string, value any) error {
	wrong := fmt.Errorf("%s is a %s and takes no %T", name, attribute.GetType(), value)
	switch v := value.(type) {
	case map[string]any:
		return takes(attribute, v)
	case []any:
		array, err := schema.GetPropertySchema(name)
		if err != nil {
			return err
		}
		items, err := array.GetItemsSchema()
		if err != nil || len(v) == 0 || v[0] == nil {
			return err
		}
		switch first := v[0].(type) {
		case map[string]any:
			return takes(items, first)
		case string:
			if items.GetType() == "string" {
				return nil
			}
		}
		return fmt.Errorf("%s takes no items like %#v", name, v[0])
	case string:
		if attribute.GetType() == "string" {
			return nil
		}
		return wrong
	case bool:
		if attribute.IsBoolean() {
			return nil
		}
		return wrong
	case float64:
		if attribute.IsFloat() {
			return nil
		}
		return wrong
	default:
		return wrong
	}
}

// wanted is the request that the API is to get.
type wanted struct {
	path  string
	query url.Values
	body  any // nil: none
}

// want fills a method's path with values and adds the other values to the query or body.
func (c *caller) want(params map[string]string, body any) wanted {
	w := wanted{path: c.method.Path, query: url.Values{}, body: body}
	w.path, _, _ = strings.Cut(w.path, "#") // the fragment keeps operations apart and is not sent
	for _, p := range c.method.Params {
		value, ok := params[p.Name]
		if !ok {
			continue
		}
		switch p.In {
		case provider.InPath:
			w.path = strings.ReplaceAll(w.path, "{"+p.Name+"}", value)
		case provider.InQuery:
			w.query.Set(p.Name, value)
		default:
		}
	}
	return w
}

// differs compares a received request with the wanted one.
func (c *caller) differs(r received, w wanted) error {
	var faults []error
	if r.method != c.method.Verb || r.path != w.path {
		faults = append(faults, fmt.Errorf("%s %s, want %s %s", r.method, r.path, c.method.Verb, w.path))
	}
	if host := "dbc-1.cloud.databricks.com"; c.resource.Provider == "databricks_workspace" && r.host != host {
		faults = append(faults, fmt.Errorf("host %s, want %s", r.host, host))
	}
	if r.query.Encode() != w.query.Encode() {
		faults = append(faults, fmt.Errorf("query %s, want %s", r.query.Encode(), w.query.Encode()))
	}
	if w.body == nil {
		if len(r.body) > 0 {
			faults = append(faults, fmt.Errorf("a body %s, want none", r.body))
		}
		return errors.Join(faults...)
	}
	var got any
	if err := json.Unmarshal(r.body, &got); err != nil {
		return errors.Join(append(faults, fmt.Errorf("the body %q is no JSON: %w", r.body, err))...)
	}
	if !reflect.DeepEqual(got, w.body) {
		text, _ := json.Marshal(w.body)
		faults = append(faults, fmt.Errorf("body %s, want %s", r.body, text))
	}
	return errors.Join(faults...)
}

// received is a request that a server has received.
type received struct {
	method, host, path string
	query              url.Values
	body               []byte
}

// recorder is a server that keeps the last request and answers {}.
type recorder struct {
	last received
}

func (s *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.last = received{r.Method, r.Host, r.URL.Path, r.URL.Query(), body}
	_, _ = io.WriteString(w, "{}") // nobody reads it
}

// send sends a request to a server on this machine, under the host that it is for.
func send(client *http.Client, server string, r *http.Request) error {
	target, err := url.Parse(server)
	if err != nil {
		return err
	}
	sent := r.Clone(r.Context())
	sent.Host, sent.URL.Scheme, sent.URL.Host = r.URL.Host, target.Scheme, target.Host
	response, err := client.Do(sent)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}
