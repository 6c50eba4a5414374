package statement

import (
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// Show lists parts of the catalogue: SHOW [EXTENDED] METHODS IN provider.service.resource.
type Show struct {
	Position provider.Position
	Extended bool
	What     string // PROVIDERS, SERVICES, RESOURCES or METHODS
	In       Name   // none, one, two or three parts
}

// Pos is where SHOW stands.
func (s *Show) Pos() provider.Position { return s.Position }

func (p *parser) show(pos provider.Position) (*Show, error) {
	s := &Show{Position: pos}
	var err error
	if s.Extended, err = p.accept("EXTENDED"); err != nil {
		return nil, err
	}
	forms := map[string]string{
		"PROVIDERS": "",
		"SERVICES":  "provider",
		"RESOURCES": "provider.service",
		"METHODS":   "provider.service.resource",
	}
	s.What = strings.ToUpper(p.token.raw)
	form, ok := forms[s.What]
	if !ok {
		return nil, p.unexpected("PROVIDERS, SERVICES, RESOURCES or METHODS")
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	if form == "" {
		return s, nil
	}
	if !p.keyword("IN") && !p.keyword("FROM") {
		return nil, p.unexpected("IN " + form)
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	s.In, err = p.name(form)
	return s, err
}

// Describe tells what a resource's rows or a method's parameters and answer look like:
// DESCRIBE [METHOD] [EXTENDED] name.
type Describe struct {
	Position provider.Position
	Extended bool
	Method   bool
	Name     Name // three parts, or four with Method
}

// Pos is where DESCRIBE stands.
func (d *Describe) Pos() provider.Position { return d.Position }

func (p *parser) describe(pos provider.Position) (*Describe, error) {
	d := &Describe{Position: pos}
	form := "provider.service.resource"
	var err error
	if d.Extended, err = p.accept("EXTENDED"); err != nil {
		return nil, err
	}
	if d.Method, err = p.accept("METHOD"); err != nil {
		return nil, err
	}
	if d.Method {
		form = "provider.service.resource.method"
	}
	if !d.Extended {
		if d.Extended, err = p.accept("EXTENDED"); err != nil {
			return nil, err
		}
	}
	d.Name, err = p.name(form)
	return d, err
}
