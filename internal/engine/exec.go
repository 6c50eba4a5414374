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
	await, err := s.awaits(e.Hints, e.Position)
	if err != nil {
		return nil, err
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
	run := func(ctx context.Context) (provider.Rows, error) {
		rows, err := s.send(ctx, req, await)
		return s.watch(req, rows, err)
	}
	return &plan{run: run, explain: func() ([]step, error) { return []step{b.explain()}, nil }}, nil
}

// send makes a call, and waits for the work that it begins where that is asked for.
func (s *Session) send(ctx context.Context, req *dispatch.Request, await bool) (provider.Rows, error) {
	if await {
		return s.Client.Await(ctx, req)
	}
	return s.Client.Run(ctx, req)
}

// binding is what the parameters of an EXEC mean for its method.
type binding struct {
	session *Session
	method  *provider.Method
	body    *provider.Schema // resolved; nil where the method takes none
	where   provider.Position

	given      map[string]given // by the name written, without prefix
	deployment string
	args       map[string]any
	argSource  map[string]given // of each argument, which may be part of a resource name
	attributes map[string]any   // body attributes given as @name
	whole      *statement.Param // @@json
	wholeValue any
	style      string // how a parameter is written in hints: @%s = '…'
}

// given is a value with its place in the statement.
type given struct {
	name   string
	value  any // as decoding JSON would give it
	named  provider.Position
	pos    provider.Position
	locate func(provider.Path) provider.Position // what a path leads to in the value
}

// execStyle is how an EXEC writes a parameter.
const execStyle = "@%s = '…'"

// deploymentName is the server variable that says which workspace a call goes to.
const deploymentName = "deployment_name"

// attributePrefix may stand before a body attribute's name, as in StackQL's INSERT statements. It
// tells an attribute from a parameter of the same name.
const attributePrefix = "data__"

