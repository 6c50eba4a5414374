package sdk

import (
	"errors"
	"go/ast"
	"strings"
	"unicode"
)

// Observer supplies the half of an operation that the source does not show: its requests.
type Observer interface {
	// Observe sets Account, Verb, Path, PathParams, Query, Accept, ContentType and Body of an operation
	// with known names and types. It returns [ErrUnreached] if no client of the SDK offers the operation.
	Observe(api *API, o *Operation) error
}

// ErrUnreached means that no client of the SDK offers an operation, so that nobody can call it.
var ErrUnreached = errors.New("no client of the SDK offers the operation")

// readCall reads the signature of a function that makes one request. It is nil if the function
// cannot be read.
func (p *pkg) readCall(group, name string, f *function) *Operation {
	o := &Operation{Service: p.service.Name, Group: group, Name: name, Pos: p.pos(f.decl)}
	o.Deprecated = saysMethodDeprecated(p.docs[group][name])
	if !p.readRequest(o, f) || !p.readResponse(o, f) {
		p.failf(f.decl, "%s: parameters or results of an unknown form", o.ID())
		return nil
	}
	return o
}

// readRequest reads the parameters (ctx, request T) or (ctx).
func (p *pkg) readRequest(o *Operation, f *function) bool {
	params := f.decl.Type.Params.List
	switch len(params) {
	case 1:
		return true
	case 2:
		t := p.readTypeOf(f.file, params[1].Type)
		if t.Kind != Named || t.Service != p.service.Name {
			return false
		}
		o.Request = t.Name
		return p.service.Messages[t.Name] != nil || p.service.Aliases[t.Name] != nil
	}
	return false
}

// readResponse reads the results (*T, error) or (error).
func (p *pkg) readResponse(o *Operation, f *function) bool {
	results := f.decl.Type.Results
	if results == nil || text(results.List[len(results.List)-1].Type) != "error" {
		return false
	}
	r := &o.Response
	if len(results.List) == 1 {
		r.Kind = NoResponse
		return true
	}
	if len(results.List) != 2 {
		return false
	}
	r.Type = p.readTypeOf(f.file, results.List[0].Type)
	if r.Type.Kind == List {
		r.Kind = ArrayResponse
		return true
	}
	r.Kind = ObjectResponse
	message, ok := p.api.Message(r.Type)
	if !ok {
		return r.Type.Kind == Map || r.Type.Kind == Named && p.service.Aliases[r.Type.Name] != nil
	}
	r.Message = message.Name
	stream := false
	for _, f := range message.Fields {
		if f.Header != "" {
			r.Headers = append(r.Headers, f)
		}
		stream = stream || f.Type.Kind == Bytes
	}
	switch {
	case stream:
		r.Kind, r.Type = StreamResponse, nil
	case len(r.Headers) > 0 && len(message.JSONFields()) == 0:
		r.Kind, r.Type = HeaderResponse, nil
	}
	return true
}

// calls reports whether the function's body calls something of that name.
func calls(d *ast.FuncDecl, name string) bool {
	found := false
	ast.Inspect(d.Body, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && text(uninstantiated(call.Fun)) == name {
			found = true
		}
		return !found
	})
	return found
}

// uninstantiated drops the type arguments of a generic function.
func uninstantiated(e ast.Expr) ast.Expr {
	switch e := e.(type) {
	case *ast.IndexExpr:
		return e.X
	case *ast.IndexListExpr:
		return e.X
	}
	return e
}

// SnakeCase turns a Go name of the SDK into the API's notation: ClusterId is cluster_id, and
// GetCDFConfigs is get_cdf_configs.
func SnakeCase(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if unicode.IsUpper(r) && i > 0 {
			lower := unicode.IsLower(runes[i-1]) || unicode.IsDigit(runes[i-1])
			ends := i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if lower || unicode.IsUpper(runes[i-1]) && ends {
				b.WriteByte('_')
			}
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
