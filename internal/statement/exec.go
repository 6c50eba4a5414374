package statement

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/xwb1989/sqlparser"

	"github.com/lakeql/lakeql/internal/dialect"
	"github.com/lakeql/lakeql/provider"
)

// Exec calls a method by its name:
//
//	EXEC [/*+ hints */] provider.service.resource.method [@name = value [[,] …]] [@@json = '{…}']
type Exec struct {
	Position provider.Position
	Hints    []string // upper case, in order
	Method   Name     // four parts
	Params   []Param  // as written, repetitions included
}

// Pos is where EXEC stands.
func (e *Exec) Pos() provider.Position { return e.Position }

// Param is one @name = value of an EXEC.
type Param struct {
	Name string // without @
	Pos  provider.Position
	// Body is set for @@name: the value is the request body, whatever the name.
	Body  bool
	Value Value
}

func (p *parser) exec(pos provider.Position) (*Exec, error) {
	p.placeholders = 0
	name, err := p.name("provider.service.resource.method")
	if err != nil {
		return nil, err
	}
	e := &Exec{Position: pos, Method: name}
	for {
		if len(e.Params) > 0 && p.token.typ == ',' {
			if err := p.next(); err != nil {
				return nil, err
			}
			if !strings.HasPrefix(p.token.raw, "@") {
				return nil, p.unexpected("a parameter after the comma (@name = value)")
			}
		}
		if !strings.HasPrefix(p.token.raw, "@") {
			break
		}
		param, err := p.param()
		if err != nil {
			return nil, err
		}
		e.Params = append(e.Params, param)
	}
	if p.token.typ != ';' && p.token.typ != endOfText {
		return nil, p.unexpected("a parameter (@name = value) or the end of the statement (;)")
	}
	if e.Hints, err = p.lex.words(p.hints); err != nil {
		return nil, err
	}
	return e, nil
}

// param reads @name = value or @@name = value.
func (p *parser) param() (Param, error) {
	raw := p.token.raw
	param := Param{Pos: p.token.pos(p.lex)}
	param.Name, param.Body = strings.CutPrefix(raw, "@@")
	if !param.Body {
		param.Name = raw[1:]
	}
	if !isWord(param.Name) {
		return param, p.unexpected("the parameter's name after @, of letters, digits and _")
	}
	if err := p.next(); err != nil {
		return param, err
	}
	for p.token.typ == '.' { // a nested query parameter: @filter_by.statuses
		if err := p.next(); err != nil {
			return param, err
		}
		if !isWord(p.token.raw) {
			return param, p.unexpected("the rest of the parameter's name after the dot")
		}
		param.Name += "." + p.token.raw
		if err := p.next(); err != nil {
			return param, err
		}
	}
	if p.token.typ != '=' {
		return param, p.unexpected("= after " + raw)
	}
	if err := p.next(); err != nil {
		return param, err
	}
	var err error
	param.Value, err = p.value(raw)
	return param, err
}

// value reads a string, a number, true, false or null.
func (p *parser) value(param string) (Value, error) {
	t := p.token
	v := Value{source: p.lex.text, start: t.start}
	switch {
	case t.typ == sqlparser.STRING && t.raw[0] == '\'':
		v.Kind, v.raw = String, t.raw
		v.Text, _ = decode(t.raw, false)
		return v, p.next()
	case t.typ == stringToken:
		text, ok := dialect.Text(t.raw)
		if !ok {
			return v, provider.Usagef("%s: an escape in this text is not known", param).At(t.pos(p.lex)).Hintf("write a backslash twice, or the text between single quotes without E")
		}
		v.Kind, v.Text, v.raw, v.sql = String, text, t.raw, true
		return v, p.next()
	case t.typ == '-' || t.typ == '+':
		if err := p.next(); err != nil {
			return v, err
		}
		if !isNumber(p.token.typ) || p.token.start != t.start+1 {
			return v, p.unexpected("a number after " + t.raw)
		}
		v.Kind, v.Text = Number, strings.TrimPrefix(t.raw, "+")+p.token.raw
	case isNumber(t.typ):
		v.Kind, v.Text = Number, t.raw
	case p.keyword("true"), p.keyword("false"):
		v.Kind, v.Text = Bool, strings.ToLower(t.raw)
	case p.keyword("null"):
		v.Kind = Null
	case t.raw == "?":
		p.placeholders++
		v.Kind, v.Text = Bound, strconv.Itoa(p.placeholders)
	case t.typ == '$':
		v.Kind, v.Text = Bound, t.raw[1:]
	case len(t.raw) > 1 && t.raw[0] == ':' && isWord(t.raw[1:]):
		v.Kind, v.Text = Bound, t.raw[1:]
	default:
		return v, p.unexpected(fmt.Sprintf("a value for %s: a string between single quotes, a number, true, false or null", param))
	}
	if v.Kind == Number && !json.Valid([]byte(v.Text)) {
		return v, provider.Usagef("%s: %s is not a number as JSON writes it", param, provider.Quote(v.Text)).
			At(t.pos(p.lex))
	}
	return v, p.next()
}

func isNumber(typ int) bool {
	return typ == sqlparser.INTEGRAL || typ == sqlparser.FLOAT || typ == sqlparser.HEXNUM
}
