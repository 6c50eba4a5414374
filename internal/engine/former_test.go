package engine_test

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/bind"
	"github.com/lakeql/lakeql/internal/engine"
	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/provider"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// overlays has the tables of names that the documents are generated from.
const overlays = "../../openapi/overlays"

// TestFormerNames runs a statement for each name that StackQL published earlier: an EXEC of the method,
// and the statement of the SQL verb that reached it. The request is the one that the name meant, and a
// note says what has the name today. testdata/names.golden counts them.
func TestFormerNames(t *testing.T) {
	t.Parallel()
	s := session(t)
	s.DryRun = true
	var notes []string
	s.Note = func(line string) { notes = append(notes, line) }
	counts := map[string]int{}
	var others []string
	for _, f := range table(t, "former-names.csv") {
		name := f["provider"] + "." + f["service"] + "." + f["resource"] + "." + f["method"]
		if f["operation"] == "" {
			counts["former names: no operation"]++
			_, err := s.Catalogue.MethodOf(name)
			e, ok := errors.AsType[*provider.Error](err)
			if !ok || e.Code != provider.Unknown || !strings.Contains(e.Message, f["http_verb"]+" "+f["path"]) || !strings.Contains(e.Message, f["reason"]) || e.Hint == "" {
				t.Errorf("%s: %v, want an error with the request and the reason %s", name, err, f["reason"])
			}
			continue
		}
		found, _, err := s.Catalogue.Lookup(strings.Split(name, ".")...)
		if err != nil {
			t.Error(err)
			continue
		}
		m := found.Method
		w := writer{s.Catalogue, m}
		noted := map[string]bool{"EXEC": found.Former != ""} // else it is a name of today
		verb := provider.SQLVerb(f["sql_verb"])
		if verb != provider.Exec {
			noted[strings.ToUpper(f["sql_verb"])] = found.Resource.IsFormer() || !slices.Contains(found.Resource.MethodsFor(verb), m)
		}
		for verb, text := range w.statements(t, name, verb) {
			counts["former names: "+verb]++
			notes = nil
			verbs, path, err := sent(t, s, text)
			if err != nil {
				t.Errorf("%s\n%v", text, err)
				continue
			}
			why := f["reason"]
			right := verbs == f["http_verb"] && shape(f["path"]).MatchString(path)
			if !right && why == "" {
				// Methods that one verb reaches by one name are told apart by their parameters alone.
				why, noted[verb] = rival(t, s.Catalogue, found.Resource, provider.SQLVerb(strings.ToLower(verb)), verbs, path, noted[verb])
			}
			if len(notes) > 1 || noted[verb] != (len(notes) == 1) {
				t.Errorf("%s\n%d notes: %q", text, len(notes), notes)
			}
			if len(notes) == 1 && !strings.Contains(notes[0], m.Resource) {
				t.Errorf("%s\nthe note %q does not name %s", text, notes[0], m.Resource)
			}
			if !right && why == "" {
				t.Errorf("%s\nsends %s %s, want %s %s", text, verbs, path, f["http_verb"], f["path"])
			}
			if !right {
				others = append(others, fmt.Sprintf("%s %s: %s %s, not %s %s. %s", verb, name, verbs, path, f["http_verb"], f["path"], why))
			}
		}
	}
	today(t, s.Catalogue, counts)
	var b strings.Builder
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(&b, "%5d %s\n", counts[what], what)
	}
	slices.Sort(others)
	b.WriteString("\nAnother request than the name meant:\n" + strings.Join(others, "\n") + "\n")
	testworld.Golden(t, filepath.Join("testdata", "names.golden"), b.String(), *update)
}

// rival returns the other method that sent a request, among those that the verb reaches by the name of
// a resource, and whether a note reports the name. It is empty if no method sends the request.
func rival(t *testing.T, catalogue *provider.Catalogue, r *provider.Resource, verb provider.SQLVerb, httpVerb, path string, noted bool) (string, bool) {
	t.Helper()
	is := func(m *provider.Method) bool { return m.Verb == httpVerb && shape(m.Path).MatchString(path) }
	if !r.IsFormer() && slices.ContainsFunc(r.MethodsFor(verb), is) {
		return "Today's method of the name wins.", false
	}
	former := r
	if !r.IsFormer() {
		var err error
		if former, err = catalogue.Formerly(r, verb); err != nil || former == nil {
			t.Fatalf("%s: %v", r.FullName(), err)
		}
	}
	if slices.ContainsFunc(former.MethodsFor(verb), is) {
		return "Another method of the former name takes the same parameters.", noted
	}
	return "", noted
}

