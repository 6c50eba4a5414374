package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// planExec checks an EXEC whole: names, parameters, body.
func (s *Session) planExec(e *statement.Exec) (*plan, error) {
	for _, hint := range e.Hints {
		if hint != "SHOWRESULTS" && hint != "AWAIT" {
			return nil, &provider.Error{
				Code:     provider.Usage,
				Message:  fmt.Sprintf("unknown hint %s", provider.Quote(hint)),
				Hint:     "known are SHOWRESULTS and AWAIT",
				Position: e.Position,
			}
		}
	}
	m, err := s.method(e.Method)
	if err != nil {
		return nil, err
	}
	b, err := s.bind(m, e)
	if err != nil {
		return nil, err
	}
	req, err := s.Client.Plan(b.call())
	if err != nil {
		return nil, b.locate(err)
	}
	if s.DryRun {
		return &plan{run: func(context.Context) (provider.Rows, error) { return s.Client.Describe(req) }}, nil
	}
	return &plan{run: func(ctx context.Context) (provider.Rows, error) {
		send := s.Client.Run
		if slices.Contains(e.Hints, "AWAIT") {
			send = s.Client.Await
		}
		rows, err := send(ctx, req)
		return s.watch(req, rows, err)
	}}, nil
}

// binding is what the parameters of an EXEC mean for its method.
type binding struct {
	method *provider.Method
	body   *provider.Schema // resolved; nil where the method takes none
	where  provider.Position

	given      map[string]statement.Param // by the name written, without prefix
	deployment string
	args       map[string]any
	argSource  map[string]statement.Param // of each argument, which may be part of a resource name
	attributes map[string]any             // body attributes given as @name
	whole      *statement.Param           // @@json
	wholeValue any
}

// deploymentName is the server variable that says which workspace a call goes to.
const deploymentName = "deployment_name"

// attributePrefix may stand before a body attribute's name, as in StackQL's INSERT statements. It
// tells an attribute from a parameter of the same name.
const attributePrefix = "data__"

func (s *Session) bind(m *provider.Method, e *statement.Exec) (*binding, error) {
	b := &binding{
		method:     m,
		where:      e.Method[0].Pos,
		given:      map[string]statement.Param{},
		args:       map[string]any{},
		argSource:  map[string]statement.Param{},
		attributes: map[string]any{},
	}
	if m.Body != nil {
		var err error
		if b.body, err = s.Catalogue.Resolve(m, m.Body.Schema); err != nil {
			return nil, err
		}
	}
	for _, p := range e.Params {
		if err := b.add(p); err != nil {
			return nil, err
		}
	}
	if err := b.splitName(); err != nil {
		return nil, err
	}
	s.fillAccount(m, b.args)
	if err := b.mergeBody(); err != nil {
		return nil, err
	}
	return b, b.missing()
}

// add takes one parameter in.
func (b *binding) add(p statement.Param) error {
	if p.Body {
		return b.addWhole(p)
	}
	if p.Value.Kind == statement.String {
		if placeholder, ok := statement.Placeholder(p.Name, p.Value.Text); ok {
			return statement.PlaceholderError(placeholder, p.Value.Pos())
		}
	}
	if earlier, twice := b.given[p.Name]; twice {
		if earlier.Value.Kind == p.Value.Kind && earlier.Value.Text == p.Value.Text {
			return nil
		}
		return conflict(p.Name, p.Value.Pos(), earlier.Value.Pos())
	}
	b.given[p.Name] = p
	value := p.Value.Any()
	switch {
	case b.isVariable(p.Name):
		if value != nil {
			b.deployment = fmt.Sprint(value)
		}
		if value == "" {
			return &provider.Error{
				Code:     provider.Usage,
				Message:  p.Name + " is empty",
				Hint:     "leave it out to call the configured host",
				Position: p.Value.Pos(),
			}
		}
	case b.isParam(p.Name):
		b.args[p.Name], b.argSource[p.Name] = value, p
	case b.method.NameParam != nil && b.method.NameParam.Name == p.Name:
		// taken apart when all parameters are known
	case b.isAttribute(p.Name):
		b.attributes[p.Name] = value
	case b.isAttribute(strings.TrimPrefix(p.Name, attributePrefix)):
		b.attributes[strings.TrimPrefix(p.Name, attributePrefix)] = value
	default:
		return b.unknown(p)
	}
	return nil
}

func (b *binding) isVariable(name string) bool {
	return name == deploymentName && slices.ContainsFunc(b.method.ServerVariables(), func(v provider.Variable) bool { return v.Name == name })
}

func (b *binding) isParam(name string) bool {
	_, ok := b.method.Param(name)
	return ok
}

