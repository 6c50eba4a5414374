package registry

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/provider"
)

// TestPageStatement is the statement of the documentation's page, to the letter: any-sdk makes bytes of it.
func TestPageStatement(t *testing.T) {
	c := loaded(t).method(t, "databricks_workspace", "postgres", "postgres_credentials", "generate")
	s := &recorder{}
	server := httptest.NewServer(s)
	defer server.Close()
	const endpoint = "projects/p/branches/b/endpoints/e"
	for _, tt := range []struct{ name, json, want string }{
		{"the page's", `{"endpoint": "` + endpoint + `", "claims": "[]"}`, `{"claims":[],"endpoint":"` + endpoint + `"}`},
		{"an array", `{"endpoint": "` + endpoint + `", "claims": []}`, `{"claims":[],"endpoint":"` + endpoint + `"}`},
		{"an array with items", `{"endpoint": "e", "claims": [{"permission_set": "READ_ONLY"}]}`, `{"claims":[{"permission_set":"READ_ONLY"}],"endpoint":"e"}`},
		{"a text with items", `{"endpoint": "e", "claims": "[{\"permission_set\": \"READ_ONLY\"}]"}`, `{"claims":[{"permission_set":"READ_ONLY"}],"endpoint":"e"}`},
		{"no claims", `{"endpoint": "e"}`, `{"endpoint":"e"}`},
		{"a text that would add an attribute", `{"endpoint": "e", "claims": "[], \"endpoint\": \"other\""}`, `{"claims":"[], \"endpoint\": \"other\"","endpoint":"e"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := c.exec(arguments{params: map[string]any{"deployment_name": "dbc-1"}, json: tt.json})
			if err != nil {
				t.Fatal(err)
			}
			if err := send(server.Client(), server.URL, r); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(strings.Fields(string(s.last.body)), " "); strings.ReplaceAll(got, " }", "}") != "{ "+tt.want[1:] && got != tt.want {
				t.Errorf("sent %s, want %s", got, tt.want)
			}
			if s.last.method != http.MethodPost || s.last.host != "dbc-1.cloud.databricks.com" || s.last.path != "/api/2.0/postgres/credentials" {
				t.Errorf("%s %s%s", s.last.method, s.last.host, s.last.path)
			}
			t.Logf("%s -> %s", tt.json, s.last.body)
		})
	}
	if _, err := c.exec(arguments{params: map[string]any{"deployment_name": "dbc-1"}, json: `{"endpoint": "e", "claims": "none"}`}); err == nil {
		t.Error("a text that is no JSON was taken for an array")
	}
}

// TestNumbers writes integers as StackQL's users do. StackQL reads integers in @@json as float64.
func TestNumbers(t *testing.T) {
	b := loaded(t)
	s := &recorder{}
	server := httptest.NewServer(s)
	defer server.Close()
	run := b.method(t, "databricks_workspace", "jobs", "jobs", "run_now")
	workspace := map[string]any{"deployment_name": "dbc-1"}
	for _, number := range []string{"0", "-7", "9007199254740991"} {
		r, err := run.exec(arguments{params: workspace, json: `{"job_id": ` + number + `}`})
		if err != nil {
			t.Fatal(err)
		}
		if err := send(server.Client(), server.URL, r); err != nil {
			t.Fatal(err)
		}
		if got := string(s.last.body); got != `{"job_id":`+number+` }` && got != `{"job_id":`+number+`}` {
			t.Errorf("sent %s for %s", got, number)
		}
	}
	for _, number := range []string{"9007199254740993", "-9007199254740993", "1e300"} {
		if _, err := run.exec(arguments{params: workspace, json: `{"job_id": ` + number + `}`}); err == nil || !strings.Contains(err.Error(), "cannot read this number") {
			t.Errorf("%s: %v, want an error: it has changed", number, err)
		}
	}
	create := b.method(t, "databricks_workspace", "jobs", "jobs", "create")
	for given, want := range map[string]string{"9223372036854775807": "9223372036854775807", "4": "4", "1.5": "1.5", `1, "name": "other"`: `"1, \"name\": \"other\""`} {
		r, err := create.request(map[string]any{"deployment_name": "dbc-1", "max_concurrent_runs": given}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := send(server.Client(), server.URL, r); err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSuffix(string(s.last.body), " }"); strings.TrimSuffix(got, "}") != `{"max_concurrent_runs":`+want {
			t.Errorf("sent %s for '%s'", s.last.body, given)
		}
	}
}

// TestRequestsInAnySDK has any-sdk build the request of every method with arguments of every form, and a server
// look at it.
func TestRequestsInAnySDK(t *testing.T) {
	b := loaded(t)
	s := &recorder{}
	server := httptest.NewServer(s)
	defer server.Close()
	built, execs, refused, files := map[provider.SQLVerb]int{}, 0, 0, 0
	b.eachMethod(t, func(c *caller) {
		if c.method.Body != nil && !provider.IsJSON(c.method.Body.MediaType) {
			if _, err := c.request(c.texts(t, false), nil); err == nil {
				t.Errorf("%s: any-sdk sends bodies of type %s now: test them", c.method.FullName(), c.method.Body.MediaType)
			}
			return
		}
		if c.pathOfFile() {
			if _, err := c.request(c.texts(t, false), nil); err == nil || !strings.Contains(err.Error(), "no matching operation") {
				t.Errorf("%s: %v; any-sdk finds operations by paths of files now: test them", c.method.FullName(), err)
			}
			files++
			return
		}
		right := true
		check := func(form string, r *http.Request, err error, w wanted) {
			if err == nil {
				if err = send(server.Client(), server.URL, r); err == nil {
					err = c.differs(s.last, w)
				}
			}
			if err != nil {
				right = false
				t.Errorf("%s, %s: %v", c.method.FullName(), form, err)
			}
		}
		attributes, _ := c.body(t)
		params, sent := c.texts(t, true), c.values(t, true)
		all := map[string]any{}
		for name, value := range attributes {
			all[name] = value
		}
		for name := range sent {
			delete(all, name) // said once, as a parameter
		}

		// As INSERT and UPDATE give attributes: each as a text, by its name.
		byName := map[string]any{}
		for name, value := range params {
			byName[name] = value
		}
		for name, value := range all {
			byName[name] = asText(value)
		}
		r, err := c.request(byName, nil)
		check("by name", r, err, c.want(sent, c.sentBody(all)))

		if c.method.SQLVerb == provider.Exec {
			execs++
			required := c.values(t, false)
			r, err := c.exec(arguments{params: c.texts(t, false)})
			check("required alone", r, err, c.want(required, c.sentBody(map[string]any{})))
			literals, given := map[string]any{}, map[string]any{}
			for name, value := range byName {
				literals[name] = value
			}
			for name, value := range all {
				given[name] = value
				switch value.(type) {
				case bool, float64: // StackQL takes no literal for them: they go into @@json
					delete(literals, name)
					delete(given, name)
				}
			}
			r, err = c.exec(arguments{params: literals})
			check("@ parameters", r, err, c.want(sent, c.sentBody(given)))
			if len(attributes) > 0 {
				texts, empties := map[string]any{}, map[string]any{}
				emptyTexts := map[string]any{}
				for name, value := range attributes {
					texts[name] = value
					if e, ok := empty(value); ok {
						texts[name], empties[name], emptyTexts[name] = asText(value), e, asText(e)
					}
				}
				r, err = c.exec(arguments{params, asText(texts)})
				check("arrays and objects as text", r, err, c.want(sent, attributes))
				if len(empties) > 0 {
					r, err = c.exec(arguments{params, asText(emptyTexts)})
					check("empty as text", r, err, c.want(sent, empties))
					r, err = c.exec(arguments{params, asText(empties)})
					check("empty as JSON", r, err, c.want(sent, empties))
				}
				r, err = c.exec(arguments{params, asText(attributes)})
				switch {
				case c.bodyTakenAsJSON(t):
					check("JSON", r, err, c.want(sent, attributes))
				case err == nil:
					t.Errorf("%s: StackQL's rules take maps and arrays of numbers in @@json now: the guide says that they do not", c.method.FullName())
				default:
					refused++
					t.Logf("%s wants some attributes as text: %v", c.method.FullName(), err)
				}
			}
		}
		if right {
			built[c.method.SQLVerb]++
		}
	})
	total := 0
	for _, n := range built {
		total += n
	}
	t.Logf("any-sdk builds the requests of %d methods right: %v; of %d that EXEC alone reaches, %d want maps or arrays of numbers as text; %d of files are beyond this any-sdk", total, built, execs, refused, files)
}

// pathOfFile reports whether a parameter of the path begins with the slash, as in /api/2.0/fs/files{file_path}.
// any-sdk finds such operations from v0.5.3 on.
func (c *caller) pathOfFile() bool {
	return slices.ContainsFunc(c.method.Params, func(p provider.Parameter) bool {
		return p.MultiSegment && !strings.Contains(c.method.Path, "/{"+p.Name+"}")
	})
}

// body makes up the attributes of the body.
func (c *caller) body(t *testing.T) (map[string]any, map[string]*provider.Schema) {
	t.Helper()
	values, schemas := map[string]any{}, map[string]*provider.Schema{}
	if c.method.Body == nil {
		return values, schemas
	}
	made := &sampler{catalogue: c.bundled.catalogue, method: c.method}
	for _, p := range c.resolve(t, c.method.Body.Schema).Properties {
		value, err := made.sample(p.Schema)
		if err != nil {
			t.Fatal(err)
		}
		if c.resolve(t, p.Schema).Type == "" {
			value = "anything" // JSON of any kind, which a text is as well
		}
		if value != nil {
			values[p.Name], schemas[p.Name] = value, p.Schema
		}
	}
	return values, schemas
}

// bodyTakenAsJSON reports whether StackQL can take every attribute as JSON in @@json.
func (c *caller) bodyTakenAsJSON(t *testing.T) bool {
	t.Helper()
	attributes, schemas := c.body(t)
	for name, value := range attributes {
		if _, isText := value.(string); isText && c.resolve(t, schemas[name]).Type == "" {
			continue // of any type; only inside of others does StackQL refuse it
		}
		if !takenAsJSON(value, schemas[name], func(s *provider.Schema) *provider.Schema { return c.resolve(t, s) }) {
			return false
		}
	}
	return true
}

// sentBody is the body that the API wants for some attributes: none at all where it wants none.
func (c *caller) sentBody(attributes map[string]any) any {
	if c.method.Body == nil || len(attributes) == 0 && !c.method.Body.Required {
		return nil
	}
	return attributes
}

// values makes up the parameters, as they stand in a URL.
func (c *caller) values(t *testing.T, all bool) map[string]string {
	t.Helper()
	values := map[string]string{}
	for _, p := range c.method.Params {
		if !p.Required && !all || p.In != provider.InPath && p.In != provider.InQuery {
			continue
		}
		switch schema := c.resolve(t, p.Schema); {
		case len(schema.Enum) > 0:
			values[p.Name] = asText(schema.Enum[0])
		case schema.Type == "integer":
			values[p.Name] = "7"
		case schema.Type == "boolean":
			values[p.Name] = "true"
		case c.pathOfFile():
			values[p.Name] = "/a"
		default:
			values[p.Name] = "name-1"
		}
	}
	return values
}

// texts are the values as statements give them, with the workspace.
func (c *caller) texts(t *testing.T, all bool) map[string]any {
	t.Helper()
	texts := map[string]any{}
	for _, v := range c.method.ServerVariables() {
		texts[v.Name] = "dbc-1"
	}
	for name, value := range c.values(t, all) {
		texts[name] = value
	}
	return texts
}

func (c *caller) resolve(t *testing.T, schema *provider.Schema) *provider.Schema {
	t.Helper()
	resolved, err := c.bundled.catalogue.Resolve(c.method, schema)
	if err != nil {
		t.Fatal(err)
	}
	return resolved
}