// today counts the names that StackQL publishes today: all are here or in name-differences.csv.
func today(t *testing.T, catalogue *provider.Catalogue, counts map[string]int) {
	t.Helper()
	reasons := map[string]string{}
	for _, d := range table(t, "name-differences.csv") {
		name, _, _ := strings.Cut(d["stackql"], " ")
		if d["reason"] == "" {
			t.Errorf("name-differences.csv: no reason for %s", name)
		}
		reasons[d["provider"]+"."+d["service"]+"."+name] = d["reason"]
	}
	resources := map[string]string{} // how each is here
	for _, n := range table(t, "names.csv") {
		name := n["provider"] + "." + n["service"] + "." + n["resource"]
		if n["sql_verb"] == "view" {
			r, err := catalogue.ResourceOf(name)
			if err != nil || r.View == nil || r.IsFormer() {
				t.Errorf("the view %s is not here: %v", name, err)
			}
			counts["views of today: here"]++
			continue
		}
		found, _, err := catalogue.Lookup(strings.Split(name+"."+n["method"], ".")...)
		how := "here"
		switch reason := reasons[name+"."+n["method"]]; {
		case err == nil && found.Former == "":
		case reason == "":
			t.Errorf("%s.%s is neither here nor in name-differences.csv: %v", name, n["method"], err)
		case err == nil:
			how = "a former name: " + reason
		default:
			how = "not here: " + reason
		}
		counts["methods of today: "+how]++
		if resources[name] != "here" {
			resources[name] = how
		}
	}
	for _, how := range resources {
		counts["resources of today: "+how]++
	}
}

// table reads a table of names.
func table(t *testing.T, name string) []map[string]string {
	t.Helper()
	f, err := os.Open(filepath.Join(overlays, name))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }() // closing what was only read loses nothing
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, column := range lines[0] {
			row[column] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// shape matches the paths of a template. A whole resource name may have several segments.
func shape(template string) *regexp.Regexp {
	template, _, _ = strings.Cut(strings.TrimSuffix(template, "/"), "#")
	var b strings.Builder
	for i, part := range strings.Split(template, "{") {
		if i == 0 {
			b.WriteString(regexp.QuoteMeta(part))
			continue
		}
		name, rest, _ := strings.Cut(part, "}")
		if name == "parent" || strings.HasSuffix(name, "path") || strings.HasSuffix(name, "url") {
			b.WriteString(".+")
		} else {
			b.WriteString("[^/]+")
		}
		b.WriteString(regexp.QuoteMeta(rest))
	}
	return regexp.MustCompile("^" + b.String() + "$")
}

// sent runs a statement in a dry run, and returns the verb and path of its only request.
func sent(t *testing.T, s *engine.Session, text string) (verb, path string, err error) {
	t.Helper()
	requests := 0
	for rows, err := range s.Run(t.Context(), text) {
		if err != nil {
			return "", "", err
		}
		for {
			row, err := rows.Next(t.Context())
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return "", "", errors.Join(err, rows.Close())
			}
			u, err := url.Parse(fmt.Sprint(row[1]))
			if err != nil {
				return "", "", errors.Join(err, rows.Close())
			}
			verb, path = fmt.Sprint(row[0]), u.EscapedPath()
			requests++
		}
		if err := rows.Close(); err != nil {
			return "", "", err
		}
	}
	if requests != 1 {
		return "", "", fmt.Errorf("%d requests", requests)
	}
	return verb, path, nil
}

// writer writes statements for a method.
type writer struct {
	catalogue *provider.Catalogue
	method    *provider.Method
}