func (b *binding) isAttribute(name string) bool {
	if b.body == nil {
		return false
	}
	_, ok := b.body.Property(name)
	return ok
}

// addWhole takes the request body in.
func (b *binding) addWhole(p statement.Param) error {
	if b.body == nil {
		return &provider.Error{
			Code:     provider.Usage,
			Message:  fmt.Sprintf("@@%s: %s takes no request body", p.Name, b.method.FullName()),
			Hint:     b.names(),
			Position: p.Pos,
		}
	}
	var value any
	var err error
	if provider.IsJSON(b.method.Body.MediaType) {
		value, err = p.Value.JSON()
	} else {
		value = p.Value.Text // a stream, such as the content of a file
	}
	if err != nil {
		return err
	}
	if b.whole != nil {
		if reflect.DeepEqual(value, b.wholeValue) {
			return nil
		}
		return conflict("the request body (@@"+p.Name+")", p.Value.Pos(), b.whole.Value.Pos())
	}
	b.whole, b.wholeValue = &p, value
	if path, placeholder, ok := findPlaceholder(value, nil); ok {
		return statement.PlaceholderError(placeholder, p.Value.Locate(path))
	}
	return nil
}

// findPlaceholder looks for a placeholder in the strings of a JSON value.
func findPlaceholder(value any, path provider.Path) (provider.Path, string, bool) {
	switch value := value.(type) {
	case string:
		name := ""
		if len(path) > 0 {
			name, _ = path[len(path)-1].(string)
		}
		placeholder, ok := statement.Placeholder(name, value)
		return path, placeholder, ok
	case []any:
		for i, item := range value {
			if path, placeholder, ok := findPlaceholder(item, append(path[:len(path):len(path)], i)); ok {
				return path, placeholder, true
			}
		}
	case map[string]any:
		for name, attribute := range value {
			if path, placeholder, ok := findPlaceholder(attribute, append(path[:len(path):len(path)], name)); ok {
				return path, placeholder, true
			}
		}
	}
	return nil, "", false
}

// accountID is the parameter of account-level operations that the configuration may give.
const accountID = "account_id"

// Accounts knows the configured account; what the dispatcher has for an authorizer may be one.
type Accounts interface {
	// AccountID is the configured account's id; empty where there is none.
	AccountID() string
}

// fillAccount gives account-level operations the configured account where the statement names none.
func (s *Session) fillAccount(m *provider.Method, args map[string]any) {
	if p, ok := m.Param(accountID); !ok || !p.Required || args[accountID] != nil {
		return
	}
	if id := s.account(); id != "" {
		args[accountID] = id
	}
}

// account is the configured account's id; empty where none is known.
func (s *Session) account() string {
	if accounts, ok := s.Client.Authorizer.(Accounts); ok {
		return accounts.AccountID()
	}
	return ""
}

// splitName takes a resource name given as a whole apart into the path's parameters.
func (b *binding) splitName() error {
	whole := b.method.NameParam
	if whole == nil {
		return nil
	}
	p, ok := b.given[whole.Name]
	if !ok || b.isParam(whole.Name) || p.Value.Any() == nil {
		return nil
	}
	values, ok := whole.Split(p.Value.Text)
	if !ok {
		return &provider.Error{
			Code:     provider.Usage,
			Message:  fmt.Sprintf("%s: %s does not have the form %s", whole.Name, provider.Quote(p.Value.Text), whole.Template),
			Position: p.Value.Pos(),
		}
	}
	for name, value := range values {
		if earlier, ok := b.argSource[name]; ok && b.args[name] != nil && fmt.Sprint(b.args[name]) != value {
			return conflict(name, earlier.Value.Pos(), p.Value.Pos())
		}
		b.args[name], b.argSource[name] = value, p
	}
	return nil
}

// mergeBody puts the attributes given as @name into the body.
func (b *binding) mergeBody() error {
	if len(b.attributes) == 0 {
		return nil
	}
	if b.wholeValue == nil {
		b.wholeValue = map[string]any{}
	}
	merged, ok := b.wholeValue.(map[string]any)
	if !ok {
		return &provider.Error{
			Code:     provider.Usage,
			Message:  fmt.Sprintf("@@%s is no JSON object, and attributes are given beside it", b.whole.Name),
			Position: b.whole.Value.Pos(),
		}
	}
	for name, value := range b.attributes {
		if value == nil {
			continue
		}
		if inside, ok := merged[name]; ok && inside != nil && !sameValue(inside, value) {
			return conflict(name, b.attributeParam(name).Value.Pos(), b.whole.Value.Locate(provider.Path{name}))
		}
		merged[name] = value
	}
	return nil
}

