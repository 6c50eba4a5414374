package engine

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// lister makes the rows of SHOW.
type lister struct {
	session *Session
	names   resolver
}

func (l lister) shown(show *statement.Show) (t listing, err error) {
	t.names = []int{0}
	switch show.What {
	case showErrors:
		return l.errors(), nil
	case "SETTINGS":
		t.header = "name value description"
		t.rows = l.settings()
	case "TABLES", "VIEWS", "MATERIALIZED VIEWS":
		return l.kept(show.What)
	case "PROVIDERS":
		t.header = "name version"
		t.rows, err = l.providers()
	case "SERVICES":
		t.header, t.names = "id name title | description version preferred", []int{0, 1}
		t.rows, err = l.services(show.In)
	case "RESOURCES":
		t.header, t.names = "name id | description", []int{0, 1}
		t.rows, err = l.resourcesBelow(show.In)
	case "METHODS":
		t.header = "MethodName RequiredParams SQLVerb | description"
		t.rows, err = l.methods(show.In)
	case "INSERT":
		t.header = "insert_statement"
		t.rows, err = l.insert(show)
	case "AUTH":
		t.header = "principal type source"
		t.rows, err = l.auth(show.In)
	case "VERSION":
		t.header = "version documents documents_date | commit build_date platform"
		t.rows, err = l.version()
	}
	return t, err
}

// version describes the program, and the newest source of its documents.
func (l lister) version() ([][]any, error) {
	all, err := l.session.Catalogue.Providers()
	if err != nil {
		return nil, err
	}
	var newest provider.Source
	for _, p := range all {
		if p.Source != nil && p.Source.Date > newest.Date {
			newest = *p.Source
		}
	}
	v := l.session.Version
	return [][]any{{v.Number, strings.TrimSpace(newest.Name + " " + newest.Version), newest.Date, v.Commit, v.BuildDate, v.Platform}}, nil
}

func (l lister) providers() ([][]any, error) {
	all, err := l.session.Catalogue.Providers()
	if err != nil {
		return nil, err
	}
	var rows [][]any
	for _, p := range all {
		rows = append(rows, []any{p.Name, p.Version})
	}
	return rows, nil
}

func (l lister) services(name statement.Name) ([][]any, error) {
	found, err := l.names.lookup(name[:1])
	if err != nil {
		return nil, err
	}
	var rows [][]any
	for _, service := range found.Provider.Services {
		rows = append(rows, serviceRow(service))
	}
	return rows, nil
}

func serviceRow(s *provider.ServiceInfo) []any {
	return []any{s.ID, s.Name, s.Title, s.Description, s.Version, s.Preferred}
}

// resourcesBelow lists the resources of a service, of a provider, or all.
func (l lister) resourcesBelow(name statement.Name) ([][]any, error) {
	var all []*provider.Provider
	switch len(name) {
	case 2: //nolint:mnd // provider.service
		return l.resources(name)
	case 1:
		found, err := l.names.lookup(name)
		if err != nil {
			return nil, err
		}
		all = append(all, found.Provider)
	default:
		var err error
		if all, err = l.session.Catalogue.Providers(); err != nil {
			return nil, err
		}
	}
	var rows [][]any
	for _, p := range all {
		for _, info := range p.Services {
			service, err := l.session.Catalogue.Service(p.Name, info.Name)
			if err != nil {
				return nil, err
			}
			for _, r := range service.Resources {
				rows = append(rows, []any{r.Name, r.ID, r.Description})
			}
		}
	}
	return rows, nil
}

// resources lists the resources of a service. For the former name of a service, it lists the present
// resources that have its operations.
func (l lister) resources(name statement.Name) ([][]any, error) {
	found, err := l.names.named(name[:2])
	if err != nil {
		return nil, err
	}
	var rows [][]any
	for _, r := range found.Service.Resources {
		if !found.Service.IsFormer() {
			rows = append(rows, []any{r.Name, r.ID, r.Description})
			continue
		}
		today, err := l.session.Catalogue.ResourceOf(r.ID)
		if err != nil {
			return nil, err
		}
		rows = addRow(rows, resourceRow(today))
	}
	return rows, nil
}

func resourceRow(r *provider.Resource) []any { return []any{r.Name, r.ID, r.Description} }

// addRow adds a row, unless it is there.
func addRow(rows [][]any, row []any) [][]any {
	if slices.ContainsFunc(rows, func(other []any) bool { return slices.Equal(other, row) }) {
		return rows
	}
	return append(rows, row)
}

// methods lists the methods of a resource. For the former name of a resource, it lists the methods of
// the present resources that have its operations.
func (l lister) methods(name statement.Name) ([][]any, error) {
	found, err := l.names.named(name[:3])
	if err != nil {
		return nil, err
	}
	resources := []*provider.Resource{found.Resource}
	if found.Resource.IsFormer() {
		resources = nil
		for _, today := range found.Resource.TodaysResources() {
			r, err := l.session.Catalogue.ResourceOf(today)
			if err != nil {
				return nil, err
			}
			resources = append(resources, r)
		}
	}
	var rows [][]any
	for _, r := range resources {
		for _, verb := range provider.SQLVerbs() {
			for _, m := range r.MethodsFor(verb) {
				rows = append(rows, methodRow(m, verb))
			}
		}
		selected, err := l.session.env().SelectMethods(r)
		if err != nil {
			return nil, err
		}
		for _, m := range selected {
			if m.SQLVerb != provider.Select {
				rows = append(rows, methodRow(m, provider.Select))
			}
		}
	}
	return rows, nil
}

