package mcp

import (
	"cmp"
	"context"
	"slices"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/lakeql/lakeql/provider"
)

type searchInput struct {
	Query    string `json:"query" jsonschema:"words to look for in names and descriptions"`
	Provider string `json:"provider,omitempty" jsonschema:"only resources of this provider: databricks_workspace or databricks_account"`
	Limit    int    `json:"limit,omitempty" jsonschema:"how many resources to return at most; 20 if absent"`
}

// found are the resources that a search finds, the best first.
type found struct {
	Matches   int             `json:"matches"` // how many there are, of which those are listed
	Resources []foundResource `json:"resources"`
	Note      string          `json:"note,omitempty"`
}

type foundResource struct {
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Needs       []string `json:"where_needs,omitempty"` // for each method of SELECT, the parameters that it requires
	NoSelect    bool     `json:"no_select,omitempty"`

	score int
}

const (
	usualFound = 20
	mostFound  = 100
	// longestDescription bounds a description in a list, in bytes.
	longestDescription = 300
)

// search finds resources by words.
func (s *Server) search(_ context.Context, _ *sdk.CallToolRequest, _ *tool, in searchInput) (any, error) {
	words := strings.FieldsFunc(strings.ToLower(shorten(in.Query, 1000)), func(r rune) bool { return strings.ContainsRune(" \t\r\n_.,;:-'\"", r) })
	if len(words) == 0 {
		return nil, provider.Usagef("query has no words").Hintf("describe lists the services of a provider, and the resources of a service")
	}
	providers, err := s.providers(in.Provider)
	if err != nil {
		return nil, err
	}
	var all []foundResource // that have most of the words
	most := 0
	for _, p := range providers {
		for _, info := range p.Services {
			service, err := s.options.Catalogue.Service(p.Name, info.Name)
			if err != nil {
				return nil, err
			}
			for _, r := range service.Resources {
				n, matched := score(words, r, info)
				if matched == 0 || matched < most {
					continue
				}
				if matched > most {
					most, all = matched, nil
				}
				all = append(all, foundResource{Name: p.Name + "." + info.Name + "." + r.Name, score: n})
			}
		}
	}
	slices.SortFunc(all, func(a, b foundResource) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.Name, b.Name))
	})
	result := found{Matches: len(all), Resources: append([]foundResource{}, all[:min(len(all), mostFound, max(1, cmp.Or(in.Limit, usualFound)))]...)}
	for i := range result.Resources {
		r := &result.Resources[i]
		resource, err := s.options.Catalogue.ResourceOf(r.Name)
		if err != nil {
			return nil, err
		}
		r.Description = descriptionOf(resource)
		r.Needs, r.NoSelect = needs(resource)
	}
	switch {
	case most > 0 && most < len(words):
		result.Note = "no resource has all of the words; these have the most"
	case len(all) == 0:
		result.Note = "nothing matches: try fewer or other words, or describe databricks_workspace, which lists its services"
	}
	return result, nil
}

// providers are all providers, or the one with a name.
func (s *Server) providers(name string) ([]*provider.Provider, error) {
	if name == "" {
		return s.options.Catalogue.Providers()
	}
	p, err := s.options.Catalogue.Provider(name)
	return []*provider.Provider{p}, err
}

// score says how well a resource matches words, and how many of them.
func score(words []string, r *provider.ResourceInfo, service *provider.ServiceInfo) (sum, matched int) {
	name, parts := strings.ToLower(r.Name), strings.Split(strings.ToLower(r.Name), "_")
	description, serviceText := strings.ToLower(r.Description), strings.ToLower(service.Name+" "+service.Title)
	for _, word := range words {
		stem := word
		if len(stem) > 3 {
			stem = strings.TrimSuffix(strings.TrimSuffix(stem, "s"), "ie")
		}
		n := 0
		switch {
		case slices.ContainsFunc(parts, func(part string) bool { return part == word || strings.TrimSuffix(part, "s") == stem }):
			n = 12
		case strings.Contains(name, stem):
			n = 8
		case strings.Contains(serviceText, stem):
			n = 4
		case strings.Contains(description, stem):
			n = 2
		default:
			continue
		}
		sum += n
		matched++
	}
	return sum*4 - len(parts), matched // of two with the same words, the shorter name
}

// needs lists what WHERE must have for each method of SELECT.
func needs(r *provider.Resource) (all []string, none bool) {
	if r.View != nil {
		var names []string
		for _, p := range r.View.RequiredParams {
			if p.Name != "deployment_name" {
				names = append(names, p.Name)
			}
		}
		if len(names) > 0 {
			all = append(all, strings.Join(names, ", "))
		}
		return all, false
	}
	methods := r.SelectMethods()
	slices.SortStableFunc(methods, func(a, b *provider.Method) int { return len(required(a)) - len(required(b)) })
	for _, m := range methods {
		names := required(m)
		if len(names) == 0 {
			return nil, false // one asks for nothing
		}
		if text := strings.Join(names, ", "); !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return all, len(methods) == 0
}

// required lists the parameters that a call must have. The variables of the server's URL, such as
// deployment_name, are not among them, because the configured workspace stands in for them.
func required(m *provider.Method) []string {
	return slices.DeleteFunc(m.RequiredParams(), func(name string) bool { return isVariable(m, name) })
}

func isVariable(m *provider.Method, name string) bool {
	return slices.ContainsFunc(m.ServerVariables(), func(v provider.Variable) bool { return v.Name == name })
}

// descriptionOf is the description of a resource or, if it has none, that of its first method.
func descriptionOf(r *provider.Resource) string {
	if r.Description == "" && len(r.Methods) > 0 {
		for _, m := range append(r.MethodsFor(provider.Select), r.Methods...) {
			if m.Name != "get" {
				return shorten(m.Description, longestDescription)
			}
		}
	}
	return shorten(r.Description, longestDescription)
}

type describeInput struct {
	Name string `json:"name" jsonschema:"a provider, provider.service, provider.service.resource, or provider.service.resource.method"`
}

// description is what describe returns. Which fields it has depends on the name.
type description struct {
	Kind        string   `json:"kind"` // provider, service, resource, view or method
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Needs       []string `json:"where_needs,omitempty"`
	Statement   string   `json:"statement,omitempty"` // an example
	Notes       []string `json:"notes,omitempty"`
	Services    []listed `json:"services,omitempty"`
	Resources   []listed `json:"resources,omitempty"`
	Methods     []method `json:"methods,omitempty"`
	Columns     []raw    `json:"columns,omitempty"`
	Fields      []raw    `json:"fields,omitempty"` // parameters, attributes of the body, and columns of a method
}

type listed struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
}

