package sdk

import (
	"go/ast"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// call is one function of an implementation while it is read.
type call struct {
	*pkg
	operation *Operation
	request   *Message // nil where the function takes none
	requestID string   // Go name of the field that is filled with a UUID
	response  *Type
	query     map[string]string // of queryParams: Go field to wire name
	masks     map[string]string // local variable with a field mask as JSON to its Go field
	maskName  map[string]string // variable with that JSON's error
	done      bool
}

// readCall reads a function that makes one request. It is nil when the function cannot be read.
func (p *pkg) readCall(group, name string, f *function) *Operation {
	c := &call{
		pkg:       p,
		operation: &Operation{Service: p.service.Name, Group: group, Name: name, Pos: p.pos(f.decl), Account: true},
		query:     map[string]string{},
		masks:     map[string]string{},
		maskName:  map[string]string{},
	}
	c.operation.Deprecated = saysMethodDeprecated(p.docs[group][name])
	if !c.readParameters(f) {
		return nil
	}
	for _, s := range f.decl.Body.List {
		if !c.readStatement(f, s) {
			p.failf(s, "%s: statement of an unknown form", c.operation.ID())
			return nil
		}
	}
	if !c.done {
		p.failf(f.decl, "%s makes no request", c.operation.ID())
		return nil
	}
	return c.operation
}

// readParameters reads (ctx, request T) or (ctx).
func (c *call) readParameters(f *function) bool {
	params := f.decl.Type.Params.List
	switch len(params) {
	case 1:
		return true
	case 2:
		t := c.readTypeOf(f.file, params[1].Type)
		if t.Kind != Named || params[1].Names[0].Name != "request" {
			break
		}
		c.operation.Request = t.Name
		c.request = c.service.Messages[t.Name]
		return c.request != nil || c.service.Aliases[t.Name] != nil
	}
	c.failf(f.decl, "%s: parameters of an unknown form", c.operation.ID())
	return false
}

func (c *call) readStatement(f *function, s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.DeclStmt:
		return c.readResponse(f, s)
	case *ast.AssignStmt:
		if len(s.Lhs) == 1 && len(s.Rhs) == 1 {
			return c.readAssignment(s)
		}
		return c.readMask(s)
	case *ast.IfStmt:
		return c.readCondition(s)
	case *ast.ReturnStmt:
		return c.done
	}
	return false
}

// readResponse reads var branch Branch.
func (c *call) readResponse(f *function, s *ast.DeclStmt) bool {
	d, ok := s.Decl.(*ast.GenDecl)
	if !ok || d.Tok != token.VAR || len(d.Specs) != 1 {
		return false
	}
	v, ok := d.Specs[0].(*ast.ValueSpec)
	if !ok || v.Type == nil || len(v.Values) != 0 {
		return false
	}
	c.response = c.readTypeOf(f.file, v.Type)
	return true
}

func (c *call) readAssignment(s *ast.AssignStmt) bool {
	left, right := text(s.Lhs[0]), text(s.Rhs[0])
	switch {
	case left == "path":
		return c.readPath(s.Rhs[0])
	case left == "queryParams" && right == "make(map[string]any)",
		left == "headers" && right == "make(map[string]string)",
		left == "cfg" && right == "a.client.Config":
		return true
	case left == "err":
		return c.readDo(s.Rhs[0])
	case strings.HasPrefix(left, "headers["):
		return c.readHeader(s)
	case strings.HasPrefix(left, "queryParams["):
		return c.readQueryParam(s)
	}
	return false
}

func (c *call) readHeader(s *ast.AssignStmt) bool {
	name, value := key(s.Lhs[0]), unquoted(s.Rhs[0])
	switch {
	case value == "":
		return false
	case name == "Accept":
		c.operation.Accept = value
	case name == "Content-Type":
		c.operation.ContentType = value
	default:
		return false
	}
	return true
}

// readQueryParam reads queryParams["x"] = request.X, or the same of a mask's JSON without quotes.
func (c *call) readQueryParam(s *ast.AssignStmt) bool {
	name, right := key(s.Lhs[0]), text(s.Rhs[0])
	if field, ok := strings.CutPrefix(right, "request."); ok {
		c.query[field] = name
		return name != ""
	}
	for variable, field := range c.masks {
		if right == "strings.Trim(string("+variable+"), `\"`)" {
			c.query[field] = name
			return name != ""
		}
	}
	return false
}

