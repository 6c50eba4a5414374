package sdk

import (
	"go/ast"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// readWaiting finds the group's operations that start longer work, by the result types of its API's
// functions: a Wait… that polls a get method, or an …OperationInterface.
func (p *pkg) readWaiting(group string, operations map[string]*Operation) {
	methods := p.methods[group+"API"]
	for _, name := range slices.Sorted(maps.Keys(methods)) {
		f := methods[name]
		o := operations[name]
		if o == nil || f.decl.Type.Results == nil || len(f.decl.Type.Results.List) == 0 {
			continue
		}
		result := f.decl.Type.Results.List[0].Type
		if interfaceName, ok := result.(*ast.Ident); ok && strings.HasSuffix(interfaceName.Name, "OperationInterface") {
			o.Async = p.readAsync(f, interfaceName.Name, operations)
			if o.Async == nil {
				p.failf(f.decl, "%s: operation of an unknown form", o.ID())
			}
			continue
		}
		star, ok := result.(*ast.StarExpr)
		if !ok || !strings.HasPrefix(text(uninstantiated(star.X)), "Wait") {
			continue
		}
		w := &waiting{pkg: p, group: group, operation: o, operations: operations, waiter: &Waiter{Name: text(uninstantiated(star.X))}}
		if !w.read(f) {
			p.failf(f.decl, "%s: waiter of an unknown form", o.ID())
			continue
		}
		o.Waiter = w.waiter
	}
}

// readAsync reads the type behind an …OperationInterface: the method that Wait polls, and its result type.
func (p *pkg) readAsync(f *function, name string, operations map[string]*Operation) *Async {
	name = strings.TrimSuffix(name, "Interface")
	methods := p.methods[strings.ToLower(name[:1])+name[1:]]
	wait, metadata := methods["Wait"], methods["Metadata"]
	if wait == nil || metadata == nil {
		return nil
	}
	async := &Async{}
	for poll, o := range operations {
		if calls(wait.decl, "a.impl."+poll) && o.Request != "" {
			async.Poll = poll
		}
	}
	if results := wait.decl.Type.Results.List; len(results) == 2 {
		async.Result = p.readTypeOf(f.file, results[0].Type)
	}
	if results := metadata.decl.Type.Results.List; len(results) == 2 {
		async.Metadata = p.readTypeOf(f.file, results[0].Type)
	}
	if async.Poll == "" {
		return nil
	}
	return async
}

// waiting is a waiter while it is read.
type waiting struct {
	*pkg
	group      string
	operation  *Operation
	operations map[string]*Operation
	waiter     *Waiter
	polled     *Message          // the poll's response
	fields     map[string]string // parameter of the waiting function to the poll's request field
}

// read reads the function that begins: the call of the waiting function in its Poll.
func (w *waiting) read(f *function) bool {
	wait := w.methods[w.group+"API"][w.waiter.Name]
	if wait == nil || len(f.decl.Type.Params.List) != 2 || !w.readWait(wait) {
		return false
	}
	request := f.decl.Type.Params.List[1].Names[0].Name
	var args []ast.Expr
	ast.Inspect(f.decl.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if text(n.Fun) == "a."+w.waiter.Name {
				args = n.Args
			}
		case *ast.KeyValueExpr:
			if minutes, ok := strings.CutSuffix(text(n.Value), " * time.Minute"); ok && text(n.Key) == "timeout" {
				w.waiter.TimeoutMinutes, _ = strconv.Atoi(minutes)
			}
		}
		return true
	})
	var params []string
	for _, p := range wait.decl.Type.Params.List {
		for _, n := range p.Names {
			params = append(params, n.Name)
		}
	}
	if len(args) != len(params) || w.waiter.TimeoutMinutes == 0 {
		return false
	}
	for i := 1; i < len(args)-2; i++ { // between the context and the timeout with its callback
		if !w.bind(params[i], text(args[i]), request) {
			return false
		}
	}
	return len(w.waiter.Bind) > 0
}

