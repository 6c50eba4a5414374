package statement

import (
	"strings"

	"github.com/xwb1989/sqlparser"

	"github.com/lakeql/lakeql/provider"
)

// Show lists parts of the catalogue or of this installation:
//
//	SHOW [EXTENDED] METHODS IN provider.service.resource [LIKE 'pattern'] [WHERE condition]
//	SHOW [EXTENDED] RESOURCES [IN provider[.service]] [LIKE 'pattern'] [WHERE condition]
//	SHOW [EXTENDED] INSERT [/*+ REQUIRED */] INTO provider.service.resource
//
// Without a name: PROVIDERS, TABLES, VIEWS, MATERIALIZED VIEWS, SETTINGS, ERRORS, VERSION.
type Show struct {
	Position provider.Position
	Hints    []string // upper case
	Extended bool
	What     string // PROVIDERS, SERVICES, RESOURCES, METHODS, INSERT, AUTH, or one of those without a name
	In       Name   // as many parts as What has, or fewer for RESOURCES; none for those without a name
	Like     string // a pattern for id or name; empty: all
	Where    *Condition
}

// Pos is where SHOW stands.
func (s *Show) Pos() provider.Position { return s.Position }

// showForms are the names that each kind of SHOW takes.
var showForms = map[string]string{
	"PROVIDERS":          "",
	"SERVICES":           "provider",
	"RESOURCES":          "provider.service",
	"METHODS":            "provider.service.resource",
	"INSERT":             "provider.service.resource",
	"AUTH":               "provider",
	"TABLES":             "",
	"VIEWS":              "",
	"MATERIALIZED VIEWS": "",
	"SETTINGS":           "",
	"ERRORS":             "",
	"VERSION":            "",
}

func (p *parser) show(pos provider.Position) (*Show, error) {
	s := &Show{Position: pos}
	var err error
	if s.Extended, err = p.accept("EXTENDED"); err != nil {
		return nil, err
	}
	materialized, err := p.accept("MATERIALIZED")
	if err != nil {
		return nil, err
	}
	s.What = strings.ToUpper(p.token.raw)
	form, ok := showForms[s.What]
	switch {
	case materialized && s.What != "VIEWS":
		return nil, p.unexpected("VIEWS after MATERIALIZED")
	case materialized:
		s.What = "MATERIALIZED VIEWS"
	case !ok:
		return nil, p.unexpected("PROVIDERS, SERVICES, RESOURCES, METHODS, INSERT, AUTH, TABLES, VIEWS, MATERIALIZED VIEWS, SETTINGS, ERRORS or VERSION")
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	if form != "" {
		if s.In, err = p.shown(s.What, form); err != nil {
			return nil, err
		}
	}
	if like, err := p.accept("LIKE"); err != nil {
		return nil, err
	} else if like {
		if p.token.typ != sqlparser.STRING || p.token.raw[0] != '\'' {
			return nil, p.unexpected("a pattern between single quotes after LIKE")
		}
		s.Like, _ = decode(p.token.raw, false)
		if err := p.next(); err != nil {
			return nil, err
		}
	}
	if s.Where, err = p.where(); err != nil {
		return nil, err
	}
	s.Hints, err = p.lex.words(p.hints)
	return s, err
}

// shown reads the object of SHOW: IN name, or INTO name for INSERT.
func (p *parser) shown(what, form string) (Name, error) {
	words := []string{"IN", "FROM"}
	if what == "INSERT" {
		words = []string{"INTO"}
	}
	for _, word := range words {
		found, err := p.accept(word)
		if err != nil {
			return nil, err
		}
		if found {
			if what == "RESOURCES" {
				return p.below(form)
			}
			return p.name(form)
		}
	}
	if p.token.ends() || p.token.is("LIKE") || p.token.is("WHERE") {
		if in, ok := p.inUse(what); ok {
			return in, nil
		}
	}
	return nil, p.unexpected(words[0] + " " + form)
}

// below reads the name behind SHOW RESOURCES IN: provider.service, provider, or the service of the provider in use.
func (p *parser) below(form string) (Name, error) {
	name, err := p.dotted(form)
	if err != nil {
		return nil, err
	}
	if len(name) == 1 && p.scope.Catalogue != nil {
		if _, err := p.scope.Catalogue.Provider(name[0].Text); err != nil {
			name = p.scope.full(name, 2) //nolint:mnd // provider.service
		}
	}
	return p.checked(name, form, "provider")
}

// inUse returns the name for a SHOW without one: what USE chose. SHOW RESOURCES lists all without it.
func (p *parser) inUse(what string) (Name, bool) {
	pos := p.token.pos(p.lex)
	var name Name
	switch used := p.scope; {
	case what != "RESOURCES" && what != "SERVICES" && what != "AUTH":
		return nil, false
	case used.Provider == "":
		return nil, what == "RESOURCES"
	case what == "RESOURCES" && used.Service != "":
		name = Name{{used.Provider, pos}, {used.Service, pos}}
	default:
		name = Name{{used.Provider, pos}}
	}
	return name, true
}

// Describe shows the columns of a resource or of a table or view of the user, or the parameters and the
// answer of a method: DESCRIBE [METHOD] [EXTENDED] name.
type Describe struct {
	Position provider.Position
	Extended bool
	Method   bool
	Name     Name // three parts, or four with Method; one or two for a table or view
}

// Pos is where DESCRIBE stands.
func (d *Describe) Pos() provider.Position { return d.Position }

func (p *parser) describe(pos provider.Position) (*Describe, error) {
	d := &Describe{Position: pos}
	forms := []string{"provider.service.resource", "table", "store.table"}
	var err error
	if d.Extended, err = p.accept("EXTENDED"); err != nil {
		return nil, err
	}
	if d.Method, err = p.accept("METHOD"); err != nil {
		return nil, err
	}
	if d.Method {
		forms = []string{"provider.service.resource.method"}
	}
	if !d.Extended {
		if d.Extended, err = p.accept("EXTENDED"); err != nil {
			return nil, err
		}
	}
	if d.Method {
		d.Name, err = p.name(forms...)
		return d, err
	}
	name, err := p.dotted(forms[0])
	if err != nil {
		return nil, err
	}
	if name, err = p.scope.resource(name); err != nil {
		return nil, err
	}
	d.Name, err = p.checked(name, forms...)
	return d, err
}

// Registry lists the providers that there are: REGISTRY LIST [provider]. StackQL's REGISTRY PULL
// is read too: the providers are part of the program, so that there is nothing to pull.
type Registry struct {
	Position provider.Position
	Pull     bool
	Name     Name // none or one part
}

// Pos is where REGISTRY stands.
func (r *Registry) Pos() provider.Position { return r.Position }

func (p *parser) registry(pos provider.Position) (*Registry, error) {
	r := &Registry{Position: pos}
	var err error
	if r.Pull, err = p.accept("PULL"); err != nil {
		return nil, err
	}
	if !r.Pull {
		list, err := p.accept("LIST")
		if err != nil {
			return nil, err
		}
		if !list {
			return nil, p.unexpected("LIST or PULL")
		}
	}
	if p.token.typ == ';' || p.token.typ == endOfText {
		if r.Pull {
			return nil, p.unexpected("the provider to pull")
		}
		return r, nil
	}
	if r.Name, err = p.name("provider"); err != nil {
		return nil, err
	}
	// A version may follow, as v00.00.00000 or in quotes.
	for r.Pull && p.token.typ != ';' && p.token.typ != endOfText {
		if err := p.next(); err != nil {
			return nil, err
		}
	}
	return r, nil
}