// readMask reads maskJson, maskError := json.Marshal(request.UpdateMask).
func (c *call) readMask(s *ast.AssignStmt) bool {
	if len(s.Lhs) != 2 || len(s.Rhs) != 1 {
		return false
	}
	field, ok := strings.CutPrefix(text(s.Rhs[0]), "json.Marshal(request.")
	if !ok {
		return false
	}
	c.masks[text(s.Lhs[0])] = strings.TrimSuffix(field, ")")
	c.maskName[text(s.Lhs[1])] = field
	return true
}

// given is the condition under which a query parameter is sent: the field has a value.
var given = regexp.MustCompile(`^request\.(\w+) != (?:""|0|false|nil)(?: \|\| slices\.Contains\(request\.ForceSendFields, "(\w+)"\))?$`)

func (c *call) readCondition(s *ast.IfStmt) bool {
	if s.Init != nil || s.Else != nil || len(s.Body.List) != 1 {
		return false
	}
	condition := text(s.Cond)
	body := s.Body.List[0]
	switch inner := body.(type) {
	case *ast.ReturnStmt:
		variable, ok := strings.CutSuffix(condition, " != nil")
		return ok && c.maskName[variable] != ""
	case *ast.AssignStmt:
		if len(inner.Lhs) != 1 || len(inner.Rhs) != 1 {
			return false
		}
		left, right := text(inner.Lhs[0]), text(inner.Rhs[0])
		if condition == `cfg.WorkspaceID != ""` && left == `headers["X-Databricks-Org-Id"]` && right == "cfg.WorkspaceID" {
			c.operation.Account = false
			return true
		}
		if field, ok := strings.CutPrefix(left, "request."); ok && right == "uuid.New().String()" && condition == left+` == ""` {
			c.requestID = field
			return true
		}
		m := given.FindStringSubmatch(condition)
		if m == nil || m[2] != "" && m[1] != m[2] || right != "request."+m[1] {
			return false
		}
		return c.readQueryParam(inner)
	}
	return false
}

// placeholder matches a placeholder of a path's template.
var placeholder = regexp.MustCompile(`%v`)

// readPath reads a literal, or fmt.Sprintf of a literal and fields of the request.
func (c *call) readPath(e ast.Expr) bool {
	if literal := unquoted(e); literal != "" {
		c.operation.Path = literal
		return true
	}
	sprintf, ok := e.(*ast.CallExpr)
	if !ok || text(sprintf.Fun) != "fmt.Sprintf" || len(sprintf.Args) < 2 {
		return false
	}
	template := unquoted(sprintf.Args[0])
	args := sprintf.Args[1:]
	if len(placeholder.FindAllString(template, -1)) != len(args) || strings.Count(template, "%") != len(args) {
		return false
	}
	for _, arg := range args {
		param := c.readPathParam(arg)
		if param == nil {
			return false
		}
		c.operation.PathParams = append(c.operation.PathParams, param)
		template = strings.Replace(template, "%v", "{"+param.Name+"}", 1)
	}
	c.operation.Path = template
	return true
}

func (c *call) readPathParam(arg ast.Expr) *PathParam {
	if text(arg) == "a.client.ConfiguredAccountID()" {
		return &PathParam{Name: "account_id", Type: &Type{Kind: String}}
	}
	param := &PathParam{}
	if encode, ok := arg.(*ast.CallExpr); ok && text(encode.Fun) == "httpclient.EncodeMultiSegmentPathParameter" && len(encode.Args) == 1 {
		param.MultiSegment = true
		arg = encode.Args[0]
	}
	name, ok := strings.CutPrefix(text(arg), "request.")
	if !ok || c.request == nil {
		return nil
	}
	field, ok := c.request.Field(name)
	if !ok {
		return nil
	}
	param.Field = field.Go
	param.Name = SnakeCase(field.Go)
	if field.JSON != "" {
		param.Name, param.InBody = field.JSON, true
	}
	param.Type, param.Doc, param.Template = field.Type, field.Doc, field.Template
	if c.goText(field.Type) {
		param.Type, param.GoText = &Type{Kind: String}, true
	}
	return param
}