// bind notes where a parameter of the poll comes from: variable.Field.Field.
func (w *waiting) bind(param, from, request string) bool {
	parts := strings.Split(from, ".")
	b := Binding{Response: parts[0] != request}
	poll := w.operations[w.waiter.Poll]
	for _, p := range poll.PathParams {
		if p.Field == w.fields[param] {
			b.Param = p.Name
		}
	}
	for _, q := range poll.Query {
		if len(q.Fields) == 1 && q.Fields[0] == w.fields[param] {
			b.Param = q.Name
		}
	}
	if b.Param == "" || len(parts) < 2 {
		return false
	}
	if !b.Response && len(parts) == 2 {
		for _, p := range w.operation.PathParams {
			if p.Field == parts[1] {
				b.Path = []string{p.Name}
			}
		}
		for _, q := range w.operation.Query {
			if len(q.Fields) == 1 && q.Fields[0] == parts[1] {
				b.Path = []string{q.Name}
			}
		}
	}
	if b.Path == nil {
		t := &Type{Kind: Named, Service: w.service.Name, Name: w.operation.Request}
		if b.Response {
			t = w.operation.Response.Type
		}
		m, _ := w.api.Message(t)
		b.Path = w.jsonPath(m, parts[1:])
	}
	w.waiter.Bind = append(w.waiter.Bind, b)
	return b.Path != nil
}

// jsonPath follows Go fields to their JSON names; nil where there is no such way.
func (w *waiting) jsonPath(m *Message, fields []string) []string {
	var names []string
	for _, name := range fields {
		if m == nil {
			return nil
		}
		f, ok := m.Field(name)
		if !ok || f.JSON == "" {
			return nil
		}
		names = append(names, f.JSON)
		m, _ = w.api.Message(f.Type)
	}
	return names
}

// readWait reads the waiting function: the call that polls, the state in its response, and the
// switch over it.
func (w *waiting) readWait(f *function) bool {
	w.fields = map[string]string{}
	var ok, switched bool
	ast.Inspect(f.decl.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			left := text(n.Lhs[0])
			switch {
			case w.polled == nil && len(n.Lhs) == 2 && len(n.Rhs) == 1:
				ok = w.readPoll(n.Rhs[0])
			case left == "status":
				w.waiter.State = w.stateOf(n.Rhs[0])
			case left == "statusMessage" && w.stateOf(n.Rhs[0]) != nil:
				w.waiter.Message = w.stateOf(n.Rhs[0])
			}
		case *ast.SwitchStmt:
			switched = text(n.Tag) == "status" && w.readCases(n)
			return false
		}
		return true
	})
	return ok && switched && w.waiter.State != nil
}

// readPoll reads a.Get(ctx, GetClusterRequest{ClusterId: clusterId}).
func (w *waiting) readPoll(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok || len(call.Args) != 2 {
		return false
	}
	name, ok := strings.CutPrefix(text(call.Fun), "a.")
	poll := w.operations[name]
	literal, isLiteral := call.Args[1].(*ast.CompositeLit)
	if !ok || poll == nil || !isLiteral {
		return false
	}
	for _, element := range literal.Elts {
		pair, ok := element.(*ast.KeyValueExpr)
		if !ok {
			return false
		}
		w.fields[text(pair.Value)] = text(pair.Key)
	}
	w.waiter.Poll = name
	w.polled, ok = w.api.Message(poll.Response.Type)
	return ok
}

// stateOf reads variable.Field.Field of the poll's response.
func (w *waiting) stateOf(e ast.Expr) []string {
	parts := strings.Split(text(e), ".")
	if len(parts) < 2 || strings.ContainsAny(parts[0], "( ") {
		return nil
	}
	return w.jsonPath(w.polled, parts[1:])
}

// readCases reads the states that end the waiting: the first case is success, others fail.
func (w *waiting) readCases(s *ast.SwitchStmt) bool {
	for _, stmt := range s.Body.List {
		c, ok := stmt.(*ast.CaseClause)
		if !ok || len(c.Body) == 0 {
			return false
		}
		success := len(c.Body) == 1 // returns the response; the others make an error first
		for _, value := range c.List {
			state, ok := w.constants[text(value)]
			if !ok {
				return false
			}
			if success {
				w.waiter.Success = append(w.waiter.Success, state)
			} else {
				w.waiter.Failure = append(w.waiter.Failure, state)
			}
		}
	}
	return len(w.waiter.Success) > 0
}