type method struct {
	Name        string   `json:"name"`
	SQLVerb     string   `json:"sql_verb"`
	Request     string   `json:"request"`
	Required    []string `json:"required,omitempty"`
	Optional    []string `json:"optional,omitempty"`
	Description string   `json:"description,omitempty"`
}

// describe describes a name of one to four parts.
func (s *Server) describe(ctx context.Context, req *sdk.CallToolRequest, t *tool, in describeInput) (any, error) {
	parts := strings.Split(strings.Trim(in.Name, " \t\r\n;"), ".")
	if len(parts) > 4 || slices.ContainsFunc(parts, func(part string) bool { return !isName(part) }) {
		return nil, provider.Usagef("%s is no name of one to four parts", provider.Quote(in.Name)).Hintf("write provider.service.resource")
	}
	named, _, err := s.options.Catalogue.Lookup(parts...)
	if err != nil {
		return nil, err
	}
	d := &description{Name: strings.Join(parts, ".")}
	switch len(parts) {
	case 1:
		d.Kind, d.Description = "provider", named.Provider.Description
		for _, service := range named.Provider.Services {
			d.Services = append(d.Services, listed{service.Name, shorten(cmp.Or(service.Description, service.Title), longestDescription)})
		}
	case 2:
		d.Kind = "service"
		for _, r := range named.Service.Resources {
			resource, err := s.options.Catalogue.Resource(named.Provider.Name, named.Service.Name, r.Name)
			if err != nil {
				return nil, err
			}
			d.Resources = append(d.Resources, listed{r.Name, descriptionOf(resource)})
		}
	case 3:
		return d, s.describeResource(ctx, req, t, d, named.Resource)
	case 4:
		m := named.Method
		d.Kind, d.Description, d.Methods = "method", m.Description, []method{methodOf(m)}
		d.Methods[0].Description = ""
		return d, s.rowsOf(ctx, req, t, "DESCRIBE METHOD EXTENDED "+d.Name, d, &d.Fields)
	}
	return d, nil
}

// describeResource describes a resource or view.
func (s *Server) describeResource(ctx context.Context, req *sdk.CallToolRequest, t *tool, d *description, r *provider.Resource) error {
	d.Kind, d.Description = "resource", r.Description
	var none bool
	d.Needs, none = needs(r)
	if r.View != nil {
		d.Kind = "view"
	}
	for _, m := range r.Methods {
		d.Methods = append(d.Methods, methodOf(m))
	}
	if none {
		d.Notes = append(d.Notes, "no SELECT reaches it: describe one of its methods; execute runs it by EXEC")
		return nil
	}
	d.Statement = "SELECT * FROM " + d.Name
	if len(d.Needs) > 0 {
		d.Statement += " WHERE " + strings.ReplaceAll(d.Needs[0], ", ", " = '…' AND ") + " = '…'"
	}
	return s.rowsOf(ctx, req, t, "DESCRIBE EXTENDED "+d.Name, d, &d.Columns)
}

// rowsOf runs a statement about the catalogue, and takes its rows and notes.
func (s *Server) rowsOf(ctx context.Context, req *sdk.CallToolRequest, t *tool, text string, d *description, into *[]raw) error {
	a, err := s.run(ctx, job{client: clientOf(req), tool: t.name, text: text, dryRun: true, limits: limits{rows: mostOfCatalogue, bytes: mostOfCatalogue << 8}})
	if err != nil {
		return err
	}
	*into = a.Rows
	d.Notes = append(append(d.Notes, a.Notes...), a.Cut...)
	return nil
}

// mostOfCatalogue bounds the columns of a resource; the longest has a few hundred.
const mostOfCatalogue = 2000

// methodOf describes a method in a line.
func methodOf(m *provider.Method) method {
	d := method{
		Name: m.Name, SQLVerb: string(m.SQLVerb), Request: m.Verb + " " + m.Path,
		Required: required(m), Description: shorten(m.Description, longestDescription),
	}
	for _, v := range m.ServerVariables() {
		d.Optional = append(d.Optional, v.Name)
	}
	for i := range m.Params {
		if p := &m.Params[i]; !p.Required && p.Name != "" && !slices.Contains(d.Required, p.Name) {
			d.Optional = append(d.Optional, p.Name)
		}
	}
	return d
}

// isName reports whether a text is a word, which needs no quotes in a statement.
func isName(text string) bool {
	for i, r := range text {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return text != ""
}