// readDo reads a.client.Do(ctx, method, path, headers, query, data, response).
func (c *call) readDo(e ast.Expr) bool {
	do, ok := e.(*ast.CallExpr)
	if !ok || text(do.Fun) != "a.client.Do" || len(do.Args) != 7 {
		return false
	}
	args := make([]string, len(do.Args))
	for i, a := range do.Args {
		args[i] = text(a)
	}
	method, ok := strings.CutPrefix(args[1], "http.Method")
	if !ok || args[2] != "path" || args[3] != "headers" || args[4] != "queryParams" && args[4] != "nil" {
		return false
	}
	c.operation.Verb = strings.ToUpper(method)
	c.done = true
	return c.readData(args[5]) && c.readAnswer(args[6])
}

// readData decides what travels in the query and what in the body. The SDK's client puts all of
// the request of a GET, DELETE or HEAD into the query, by the fields' url tags, and ignores
// queryParams; for the other verbs it is the other way round.
func (c *call) readData(data string) bool {
	inQuery := c.operation.Verb == "GET" || c.operation.Verb == "DELETE" || c.operation.Verb == "HEAD"
	field, bare := strings.CutPrefix(data, "request.")
	switch {
	case data == "nil":
		c.operation.Body.Kind = NoBody
		// With data absent the client would send the word null beside a query.
		return len(c.query) == 0
	case inQuery && data == "request":
		c.operation.Body.Kind = NoBody
		c.operation.Query = c.urlParams()
		return true
	case inQuery:
		return false
	case bare:
		f, ok := c.request.Field(field)
		if !ok {
			return false
		}
		c.operation.Body = Body{Kind: BareBody, Field: f}
		if f.Type.Kind == Bytes {
			c.operation.Body.Kind = StreamBody
		}
	case data == "request" && c.request == nil: // a map
		c.operation.Body.Kind = WholeBody
		return len(c.query) == 0
	case data == "request":
		c.operation.Body.Kind = WholeBody
		if len(c.request.JSONFields()) == 0 {
			c.operation.Body.Kind = EmptyObject
		}
		if f, ok := c.request.Field(c.requestID); ok && f.JSON != "" {
			c.operation.Body.RequestID = f.JSON
		}
	default:
		return false
	}
	return c.explicitParams()
}

// explicitParams lists the parameters of queryParams, in the order of the request's fields.
func (c *call) explicitParams() bool {
	for _, f := range c.request.Fields {
		name, ok := c.query[f.Go]
		if !ok {
			continue
		}
		c.operation.Query = append(c.operation.Query, &Param{
			Name:      name,
			Fields:    []string{f.Go},
			Type:      f.Type,
			Required:  f.RequiredURL,
			Doc:       f.Doc,
			RequestID: f.Go == c.requestID,
			// The client prints these values with %v.
			GoText: f.Type.Kind == List || f.Type.Kind == Time || f.Type.Kind == Duration || c.goText(f.Type),
		})
	}
	return len(c.operation.Query) == len(c.query)
}

// readAnswer reads the last argument: nil, or a pointer to the response.
func (c *call) readAnswer(arg string) bool {
	r := &c.operation.Response
	if arg == "nil" {
		r.Kind = NoResponse
		return c.response == nil
	}
	if !strings.HasPrefix(arg, "&") || c.response == nil {
		return false
	}
	r.Type = c.response
	if c.response.Kind == List {
		r.Kind = ArrayResponse
		return true
	}
	r.Kind = ObjectResponse
	message, ok := c.api.Message(c.response)
	if !ok {
		return c.response.Kind == Map || c.response.Kind == Named && c.service.Aliases[c.response.Name] != nil
	}
	r.Message = message.Name
	stream := false
	for _, f := range message.Fields {
		if f.Header != "" {
			r.Headers = append(r.Headers, f)
		}
		if f.Type.Kind == Bytes {
			stream = true
		}
	}
	switch {
	case stream:
		r.Kind, r.Type = StreamResponse, nil
	case len(r.Headers) > 0 && len(message.JSONFields()) == 0:
		r.Kind, r.Type = HeaderResponse, nil
	}
	return true
}

// key is the string in headers["x"].
func key(e ast.Expr) string {
	index, ok := e.(*ast.IndexExpr)
	if !ok {
		return ""
	}
	return unquoted(index.Index)
}

// unquoted is the value of a string literal, or empty.
func unquoted(e ast.Expr) string {
	literal, ok := e.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return ""
	}
	value, err := strconv.Unquote(literal.Value)
	if err != nil {
		return ""
	}
	return value
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
