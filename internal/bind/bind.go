// Package bind turns the named values of a statement into a call. It knows the names that a method takes,
// the meaning of each (a path or query parameter, the workspace, a resource name, an attribute of the
// request body), and the values that follow from them.
//
//   - [Signature] lists the inputs of a method, by name.
//   - [Binding] collects values from the parameters of an EXEC or the columns of an INSERT, UPDATE
//     or DELETE, with their positions, so that an error points at the wrong value.
//   - [Scope.Call] does the same for the values that SQLite passes to a table; those have no position.
//   - [UpdateMask] lists the fields that an UPDATE changes.
//   - [Args] are the values of placeholders.
//
// It sends nothing. The dispatcher checks a call's values against their schemas.
package bind

import (
	"errors"
	"fmt"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// Scope holds the catalogue, the account and the placeholders for bindings.
type Scope struct {
	Catalogue *provider.Catalogue
	// Account returns the id of the configured account; empty if none is known. Account-level
	// operations take it when the statement names no account.
	Account func() string
	// Args are the values of placeholders.
	Args *Args
}

// Style is how a statement writes a parameter, for hints.
type Style string

// The styles of statements.
const (
	ExecStyle   Style = "@%s = '…'" // EXEC
	ColumnStyle Style = "%s = '…'"  // INSERT, UPDATE, DELETE
)

// Binding collects the values of one call. Make it with [Scope.New], give it values, then call
// [Binding.Complete].
type Binding struct {
	*Signature

	scope Scope
	style Style
	where provider.Position

	given      map[string]given // by the name as written, without sign
	deployment string
	args       map[string]any
	argSource  map[string]given // of each argument, which may be part of a resource name
	attributes map[string]any   // of the body, given by name
	json       *statement.Param // @@json
	body       any
}

// Supplied reports whether the configuration supplies a parameter that the statement does not give.
func (b *Binding) Supplied(name string) bool { return b.scope.Supplied(b.Method, name) }

// given is a value with its position in the statement.
type given struct {
	name   string
	value  any // as decoding JSON returns it
	named  provider.Position
	pos    provider.Position
	locate func(provider.Path) provider.Position // what a path leads to in the value
}

// New starts a binding for a method. Errors about missing values point at where.
func (s Scope) New(m *provider.Method, where provider.Position, style Style) (*Binding, error) {
	signature, err := NewSignature(s.Catalogue, m)
	if err != nil {
		return nil, err
	}
	return &Binding{
		Signature:  signature,
		scope:      s,
		style:      style,
		where:      where,
		given:      map[string]given{},
		args:       map[string]any{},
		argSource:  map[string]given{},
		attributes: map[string]any{},
	}, nil
}

// Exec binds the parameters of an EXEC.
func (s Scope) Exec(m *provider.Method, e *statement.Exec) (*Binding, error) {
	b, err := s.New(m, e.Method[0].Pos, ExecStyle)
	if err != nil {
		return nil, err
	}
	for _, p := range e.Params {
		if err := b.add(p); err != nil {
			return nil, err
		}
	}
	b.alsoInBody()
	return b, b.Complete()
}

// alsoInBody puts parameters of an EXEC into the body too, if that requires an attribute of the same name and
// has none, as the SDK does.
func (b *Binding) alsoInBody() {
	body, isObject := b.body.(map[string]any)
	if b.Method.Body == nil || b.body != nil && !isObject {
		return
	}
	for _, name := range b.Method.Body.RequiredAttributes {
		_, inside := body[name]
		_, set := b.attributes[name]
		if value, ok := b.args[name]; ok && b.IsAttribute(name) && !inside && !set {
			b.attributes[name] = value
		}
	}
}

// Complete adds the values that follow from the others: the parts of a resource name, the account, the
// body. A missing required parameter is an error.
func (b *Binding) Complete() error {
	if err := b.splitName(); err != nil {
		return err
	}
	b.scope.fillAccount(b.Method, b.args)
	if err := b.mergeBody(); err != nil {
		return err
	}
	return b.missing()
}

// Call returns the call for the dispatcher.
func (b *Binding) Call() dispatch.Call {
	return dispatch.Call{Method: b.Method, Deployment: b.deployment, Args: b.args, Body: b.body}
}

// Given returns the statement's value for a name, and whether it has one.
func (b *Binding) Given(name string) (any, bool) {
	g, ok := b.given[name]
	return g.value, ok
}

// Identifies reports whether a column is a parameter of the path, and whether a value for it is another
// than the one that it has.
func (b *Binding) Identifies(column string, value any) (other, ok bool) {
	p, ok := b.Method.Param(column)
	return fmt.Sprint(b.args[column]) != fmt.Sprint(JSONValue(value)), ok && p.In == provider.InPath
}

// All returns the statement's values, by the names as written.
func (b *Binding) All() map[string]any {
	all := make(map[string]any, len(b.given))
	for name, g := range b.given {
		all[name] = g.value
	}
	return all
}

// IsEmpty reports whether no parameter and no attribute of the body has a value.
func (b *Binding) IsEmpty() bool { return len(b.args) == 0 && len(b.attributes) == 0 }

// Locate adds the position in the statement to an error of the dispatcher.
func (b *Binding) Locate(err error) error {
	e, ok := errors.AsType[*provider.Error](err)
	if !ok {
		return err
	}
	if e.Arg != "" {
		if p, ok := b.argSource[e.Arg]; ok {
			return provider.At(err, p.pos)
		}
		if p, ok := b.given[e.Arg]; ok {
			return provider.At(err, p.pos)
		}
	}
	if len(e.Path) > 0 {
		name, _ := e.Path[0].(string)
		if _, ok := b.attributes[name]; ok {
			return provider.At(err, b.attributeSource(name).locate(e.Path[1:]))
		}
	}
	if b.json != nil && e.Arg == "" {
		return provider.At(err, b.json.Value.Locate(e.Path))
	}
	return provider.At(err, b.where)
}
