package docgen

import (
	"cmp"

	"github.com/lakeql/lakeql/internal/docgen/reference"
	"github.com/lakeql/lakeql/provider"
)

// asReference returns a resource of the catalogue as StackQL's generator would read it from a document.
func (g *generator) asReference(from *provider.Resource) (*reference.Resource, error) {
	r := &reference.Resource{Service: from.Service, Name: from.Name, Description: from.Description}
	if from.View != nil {
		r.View = viewAsReference(from.View)
		return r, nil
	}
	for _, verb := range provider.SQLVerbs() {
		for _, m := range from.MethodsFor(verb) {
			method, err := g.methodAsReference(verb, m)
			if err != nil {
				return nil, err
			}
			r.Methods = append(r.Methods, method)
		}
	}
	return r, nil
}

// viewAsReference returns a view. StackQL's generator does not read where our documents describe columns.
func viewAsReference(from *provider.View) *reference.View {
	v := &reference.View{}
	for _, d := range from.Definitions {
		v.Definitions = append(v.Definitions, reference.Definition{Dialect: dialectLabel(d.Dialect), SQL: d.SQL})
	}
	return v
}

func (g *generator) methodAsReference(verb provider.SQLVerb, m *provider.Method) (reference.Method, error) {
	method := reference.Method{Name: m.Name, Verb: verb, Description: m.Description}
	for _, p := range g.params(m) {
		about, err := g.operationParameter(m, p)
		if err != nil {
			return method, err
		}
		named := reference.Param{Name: p.Name, Type: about.typ, Description: oneLine(about.description)}
		if p.Required {
			method.Required = append(method.Required, named)
		} else {
			method.Optional = append(method.Optional, named)
		}
	}
	for _, v := range m.ServerVariables() {
		about := serverVariable(v)
		method.Required = append(method.Required, reference.Param{Name: v.Name, Type: about.typ, Description: oneLine(about.description)})
	}
	attributes, err := g.cat.Attributes(m)
	if err != nil {
		return method, err
	}
	for _, a := range attributes {
		if a.Schema.OffPage {
			continue
		}
		attribute := reference.Attribute{Name: a.Name, Type: a.Schema.Type, Description: a.Schema.Description, HasValues: len(a.Schema.Enum) > 0}
		for _, v := range a.Schema.Enum {
			attribute.Values = append(attribute.Values, plain(v))
		}
		if a.Schema.Default != nil {
			attribute.Default, attribute.HasDefault = plain(a.Schema.Default), true
		}
		method.Attributes = append(method.Attributes, attribute)
	}
	if m.Body != nil {
		method.RequiredAttributes = m.Body.RequiredAttributes
	}
	return method, g.responseAsReference(&method, m)
}

func (g *generator) responseAsReference(method *reference.Method, m *provider.Method) error {
	if m.Response == nil {
		return nil
	}
	method.ResponseDescription = m.Response.Description
	rows, err := g.rowSchema(m)
	if err != nil {
		return err
	}
	whole, err := g.cat.Resolve(m, m.Response.Schema)
	if err != nil {
		return err
	}
	for _, s := range []*provider.Schema{rows, whole} {
		if s != nil {
			method.ResponseDescription = cmp.Or(method.ResponseDescription, s.Description)
		}
	}
	method.Fields, err = walk(g, m, rows, maxFieldDepth, func(name string, s *provider.Schema, children []reference.Field) (reference.Field, error) {
		return reference.Field{Name: name, Type: s.Type, Format: s.Format, Description: s.Description, Children: children}, nil
	})
	return err
}