// methodRow describes a method below one of the verbs that reach it.
func methodRow(m *provider.Method, verb provider.SQLVerb) []any {
	return []any{m.Name, strings.Join(m.RequiredParams(), ", "), strings.ToUpper(string(verb)), m.Description}
}

// insert writes the INSERT for a resource with placeholders for its values.
func (l lister) insert(show *statement.Show) ([][]any, error) {
	r, err := l.names.reached(show.In, provider.Insert)
	if err != nil {
		return nil, err
	}
	methods := r.MethodsFor(provider.Insert)
	if len(methods) == 0 {
		return nil, provider.Usagef("no INSERT reaches %s", r.FullName()).
			At(show.In[2].Pos).
			Hintf("see SHOW METHODS IN %s", r.FullName())
	}
	m := methods[0]
	onlyRequired := slices.Contains(show.Hints, "REQUIRED")
	var names, values []string
	add := func(name string, schema *provider.Schema, required bool) {
		if onlyRequired && !required {
			return
		}
		value := "{{ " + name + " }}"
		if schema == nil || schema.Type != "integer" && schema.Type != "number" && schema.Type != "boolean" {
			value = "'" + value + "'"
		}
		names, values = append(names, "  "+name), append(values, "  "+value)
	}
	for _, v := range m.ServerVariables() {
		add(v.Name, nil, true)
	}
	for _, p := range m.Params {
		schema, err := l.session.Catalogue.Resolve(m, p.Schema)
		if err != nil {
			return nil, err
		}
		add(p.Name, schema, p.Required)
	}
	attributes, err := l.session.Catalogue.Attributes(m)
	if err != nil {
		return nil, err
	}
	for _, a := range attributes {
		if _, isParam := m.Param(a.Name); !isParam {
			add(a.Name, a.Schema, a.Required)
		}
	}
	into := r.FullName()
	if today, err := l.session.Catalogue.MethodOf(m.FullName()); err == nil && today.SQLVerb == provider.Insert {
		into = m.Resource // r may have a former name
	}
	text := fmt.Sprintf("INSERT INTO %s (\n%s\n)\nSELECT\n%s\n;", into, strings.Join(names, ",\n"), strings.Join(values, ",\n"))
	return [][]any{{text}}, nil
}

// kept lists the tables or views of the stores.
func (l lister) kept(what string) (listing, error) {
	t := listing{header: "name", names: []int{0}}
	kind := statement.ObjectKind(strings.TrimSuffix(what, "S"))
	switch kind {
	case statement.View:
		t.header = "name definition"
	case statement.MaterializedView:
		t.header = "name refreshed definition"
	case statement.TableObject:
	}
	all, err := l.session.Stores().Objects()
	if err != nil {
		return t, err
	}
	for _, o := range all {
		if o.Kind != kind {
			continue
		}
		row := []any{o.Name}
		if kind == statement.MaterializedView {
			row = append(row, o.Refreshed)
		}
		if kind != statement.TableObject {
			row = append(row, o.Definition)
		}
		t.rows = append(t.rows, row)
	}
	return t, nil
}

// showErrors is the word of the SHOW that lists the gaps of the last statement.
const showErrors = "ERRORS"

// errors lists the gaps of the last statement.
func (l lister) errors() listing {
	t := listing{header: "resource workspace code status message url request_id", names: []int{0}}
	for _, m := range l.session.Missing() {
		e := provider.Copy(m.Err, provider.Internal)
		row := []any{m.Resource, m.Workspace}
		for _, value := range []string{e.ErrorCode, strings.TrimPrefix(strconv.Itoa(e.Status), "0"), e.Message, e.URL, e.RequestID} {
			if value == "" {
				row = append(row, nil)
			} else {
				row = append(row, value)
			}
		}
		t.rows = append(t.rows, row)
	}
	return t
}

// settings lists the settings.
func (l lister) settings() [][]any {
	var rows [][]any
	for _, known := range settings() {
		rows = append(rows, []any{known.name, known.value(l.session), known.description})
	}
	return rows
}

// Principals is an authorizer that knows as whom calls are made. The dispatcher's may be one.
type Principals interface {
	// Principal returns the owner of the configured credential as far as the configuration says,
	// the kind of the credential, and its source. It makes no call.
	Principal() (principal, kind, source string, err error)
}

func (l lister) auth(name statement.Name) ([][]any, error) {
	if _, err := l.names.lookup(name[:1]); err != nil {
		return nil, err
	}
	principals, ok := l.session.Client.Authorizer.(Principals)
	if !ok {
		return nil, nil
	}
	principal, kind, source, err := principals.Principal()
	if err != nil {
		return nil, err
	}
	return [][]any{{principal, kind, source}}, nil
}
