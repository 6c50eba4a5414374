package sdk

import (
	"go/ast"
	"regexp"
	"strconv"
	"strings"
)

// iterator is a function that iterates over a list, while it is read.
type iterator struct {
	*pkg
	operation *Operation
	request   *Message
	response  *Message
	paging    *Paging
}

// readIterator reads how a list is iterated over.
func (p *pkg) readIterator(o *Operation, f *function) *Paging {
	it := &iterator{pkg: p, operation: o, request: p.service.Messages[o.Request], paging: &Paging{Kind: SinglePage}}
	it.response, _ = p.api.Message(o.Response.Type)
	for _, s := range f.decl.Body.List {
		if !it.readStatement(s) {
			p.failf(s, "%s: iterator of an unknown form", o.ID())
			return nil
		}
	}
	return it.paging
}

func (it *iterator) readStatement(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.ReturnStmt:
		return true
	case *ast.IfStmt: // a limit when the caller gives none
		return it.readLimit(s)
	case *ast.AssignStmt:
		if len(s.Lhs) != 1 || len(s.Rhs) != 1 {
			return false
		}
		left, right := text(s.Lhs[0]), text(s.Rhs[0])
		if field, ok := strings.CutPrefix(left, "request."); ok {
			if field == "ForceSendFields" {
				return true // sends an empty value, which the observer sees
			}
			return it.readFirst(field, right)
		}
		switch left {
		case "request":
			return right == "struct{}{}"
		case "getNextPage", "iterator":
			return true
		case "getItems":
			return it.readItems(s.Rhs[0])
		case "getNextReq":
			return it.readNext(s.Rhs[0])
		case "dedupedIterator":
			return it.readDedupe(s.Rhs[0])
		}
	}
	return false
}

// readFirst reads request.StartIndex = 1.
func (it *iterator) readFirst(field, value string) bool {
	n, err := strconv.Atoi(value)
	if err != nil {
		return false
	}
	it.paging.First = n
	it.paging.Request = it.requestName(field)
	return it.paging.Request != ""
}

// readLimit reads if request.Count == 0 { request.Count = 10000 }.
func (it *iterator) readLimit(s *ast.IfStmt) bool {
	field, ok := strings.CutSuffix(text(s.Cond), " == 0")
	if !ok || s.Else != nil || len(s.Body.List) != 1 {
		return false
	}
	set, ok := s.Body.List[0].(*ast.AssignStmt)
	if !ok || text(set.Lhs[0]) != field {
		return false
	}
	n, err := strconv.Atoi(text(set.Rhs[0]))
	if err != nil {
		return false
	}
	it.paging.LimitValue = n
	it.paging.Limit = it.requestName(strings.TrimPrefix(field, "request."))
	return it.paging.Limit != ""
}

// readItems reads func(resp) { return resp.Branches }, or return resp of a bare array.
func (it *iterator) readItems(e ast.Expr) bool {
	f, ok := e.(*ast.FuncLit)
	if !ok || len(f.Body.List) != 1 {
		return false
	}
	result, ok := f.Body.List[0].(*ast.ReturnStmt)
	if !ok || len(result.Results) != 1 {
		return false
	}
	from := text(result.Results[0])
	if from == "resp" || from == "*resp" {
		return it.operation.Response.Kind == ArrayResponse
	}
	field, ok := strings.CutPrefix(from, "resp.")
	if !ok {
		return false
	}
	it.paging.Items = it.responseName(field)
	return it.paging.Items != ""
}

var (
	nextToken  = regexp.MustCompile(`^request\.(\w+) = resp\.(\w+)$`)
	nextOffset = regexp.MustCompile(`^request\.(\w+) = resp\.(\w+) \+ int64\(len\(resp\.(\w+)\)\)$`)
	nextPage   = regexp.MustCompile(`^request\.(\w+) = resp\.(\w+) \+ 1$`)
	nextWhole  = regexp.MustCompile(`^request = \*resp\.(\w+)$`)
	absent     = regexp.MustCompile(`^resp\.(\w+) == (?:""|nil)$`)
)

