package redact

import (
	"fmt"
	"strings"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/provider"
)

// names are the names of the documents that a text refers to. They are public, so they are shown.
type names struct {
	client *dispatch.Client
	shown  map[string]bool // in lower case
	loaded map[string]bool
	// resources are the resources that the text names; services are the services with known resources.
	resources []*provider.Resource
	services  []*provider.Service
}

func newNames(client *dispatch.Client) *names {
	n := &names{client: client, shown: map[string]bool{}, loaded: map[string]bool{}}
	if client == nil || client.Catalogue == nil {
		return n
	}
	for _, w := range []string{"deployment_name", "name", "parent", "json", "body", "data__", "now", "databricks", "contents"} {
		n.shown[w] = true
	}
	providers, err := client.Catalogue.Providers()
	if err != nil {
		return n
	}
	for _, p := range providers {
		n.show(p.Name)
	}
	return n
}

func (n *names) show(name string) { n.shown[strings.ToLower(name)] = true }

func (n *names) has(lower string) bool {
	return n.shown[lower] || n.shown[strings.TrimPrefix(lower, "data__")]
}

// near reports whether a word is a name with a typing error: a letter or two are wrong, missing or too
// many.
func (n *names) near(lower string) bool {
	if len(lower) < 4 || strings.ContainsAny(lower, "0123456789") {
		return false
	}
	for known := range n.shown {
		if d := len(known) - len(lower); d >= -2 && d <= 2 && provider.Distance(known, lower) <= min(2, len(lower)/4) {
			return true
		}
	}
	return false
}

// namesPart reports whether a word can be a part of a name that begins with first.
func (n *names) namesPart(first, part string) bool {
	lower := strings.ToLower(part)
	if n.has(lower) || n.near(lower) {
		return true
	}
	return (n.has(strings.ToLower(first)) || n.near(strings.ToLower(first))) && len(part) <= 60 && nameWithDigits().MatchString(lower)
}

// load takes in the names below a provider, service or resource. Words come in the order of the text,
// so that a resource follows its service.
func (n *names) load(word string) {
	if n.client == nil || n.client.Catalogue == nil || n.loaded[word] || !n.shown[strings.ToLower(word)] {
		return
	}
	n.loaded[word] = true
	catalogue := n.client.Catalogue
	if p, err := catalogue.Provider(word); err == nil && p != nil {
		for _, s := range p.Services {
			n.show(s.Name)
		}
		former, err := catalogue.FormerNames(p)
		if err != nil {
			return
		}
		for _, f := range former {
			service, _, _ := f.Parts()
			n.show(service)
		}
	}
	providers, err := catalogue.Providers()
	if err != nil {
		return
	}
	for _, p := range providers {
		if !n.loaded[p.Name] {
			continue
		}
		if s, err := catalogue.Service(p.Name, word); err == nil && s != nil {
			n.services = append(n.services, s)
			for _, r := range s.Resources {
				n.show(r.Name)
			}
		}
		for _, s := range n.services {
			if r, err := catalogue.Resource(p.Name, s.Name, word); err == nil && r != nil {
				n.addResource(r)
			}
		}
	}
}

func (n *names) addResource(r *provider.Resource) {
	n.resources = append(n.resources, r)
	for _, m := range r.Methods {
		for part := range strings.SplitSeq(m.FullName(), ".") { // its names of today, if r has a former one
			n.show(part)
		}
		for _, v := range m.ServerVariables() {
			n.show(v.Name)
		}
		if m.NameParam != nil {
			n.show(m.NameParam.Name)
		}
		for i := range m.Params {
			for part := range strings.SplitSeq(m.Params[i].Name, ".") {
				n.show(part)
			}
			n.show(m.Params[i].Name)
		}
		seen := map[string]bool{}
		if m.Body != nil {
			n.addSchema(m, m.Body.Schema, seen)
		}
		if m.Response != nil {
			n.addSchema(m, m.Response.Schema, seen)
		}
	}
}

// addSchema takes in the names of attributes, and the values that a document lists.
func (n *names) addSchema(m *provider.Method, schema *provider.Schema, seen map[string]bool) {
	if schema == nil || schema.Ref != "" && seen[schema.Ref] {
		return
	}
	if schema.Ref != "" {
		seen[schema.Ref] = true
	}
	schema, err := n.client.Catalogue.Resolve(m, schema)
	if err != nil || schema == nil {
		return
	}
	for _, listed := range schema.Enum {
		n.show(fmt.Sprint(listed))
	}
	for _, p := range schema.Properties {
		n.show(p.Name)
		n.addSchema(m, p.Schema, seen)
	}
	n.addSchema(m, schema.Items, seen)
	n.addSchema(m, schema.Additional, seen)
}
