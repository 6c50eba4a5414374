package docgen_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/lakeql/lakeql/internal/catalogtest"
	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/docgen"
	"github.com/lakeql/lakeql/internal/engine"
	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/provider"
)

// nowhere directs calls to a host that no call is sent to.
type nowhere struct{}

func (nowhere) Direct(r *http.Request, _ string) error {
	r.URL.Scheme, r.URL.Host = "https", "nowhere.invalid"
	return nil
}

func (nowhere) Authorize(*http.Request) error { return errors.New("a test of pages sends nothing") }

// checker checks the code blocks of pages.
type checker struct {
	cat     *provider.Catalogue
	session *engine.Session
	tables  *catalogtest.DB
	counts  map[string]int
}

func newChecker(tb testing.TB) *checker {
	tb.Helper()
	cat := testworld.Catalogue(tb)
	tables, err := catalogtest.Open(cat)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := tables.Close(); err != nil {
			tb.Error(err)
		}
	})
	client := &dispatch.Client{Catalogue: cat, Authorizer: nowhere{}}
	return &checker{
		cat:     cat,
		session: &engine.Session{Catalogue: cat, Client: client, DryRun: true},
		tables:  tables,
		counts:  map[string]int{},
	}
}

// TestEveryStatement checks every statement on every page of our own providers. Filled in with values
// that the documents allow, the engine plans it; the catalogue has its names; and it has every parameter
// that its method requires.
func TestEveryStatement(t *testing.T) {
	c := newChecker(t)
	providers, err := c.cat.Providers()
	if err != nil {
		t.Fatal(err)
	}
	excused := elsewhere()
	for _, p := range providers {
		err := docgen.Generate(c.cat, p.Name, docgen.Options{Extended: true}, func(path string, page []byte) error {
			c.counts["pages"]++
			for _, block := range blocks(string(page)) {
				c.counts[block.language+" blocks"]++
				where := p.Name + "/" + path + " " + block.method
				err := c.block(p.Name, path, block)
				reason, known := excused[where]
				known = known && block.language == "sql"
				switch {
				case known && err == nil:
					t.Errorf("%s is right now: take it off the list of what is wrong elsewhere (%s)", where, reason)
				case known:
					c.counts["excused"]++
				case err != nil:
					t.Errorf("%s: %v\n%s", where, err, block.text)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, what := range slices.Sorted(maps.Keys(c.counts)) {
		t.Logf("%5d %s", c.counts[what], what)
	}
}

// TestEveryShownInsert runs what SHOW INSERT prints, for every resource that has an INSERT, with values that the
// documents allow. It makes the one call of the method.
func TestEveryShownInsert(t *testing.T) {
	t.Parallel()
	c := newChecker(t)
	count := 0
	for r := range resources(t, c.cat) {
		methods := r.MethodsFor(provider.Insert)
		if len(methods) == 0 {
			continue
		}
		for _, hint := range []string{"", "/*+ REQUIRED */ "} {
			count++
			text, err := c.one("SHOW INSERT " + hint + "INTO " + r.FullName())
			if err != nil {
				t.Error(err)
				continue
			}
			f, err := newFiller(c.cat, methods[0])
			if err != nil {
				t.Fatal(err)
			}
			filled, err := f.fill(text)
			if err == nil {
				err = c.planned(filled, methods[0])
			}
			if err != nil {
				t.Errorf("%s: %v\n%s", methods[0].FullName(), err, text)
			}
		}
	}
	if count < 200 {
		t.Errorf("only %d statements are shown", count)
	}
}

// one returns the text of a statement's only row.
func (c *checker) one(statement string) (string, error) {
	var text string
	_, err := c.plan(statement, func(_ []provider.Column, row []any) error {
		text = row[0].(string)
		return nil
	})
	return text, err
}

// resources yields every resource of a catalogue.
func resources(tb testing.TB, catalogue *provider.Catalogue) iter.Seq[*provider.Resource] {
	tb.Helper()
	return func(yield func(*provider.Resource) bool) {
		providers, err := catalogue.Providers()
		if err != nil {
			tb.Fatal(err)
		}
		for _, p := range providers {
			for _, info := range p.Services {
				service, err := catalogue.Service(p.Name, info.Name)
				if err != nil {
					tb.Fatal(err)
				}
				for _, listed := range service.Resources {
					r, err := catalogue.Resource(p.Name, info.Name, listed.Name)
					if err != nil {
						tb.Fatal(err)
					}
					if !yield(r) {
						return
					}
				}
			}
		}
	}
}

// elsewhere lists the statements that are right and yet are not taken, with the reason.
func elsewhere() map[string]string {
	return map[string]string{}
}

// codeBlock is a fenced block of a page.
type codeBlock struct {
	section, method string // the section's heading, and the tab
	language, text  string
}

// blocks finds the code blocks of a page.
func blocks(page string) []codeBlock {
	var all []codeBlock
	var at codeBlock
	inside := false
	for line := range strings.Lines(page) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case inside && line == "```":
			all = append(all, at)
			inside = false
		case inside:
			at.text += line + "\n"
		case strings.HasPrefix(line, "## "):
			at = codeBlock{section: line[3:]}
		case strings.HasPrefix(line, "<TabItem value=\""):
			at.method = strings.Split(line, `"`)[1]
		case strings.HasPrefix(line, "```"):
			at.language, at.text, inside = line[3:], "", true
		}
	}
	return all
}

// block checks one block of a page.
func (c *checker) block(providerName, path string, b codeBlock) error {
	service, resource, _ := strings.Cut(strings.TrimPrefix(strings.TrimSuffix(path, "/index.md"), "services/"), "/")
	switch {
	case b.language == "json":
		if !json.Valid([]byte(b.text)) {
			return errors.New("no JSON")
		}
		return nil
	case b.language == "bash":
		return nil
	case resource == "": // the provider's page, a service's, the guide
		return c.general(b)
	}
	r, err := c.cat.Resource(providerName, service, resource)
	if err != nil {
		return err
	}
	switch {
	case b.language == "yaml":
		return c.manifest(r, b.text)
	case r.View != nil:
		return c.view(r.View, b)
	}
	m, err := c.cat.Method(r.Provider, r.Service, r.Name, b.method)
	if err != nil {
		return err
	}
	verb, _, _ := strings.Cut(b.text, " ")
	verb, _, _ = strings.Cut(verb, "\n")
	c.counts[verb+" statements"]++
	return c.statement(m, verb, b.text)
}

// general checks a statement outside of the pages of resources, which has one placeholder at most.
func (c *checker) general(b codeBlock) error {
	c.counts["statements on other pages"]++
	text := placeholder.ReplaceAllString(b.text, "dbc-abcd0123-a1bc")
	return errors.Join(c.tables.Prepare(text), c.planned(text, nil))
}

// view checks the statements on a view's page but for those in another dialect than ours.
func (c *checker) view(v *provider.View, b codeBlock) error {
	if b.method != "" && !strings.HasPrefix(b.method, "Sqlite") && b.method != "SQL" {
		return nil
	}
	c.counts["statements of views"]++
	text := b.text
	for _, p := range v.RequiredParams {
		example := "abcd"
		if p.Type == "integer" {
			example = "1"
		}
		text = strings.ReplaceAll(text, "{{ "+p.Name+" }}", example)
	}
	if err := c.tables.Prepare(text); err != nil || b.method != "" {
		return err // a definition lacks what the view is asked with
	}
	calls, err := c.plan(text, nil)
	if err == nil && calls == 0 {
		return errors.New("no call is planned")
	}
	return err
}

// fixedMethod has the one statement that is not ours to improve: see the page's golden file.
const fixedMethod = "databricks_workspace.postgres.postgres_credentials.generate"

// statement checks the statement of a method.
func (c *checker) statement(m *provider.Method, verb, text string) error {
	if m.FullName() == fixedMethod {
		return c.fixed(m, text)
	}
	f, err := newFiller(c.cat, m)
	if err != nil {
		return err
	}
	filled, err := f.fill(text)
	if err != nil {
		return err
	}
	if verb == "EXEC" {
		return c.planned(filled, m)
	}
	if err := c.tables.Prepare(filled); err != nil {
		return err
	}
	parsed, err := parse(verb, filled)
	if err != nil {
		return err
	}
	if err := c.names(m, f, verb, parsed); err != nil {
		return err
	}
	if verb == "SELECT" {
		return c.planned(filled, m)
	}
	// The same call as EXEC, put together from the statement in another way.
	call, err := parsed.exec(m, f)
	if err != nil {
		return err
	}
	return c.same(m, filled, call)
}

// freshID matches the request ids that are made up for each call.
var freshID = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// same checks that two statements plan the same one request of a method, to the byte but for fresh
// request ids.
func (c *checker) same(m *provider.Method, texts ...string) error {
	requests := make([]string, len(texts))
	for i, text := range texts {
		calls, err := c.plan(text, func(columns []provider.Column, row []any) error {
			requests[i] = freshID.ReplaceAllString(fmt.Sprintf("%s", row), "fresh")
			return sameCall(m, columns, row)
		})
		if err == nil && calls != 1 {
			err = fmt.Errorf("%d calls are planned", calls)
		}
		if err != nil {
			return fmt.Errorf("%w\n%s", err, text)
		}
	}
	if requests[0] != requests[1] {
		return fmt.Errorf("the call is\n%s\nwant\n%s", requests[0], requests[1])
	}
	return nil
}

// fixed fills in the statement that is not ours, in which claims is a text.
func (c *checker) fixed(m *provider.Method, text string) error {
	for name, value := range map[string]string{
		"deployment_name":      "dbc-abcd0123-a1bc",
		"endpoint":             "projects/a/branches/b/endpoints/c",
		"claims":               "[]",
		"group_name":           "a",
		"expire_time":          "2026-01-31T12:00:00Z",
		"ttl":                  "3600s",
		"requested_expiration": "3600s",
	} {
		text = strings.ReplaceAll(text, "{{ "+name+" }}", value)
	}
	return c.planned(text, m)
}

// planned has the engine plan a statement, and checks that it makes one call: the method's.
func (c *checker) planned(text string, m *provider.Method) error {
	check := func(columns []provider.Column, row []any) error { return sameCall(m, columns, row) }
	if m == nil {
		check = nil
	}
	calls, err := c.plan(text, check)
	if err == nil && calls != 1 {
		return fmt.Errorf("%d calls are planned", calls)
	}
	return err
}

// plan has the engine plan a statement and counts the calls that it makes first, each of which is
// checked, if there is a check.
func (c *checker) plan(text string, check func([]provider.Column, []any) error) (calls int, err error) {
	ctx := context.Background()
	for rows, err := range c.session.Run(ctx, text) {
		if err != nil {
			return calls, hinted(err)
		}
		columns := rows.Columns()
		for {
			row, err := rows.Next(ctx)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return calls, errors.Join(err, rows.Close())
			}
			calls++
			if check == nil {
				continue
			}
			if err := check(columns, row); err != nil {
				return calls, errors.Join(err, rows.Close())
			}
		}
		if err := rows.Close(); err != nil {
			return calls, err
		}
	}
	return calls, nil
}

func hinted(err error) error {
	if hint := provider.HintOf(err); hint != "" {
		return fmt.Errorf("%w (%s)", err, hint)
	}
	return err
}

// sameCall checks that a request of a dry run is one of the method's.
func sameCall(m *provider.Method, columns []provider.Column, row []any) error {
	path := regexp.QuoteMeta(m.Path)
	for _, p := range m.Params {
		if p.In == provider.InPath {
			path = strings.ReplaceAll(path, regexp.QuoteMeta("{"+p.Name+"}"), map[bool]string{true: ".+", false: "[^/]+"}[p.MultiSegment])
		}
	}
	want := regexp.MustCompile(`^https://[^/]+` + path + `(\?.*)?$`)
	for i, column := range columns {
		text := fmt.Sprint(row[i])
		if column.Name == "verb" && text != m.Verb || column.Name == "url" && !want.MatchString(text) {
			return fmt.Errorf("the call is %v, want %s %s", row[:2], m.Verb, m.Path)
		}
	}
	return nil
}

// names checks the names of a statement against the method: every name is known, every required name is
// there, and the method returns the columns of the result.
func (c *checker) names(m *provider.Method, f *filler, verb string, s *parsed) error {
	given, err := catalogtest.Inputs(c.cat, m)
	if err != nil {
		return err
	}
	for _, name := range s.inputs() {
		if !slices.Contains(given, name) {
			return fmt.Errorf("%s takes no %s", m.FullName(), name)
		}
	}
	var missing []string
	for _, p := range m.Params {
		if p.Required && !slices.Contains(s.inputs(), p.Name) {
			missing = append(missing, p.Name)
		}
	}
	if m.Body != nil {
		for _, name := range m.Body.RequiredAttributes {
			if s, _ := f.body.Property(name); !slices.Contains(m.BodyFromPath, name) && s != nil {
				missing = append(missing, name)
			}
		}
	}
	missing = slices.DeleteFunc(missing, func(name string) bool { return slices.Contains(s.inputs(), name) })
	if len(missing) > 0 {
		return fmt.Errorf("%s requires %s", m.FullName(), strings.Join(missing, ", "))
	}
	columns, err := c.session.Client.Columns(m)
	if err != nil {
		return err
	}
	if len(columns) == 0 && (verb != "SELECT" || slices.Equal(s.results, []string{"*"})) {
		return nil
	}
	var names []string
	for _, column := range columns {
		names = append(names, column.Name)
	}
	slices.Sort(names)
	if results := slices.Sorted(slices.Values(s.results)); !slices.Equal(names, results) {
		return fmt.Errorf("the result has %q, want %q", results, names)
	}
	return nil
}

// manifest checks the YAML of a resource's INSERT methods.
func (c *checker) manifest(r *provider.Resource, text string) error {
	c.counts["manifests"]++
	var list []struct {
		Name  string `yaml:"name"`
		Props []struct {
			Name        string `yaml:"name"`
			Value       string `yaml:"value"`
			Description string `yaml:"description"`
			ValidValues []any  `yaml:"valid_values"`
			Default     any    `yaml:"default"`
		} `yaml:"props"`
	}
	decoder := yaml.NewDecoder(strings.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&list); err != nil {
		return err
	}
	if len(list) != 1 || list[0].Name != r.Name || len(list[0].Props) == 0 {
		return fmt.Errorf("the manifest is of %d resources, or of another one, or without props", len(list))
	}
	var taken []string
	for _, m := range r.MethodsFor(provider.Insert) {
		inputs, err := catalogtest.Inputs(c.cat, m)
		if err != nil {
			return err
		}
		taken = append(taken, inputs...)
	}
	for _, p := range list[0].Props {
		if !slices.Contains(taken, p.Name) {
			return fmt.Errorf("INSERT takes no %s", p.Name)
		}
		if p.Value == "" {
			return fmt.Errorf("%s has no type", p.Name)
		}
	}
	return nil
}