// newBinding begins to bind parameters to a method, for the place in the statement that names it.
func (s *Session) newBinding(m *provider.Method, where provider.Position) (*binding, error) {
	b := &binding{
		session:    s,
		method:     m,
		where:      where,
		given:      map[string]given{},
		args:       map[string]any{},
		argSource:  map[string]given{},
		attributes: map[string]any{},
		style:      execStyle,
	}
	if m.Body != nil {
		var err error
		if b.body, err = s.Catalogue.Resolve(m, m.Body.Schema); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// bind takes in the parameters of an EXEC.
func (s *Session) bind(m *provider.Method, e *statement.Exec) (*binding, error) {
	b, err := s.newBinding(m, e.Method[0].Pos)
	if err != nil {
		return nil, err
	}
	for _, p := range e.Params {
		if err := b.add(p); err != nil {
			return nil, err
		}
	}
	return b, s.complete(b)
}

// complete works out what follows from the parameters that were taken in, and checks that none is
// missing.
func (s *Session) complete(b *binding) error {
	if err := b.splitName(); err != nil {
		return err
	}
	s.fillAccount(b.method, b.args)
	if err := b.mergeBody(); err != nil {
		return err
	}
	return b.missing()
}

// add takes one parameter in.
func (b *binding) add(p statement.Param) error {
	if p.Value.Kind == statement.Bound {
		value, err := b.session.valueFor(p.Value)
		if err != nil {
			return err
		}
		p.Value = p.Value.With(value)
	}
	if p.Body {
		return b.addWhole(p)
	}
	if p.Value.Kind == statement.String {
		if placeholder, ok := statement.Placeholder(p.Name, p.Value.Text); ok {
			return statement.PlaceholderError(placeholder, p.Value.Pos())
		}
	}
	return b.set(given{name: p.Name, value: p.Value.Any(), named: p.Pos, pos: p.Value.Pos(), locate: p.Value.Locate})
}

// set gives a parameter or body attribute its value.
func (b *binding) set(g given) error {
	if earlier, twice := b.given[g.name]; twice {
		if reflect.DeepEqual(earlier.value, g.value) {
			return nil
		}
		return conflict(g.name, g.pos, earlier.pos)
	}
	b.given[g.name] = g
	switch {
	case b.isVariable(g.name):
		if g.value != nil {
			b.deployment = fmt.Sprint(g.value)
		}
		if g.value == "" {
			return &provider.Error{
				Code:     provider.Usage,
				Message:  g.name + " is empty",
				Hint:     "leave it out to call the configured host",
				Position: g.pos,
			}
		}
	case b.isParam(g.name):
		b.args[g.name], b.argSource[g.name] = g.value, g
	case b.method.NameParam != nil && b.method.NameParam.Name == g.name:
		// taken apart when all parameters are known
	case b.isAttribute(g.name):
		b.attributes[g.name] = g.value
	case b.isAttribute(strings.TrimPrefix(g.name, attributePrefix)):
		b.attributes[strings.TrimPrefix(g.name, attributePrefix)] = g.value
	default:
		return b.unknown(g)
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
	if !ok || b.isParam(whole.Name) || p.value == nil {
		return nil
	}
	text := fmt.Sprint(p.value)
	values, ok := whole.Split(text)
	if !ok {
		return &provider.Error{
			Code:     provider.Usage,
			Message:  fmt.Sprintf("%s: %s does not have the form %s", whole.Name, provider.Quote(text), whole.Template),
			Position: p.pos,
		}
	}
	for name, value := range values {
		if earlier, ok := b.argSource[name]; ok && b.args[name] != nil && fmt.Sprint(b.args[name]) != value {
			return conflict(name, earlier.pos, p.pos)
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
			return conflict(name, b.attributeSource(name).pos, b.whole.Value.Locate(provider.Path{name}))
		}
		merged[name] = value
	}
	return nil
}

func (b *binding) attributeSource(name string) given {
	if g, ok := b.given[name]; ok {
		return g
	}
	if g, ok := b.given[attributePrefix+name]; ok {
		return g
	}
	for written, g := range b.given { // a part of the attribute
		if strings.HasPrefix(strings.TrimPrefix(written, attributePrefix), name+".") {
			return g
		}
	}
	return given{pos: b.where, locate: func(provider.Path) provider.Position { return b.where }}
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
func (b *binding) unknown(g given) error {
	hint := b.names()
	if near := provider.Nearest(b.allNames(), g.name, 3); len(near) > 0 && len(b.allNames()) > 3 {
		hint = "did you mean " + b.join(near) + "?"
	}
	return &provider.Error{
		Code:     provider.Usage,
		Message:  fmt.Sprintf("%s has no parameter or body attribute %s", b.method.FullName(), provider.Quote(g.name)),
		Hint:     hint,
		Position: g.named,
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
	return b.method.FullName() + " takes " + b.join(names)
}

// join lists names as the statement writes them.
func (b *binding) join(names []string) string {
	sign, _, _ := strings.Cut(b.style, "%s")
	return sign + strings.Join(names, ", "+sign)
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
		places = append(places, fmt.Sprintf(b.style, p.Name))
		byName = byName || b.method.NameParam != nil && slices.Contains(b.method.NameParam.Params(), p.Name)
	}
	if byName {
		whole := strings.Replace(fmt.Sprintf(b.style, b.method.NameParam.Name), "…", b.method.NameParam.Template, 1)
		places = append(places, "the whole name instead: "+whole)
	}
	body, isObject := b.wholeValue.(map[string]any)
	if b.method.Body != nil && (b.wholeValue == nil || isObject) {
		for _, name := range b.method.Body.RequiredAttributes {
			fromPath := slices.Contains(b.method.BodyFromPath, name) && b.args[name] != nil
			if body[name] == nil && !fromPath {
				names = append(names, name)
				place := fmt.Sprintf(b.style, name)
				if b.style == execStyle {
					place += fmt.Sprintf(" or %q in @@json", name)
				}
				places = append(places, place)
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
	if b.whole != nil && e.Arg == "" {
		return provider.At(err, b.whole.Value.Locate(e.Path))
	}
	return provider.At(err, b.where)
}
