package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// columns makes a header of text columns; those after the bar are shown by EXTENDED only.
func columns(extended bool, header string) []provider.Column {
	plain, more, _ := strings.Cut(header, "|")
	names := strings.Fields(plain)
	if extended {
		names = append(names, strings.Fields(more)...)
	}
	all := make([]provider.Column, len(names))
	for i, name := range names {
		all[i] = provider.Column{Name: name, Type: "string"}
	}
	return all
}

// listing is the answer to a SHOW before LIKE and WHERE choose among its rows.
type listing struct {
	header string
	rows   [][]any
	names  []int // columns that LIKE looks at
}

func (s *Session) planShow(show *statement.Show) (*plan, error) {
	t, err := s.shown(show)
	if err != nil {
		return nil, err
	}
	all := columns(true, t.header)
	cols := columns(show.Extended, t.header)
	var rows [][]any
	for _, row := range t.rows {
		keep, err := chosen(show, t, all, row)
		if err != nil {
			return nil, err
		}
		if keep {
			rows = append(rows, row[:len(cols)])
		}
	}
	if len(t.rows) == 0 && show.Where != nil { // a condition that names no column is wrong all the same
		if _, err := chosen(show, t, all, make([]any, len(all))); err != nil {
			return nil, err
		}
	}
	return fixed(cols, rows), nil
}

func (s *Session) shown(show *statement.Show) (t listing, err error) {
	t.names = []int{0}
	switch show.What {
	case showErrors:
		return s.errors(), nil
	case "SETTINGS":
		t.header = "name value description"
		t.rows = s.settingRows()
	case "TABLES", "VIEWS", "MATERIALIZED VIEWS":
		return s.kept(show.What)
	case "PROVIDERS":
		t.header = "name version"
		t.rows, err = s.providerRows()
	case "SERVICES":
		t.header, t.names = "id name title | description version preferred", []int{0, 1}
		t.rows, err = s.serviceRows(show.In)
	case "RESOURCES":
		t.header, t.names = "name id | description", []int{0, 1}
		t.rows, err = s.resourceRows(show.In)
	case "METHODS":
		t.header = "MethodName RequiredParams SQLVerb | description"
		t.rows, err = s.methodRows(show.In)
	case "INSERT":
		t.header = "insert_statement"
		t.rows, err = s.insertRows(show)
	case "AUTH":
		t.header = "principal type source"
		t.rows, err = s.authRows(show.In)
	case "VERSION":
		t.header = "version | commit build_date platform"
		t.rows = [][]any{{s.Version.Number, s.Version.Commit, s.Version.BuildDate, s.Version.Platform}}
	}
	return t, err
}

// chosen reports whether LIKE and WHERE let a row through.
func chosen(show *statement.Show, t listing, cols []provider.Column, row []any) (bool, error) {
	if show.Like != "" && !slices.ContainsFunc(t.names, func(i int) bool { return statement.Like(show.Like, fmt.Sprint(row[i])) }) {
		return false, nil
	}
	if show.Where == nil {
		return true, nil
	}
	return show.Where.Match(func(name string) (string, bool) {
		for i, c := range cols {
			if strings.EqualFold(c.Name, name) {
				if row[i] == nil {
					return "", true
				}
				return fmt.Sprint(row[i]), true
			}
		}
		return "", false
	})
}

func (s *Session) providerRows() ([][]any, error) {
	all, err := s.Catalogue.Providers()
	if err != nil {
		return nil, err
	}
	var rows [][]any
	for _, p := range all {
		rows = append(rows, []any{p.Name, p.Version})
	}
	return rows, nil
}

func (s *Session) serviceRows(name statement.Name) ([][]any, error) {
	found, err := s.lookup(name[:1])
	if err != nil {
		return nil, err
	}
	var rows [][]any
	for _, service := range found.Provider.Services {
		rows = append(rows, []any{service.ID, service.Name, service.Title, service.Description, service.Version, service.Preferred})
	}
	return rows, nil
}