// statements writes an EXEC of the method by a former name, and the statement of the verb that reached
// it, with all required values. There is no SELECT for a method with a body.
func (w writer) statements(t *testing.T, name string, verb provider.SQLVerb) map[string]string {
	t.Helper()
	resource := name[:strings.LastIndexByte(name, '.')]
	var columns, values, conditions, params []string
	add := func(name, value string) {
		if slices.Contains(columns, name) {
			return
		}
		columns, values = append(columns, name), append(values, value)
		conditions = append(conditions, name+" = "+value)
		params = append(params, "@"+name+" = "+value)
	}
	for _, p := range w.method.Params {
		switch {
		case p.Required && (p.MultiSegment || strings.HasSuffix(p.Name, "_path")):
			add(p.Name, "'/x'")
		case p.Required:
			add(p.Name, w.literal(t, p.Schema))
		}
	}
	var attribute, value string // that SET may name
	if w.method.Body != nil {
		attributes, err := w.catalogue.Attributes(w.method)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range attributes {
			_, isParam := w.method.Param(a.Name)
			if a.Required && isParam && !slices.Contains(w.method.BodyFromPath, a.Name) {
				params = append(params, "@data__"+a.Name+" = "+w.literal(t, a.Schema))
			} else if a.Required {
				add(a.Name, w.literal(t, a.Schema))
			}
			if !isParam && !bind.IsMaskName(a.Name) && (attribute == "" || !a.Required) {
				attribute, value = a.Name, w.literal(t, a.Schema)
			}
		}
	}
	if w.method.Body != nil && !provider.IsJSON(w.method.Body.MediaType) {
		params = append(params, "@@contents = 'x'")
	}
	exec := "EXEC " + name + " " + strings.Join(params, ", ")
	switch {
	case len(columns) > 0:
	case attribute != "":
		columns, values = []string{attribute}, []string{value}
	default:
		columns, values = []string{"deployment_name"}, []string{"'x'"}
	}
	into := resource + " (" + strings.Join(columns, ", ") + ") VALUES (" + strings.Join(values, ", ") + ")"
	set := ""
	if verb == provider.Update {
		set = attribute + " = " + value
		conditions = slices.DeleteFunc(conditions, func(c string) bool {
			column, _, _ := strings.Cut(c, " = ")
			if bind.IsMaskName(column) {
				set += ", " + c
			}
			return column == attribute || bind.IsMaskName(column)
		})
	}
	where := ""
	if len(conditions) > 0 {
		where = " WHERE " + strings.Join(conditions, " AND ")
	}
	all := map[string]string{"EXEC": exec}
	switch verb {
	case provider.Select:
		if w.method.Body == nil {
			all["SELECT"] = "SELECT * FROM " + resource + where
		}
	case provider.Insert:
		all["INSERT"] = "INSERT INTO " + into
	case provider.Replace:
		all["REPLACE"] = "REPLACE INTO " + into
	case provider.Update:
		all["UPDATE"] = "UPDATE " + resource + " SET " + set + where
	case provider.Delete:
		all["DELETE"] = "DELETE FROM " + resource + where
	case provider.Exec:
	}
	return all
}

// literal writes a value of a schema as SQL.
func (w writer) literal(t *testing.T, schema *provider.Schema) string {
	t.Helper()
	switch value := w.sample(t, schema).(type) {
	case json.Number:
		return value.String()
	case bool:
		return fmt.Sprint(value)
	case string:
		return "'" + value + "'"
	default:
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		return "'" + string(text) + "'"
	}
}

// sample makes up a value with the required attributes of the schema.
func (w writer) sample(t *testing.T, schema *provider.Schema) any {
	t.Helper()
	schema, err := w.catalogue.Resolve(w.method, schema)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case schema == nil:
		return "x"
	case len(schema.Enum) > 0:
		return schema.Enum[0]
	case schema.NameTemplate != "":
		return regexp.MustCompile(`[{}]`).ReplaceAllString(schema.NameTemplate, "")
	case schema.Type == "array":
		return []any{}
	case schema.Type == "object":
		object := map[string]any{}
		for _, p := range schema.Properties {
			if slices.Contains(schema.Required, p.Name) {
				object[p.Name] = w.sample(t, p.Schema)
			}
		}
		if len(object) == 0 && len(schema.Properties) > 0 { // {} would not say what to change
			p := schema.Properties[0]
			if inner, err := w.catalogue.Resolve(w.method, p.Schema); err == nil && inner.Type != "object" {
				object[p.Name] = w.sample(t, p.Schema)
			}
		}
		return object
	case schema.Type == "integer" || schema.Type == "number":
		return json.Number("1")
	case schema.Type == "boolean":
		return true
	}
	return "x"
}