func (b *binding) attributeParam(name string) statement.Param {
	if p, ok := b.given[name]; ok {
		return p
	}
	return b.given[attributePrefix+name]
}

// sameValue reports whether two ways to write a value mean the same: as JSON or as a string
// that holds it.
func sameValue(a, b any) bool {
	return reflect.DeepEqual(unpack(a), unpack(b))
}

func unpack(value any) any {
	text, ok := value.(string)
	if !ok {
		return value
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var inner any
	if dec.Decode(&inner) != nil || dec.More() {
		return value
	}
	return inner
}

// conflict is the error that a parameter is given twice with different values.
func conflict(name string, here, there provider.Position) error {
	return &provider.Error{
		Code:     provider.Usage,
		Message:  fmt.Sprintf("%s is given twice with different values; the other is at line %d, column %d", name, there.Line, there.Column),
		Hint:     "keep one of them",
		Position: here,
	}
}

// unknown is the error that the method has no such parameter.
func (b *binding) unknown(p statement.Param) error {
	hint := b.names()
	if near := provider.Nearest(b.allNames(), p.Name, 3); len(near) > 0 && len(b.allNames()) > 3 {
		hint = "did you mean @" + strings.Join(near, ", @") + "?"
	}
	return &provider.Error{
		Code:     provider.Usage,
		Message:  fmt.Sprintf("%s has no parameter or body attribute %s", b.method.FullName(), provider.Quote(p.Name)),
		Hint:     hint,
		Position: p.Pos,
	}
}

// allNames lists what may be given as @name.
func (b *binding) allNames() []string {
	var names []string
	for _, v := range b.method.ServerVariables() {
		names = append(names, v.Name)
	}
	if b.method.NameParam != nil {
		names = append(names, b.method.NameParam.Name)
	}
	for _, p := range b.method.Params {
		names = append(names, p.Name)
	}
	if b.body != nil {
		for _, p := range b.body.Properties {
			names = append(names, p.Name)
		}
	}
	return names
}

// names words what the method takes.
func (b *binding) names() string {
	names := b.allNames()
	if len(names) == 0 {
		return b.method.FullName() + " takes no parameters"
	}
	return b.method.FullName() + " takes @" + strings.Join(names, ", @")
}

// missing is the error that names every required parameter that was not given, and where each can
// be given; nil if there is none. The deployment name is not among them: without it the
// configured host is called.
func (b *binding) missing() error {
	var names, places []string
	byName := false
	for _, p := range b.method.Params {
		if !p.Required || b.args[p.Name] != nil {
			continue
		}
		names = append(names, p.Name)
		places = append(places, fmt.Sprintf("@%s = '…'", p.Name))
		byName = byName || b.method.NameParam != nil && slices.Contains(b.method.NameParam.Params(), p.Name)
	}
	if byName {
		places = append(places, fmt.Sprintf("the whole name instead: @%s = '%s'", b.method.NameParam.Name, b.method.NameParam.Template))
	}
	body, isObject := b.wholeValue.(map[string]any)
	if b.method.Body != nil && (b.wholeValue == nil || isObject) {
		for _, name := range b.method.Body.RequiredAttributes {
			fromPath := slices.Contains(b.method.BodyFromPath, name) && b.args[name] != nil
			if body[name] == nil && !fromPath {
				names = append(names, name)
				places = append(places, fmt.Sprintf("@%s = '…' or \"%s\" in @@json", name, name))
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	return &provider.Error{
		Code:     provider.Usage,
		Message:  fmt.Sprintf("%s: missing required %s", b.method.FullName(), strings.Join(names, ", ")),
		Hint:     "add " + strings.Join(places, ", "),
		Position: b.where,
	}
}

// call is the binding as the dispatcher takes it.
func (b *binding) call() dispatch.Call {
	return dispatch.Call{Method: b.method, Deployment: b.deployment, Args: b.args, Body: b.wholeValue}
}

// locate finds the place in the statement of what a planning error is about.
func (b *binding) locate(err error) error {
	e, ok := errors.AsType[*provider.Error](err)
	if !ok {
		return err
	}
	if e.Arg != "" {
		if p, ok := b.argSource[e.Arg]; ok {
			return at(err, p.Value.Pos())
		}
		if p, ok := b.given[e.Arg]; ok {
			return at(err, p.Value.Pos())
		}
	}
	if len(e.Path) > 0 {
		name, _ := e.Path[0].(string)
		if _, ok := b.attributes[name]; ok {
			return at(err, b.attributeParam(name).Value.Locate(e.Path[1:]))
		}
	}
	if b.whole != nil && e.Arg == "" {
		return at(err, b.whole.Value.Locate(e.Path))
	}
	return at(err, b.where)
}