func (s *Session) resourceRows(name statement.Name) ([][]any, error) {
	found, err := s.lookup(name[:2])
	if err != nil {
		return nil, err
	}
	var rows [][]any
	for _, r := range found.Service.Resources {
		rows = append(rows, []any{r.Name, r.ID, r.Description})
	}
	return rows, nil
}

func (s *Session) methodRows(name statement.Name) ([][]any, error) {
	r, err := s.resource(name)
	if err != nil {
		return nil, err
	}
	var rows [][]any
	for _, verb := range provider.SQLVerbs() {
		for _, m := range r.MethodsFor(verb) {
			rows = append(rows, []any{m.Name, strings.Join(m.RequiredParams(), ", "), strings.ToUpper(string(m.SQLVerb)), m.Description})
		}
	}
	return rows, nil
}

// insertRows writes the INSERT for a resource with placeholders for its values.
func (s *Session) insertRows(show *statement.Show) ([][]any, error) {
	r, err := s.resource(show.In)
	if err != nil {
		return nil, err
	}
	methods := r.MethodsFor(provider.Insert)
	if len(methods) == 0 {
		return nil, &provider.Error{
			Code:     provider.Usage,
			Message:  "no INSERT reaches " + r.FullName(),
			Hint:     "see SHOW METHODS IN " + r.FullName(),
			Position: show.In[2].Pos,
		}
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
		schema, err := s.Catalogue.Resolve(m, p.Schema)
		if err != nil {
			return nil, err
		}
		add(p.Name, schema, p.Required)
	}
	attributes, err := s.attributes(m)
	if err != nil {
		return nil, err
	}
	for _, a := range attributes {
		if _, isParam := m.Param(a.name); !isParam {
			add(a.name, a.schema, a.required)
		}
	}
	text := fmt.Sprintf("INSERT INTO %s (\n%s\n)\nSELECT\n%s\n;", r.FullName(), strings.Join(names, ",\n"), strings.Join(values, ",\n"))
	return [][]any{{text}}, nil
}

// Principals tells as whom calls are made; what the dispatcher has for an authorizer may know it.
type Principals interface {
	// Principal gives who the configured credential belongs to as far as the configuration says,
	// what kind of credential it is, and where it comes from. It makes no call.
	Principal() (principal, kind, source string, err error)
}

func (s *Session) authRows(name statement.Name) ([][]any, error) {
	if _, err := s.lookup(name[:1]); err != nil {
		return nil, err
	}
	principals, ok := s.Client.Authorizer.(Principals)
	if !ok {
		return nil, nil
	}
	principal, kind, source, err := principals.Principal()
	if err != nil {
		return nil, err
	}
	return [][]any{{principal, kind, source}}, nil
}

func (s *Session) planRegistry(r *statement.Registry) (*plan, error) {
	rows, err := s.providerRows()
	if err != nil {
		return nil, err
	}
	if len(r.Name) > 0 {
		found, err := s.lookup(r.Name[:1])
		if err != nil {
			return nil, err
		}
		p := found.Provider
		if r.Pull {
			message := fmt.Sprintf("%s %s is part of lakeql: there is nothing to pull", p.Name, p.Version)
			return fixed([]provider.Column{{Name: "message", Type: "string"}}, [][]any{{message}}), nil
		}
		rows = [][]any{{p.Name, p.Version}}
	}
	return fixed(columns(false, "provider version"), rows), nil
}

// kept lists the tables or views of the stores.
func (s *Session) kept(what string) (listing, error) {
	t := listing{header: "name", names: []int{0}}
	kind := statement.ObjectKind(strings.TrimSuffix(what, "S"))
	switch kind {
	case statement.View:
		t.header = "name definition"
	case statement.MaterializedView:
		t.header = "name refreshed definition"
	case statement.TableObject:
	}
	all, err := s.stores().Objects()
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