// readNext reads the function that makes the next request of a response: the condition for the last page,
// and an assignment.
func (it *iterator) readNext(e ast.Expr) bool {
	f, ok := e.(*ast.FuncLit)
	if !ok || len(f.Body.List) != 3 {
		return false
	}
	end, ok := f.Body.List[0].(*ast.IfStmt)
	if !ok {
		return false
	}
	set, ok := f.Body.List[1].(*ast.AssignStmt)
	if !ok || len(set.Lhs) != 1 || len(set.Rhs) != 1 {
		return false
	}
	condition, next := text(end.Cond), text(set.Lhs[0])+" = "+text(set.Rhs[0])
	p := it.paging
	p.UntilEmpty = condition == "len(getItems(resp)) == 0"
	last := absent.FindStringSubmatch(condition)
	if m := nextWhole.FindStringSubmatch(next); m != nil && last != nil && last[1] == m[1] {
		p.Kind, p.Response = RequestPaging, it.responseName(m[1])
		return p.Response != ""
	}
	request := p.Request
	if m := nextToken.FindStringSubmatch(next); m != nil && last != nil && last[1] == m[2] {
		p.Kind, p.Request, p.Response = TokenPaging, it.requestName(m[1]), it.responseName(m[2])
		return p.Request != "" && p.Response != "" && p.First == 0
	}
	if m := nextOffset.FindStringSubmatch(next); m != nil && p.UntilEmpty {
		p.Kind, p.Request, p.Response = OffsetPaging, it.requestName(m[1]), it.responseName(m[2])
		return p.Request == request && p.Response != "" && it.responseName(m[3]) == p.Items
	}
	if m := nextPage.FindStringSubmatch(next); m != nil && p.UntilEmpty {
		p.Kind, p.Request, p.Response = PagePaging, it.requestName(m[1]), it.responseName(m[2])
		return p.Request == request && p.Response != ""
	}
	return false
}

// readDedupe reads listing.NewDedupeIterator[T, string](iterator, func(item T) string { return item.Id }).
func (it *iterator) readDedupe(e ast.Expr) bool {
	c, ok := e.(*ast.CallExpr)
	if !ok || text(uninstantiated(c.Fun)) != "listing.NewDedupeIterator" || len(c.Args) != 2 {
		return false
	}
	f, ok := c.Args[1].(*ast.FuncLit)
	if !ok || len(f.Body.List) != 1 {
		return false
	}
	result, ok := f.Body.List[0].(*ast.ReturnStmt)
	if !ok {
		return false
	}
	name, ok := strings.CutPrefix(text(result.Results[0]), "item.")
	if !ok {
		return false
	}
	items, ok := fieldByJSON(it.response, it.paging.Items)
	if !ok || items.Type.Kind != List {
		return false
	}
	item, ok := it.api.Message(items.Type.Elem)
	if !ok {
		return false
	}
	field, ok := item.Field(name)
	if !ok {
		return false
	}
	it.paging.Dedupe = field.JSON
	return field.JSON != ""
}

// requestName is the wire name of a field of the request: of the query's parameter or the body's
// attribute.
func (it *iterator) requestName(field string) string {
	for _, q := range it.operation.Query {
		if len(q.Fields) == 1 && q.Fields[0] == field {
			return q.Name
		}
	}
	if it.request == nil {
		return ""
	}
	if f, ok := it.request.Field(field); ok {
		return f.JSON
	}
	return ""
}

func (it *iterator) responseName(field string) string {
	if it.response == nil {
		return ""
	}
	if f, ok := it.response.Field(field); ok {
		return f.JSON
	}
	return ""
}

func fieldByJSON(m *Message, name string) (*Field, bool) {
	if m == nil {
		return nil, false
	}
	for _, f := range m.Fields {
		if f.JSON == name {
			return f, true
		}
	}
	return nil, false
}

// unpaged finds the fields of token paging in an operation that has no iterator.
func (p *pkg) unpaged(o *Operation) *Paging {
	it := &iterator{pkg: p, operation: o, request: p.service.Messages[o.Request]}
	it.response, _ = p.api.Message(o.Response.Type)
	request, response := it.requestName("PageToken"), it.responseName("NextPageToken")
	if request == "" || response == "" {
		return nil
	}
	return &Paging{Kind: TokenPaging, Request: request, Response: response}
}
