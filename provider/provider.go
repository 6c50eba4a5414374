// Package provider is lakeql's vocabulary: the parts of a StackQL-style provider, and the values that
// flow through the program when a statement calls one of its methods.
//
// A provider (databricks_workspace) has services (postgres), a service has resources
// (postgres_credentials), a resource has methods (generate). Each method is one operation of an
// OpenAPI document. A call of a method takes arguments and returns [Rows] or an [Error]. Everything
// else in this repository is built around these types, and this package imports none of it.
//
// Start with [Catalogue] to find a method by its name, [Method] to see its parameters and columns.
package provider

import (
	"slices"
	"strings"
	"time"
)

// Loader reads the parts of a catalogue when they are first asked for. Names are exact here:
// [Catalogue] deals with case and with names that do not exist.
type Loader interface {
	// Providers returns every provider, sorted by name, with its services listed.
	Providers() ([]*Provider, error)
	// Service returns the service's header, its resources listed by name.
	Service(provider, service string) (*Service, error)
	// Resource returns the resource with its methods.
	Resource(provider, service, resource string) (*Resource, error)
	// Schema returns a shared schema of the service by its name in components.schemas.
	Schema(provider, service, name string) (*Schema, error)
	// FormerNames returns the names of the provider's methods in earlier documents that are not
	// theirs today.
	FormerNames(provider string) ([]FormerName, error)
}

// Provider is the root of one set of documents.
type Provider struct {
	Name        string         `json:"name"`
	ID          string         `json:"id,omitempty"`
	Title       string         `json:"title,omitempty"`
	Version     string         `json:"version"`
	Description string         `json:"description,omitempty"`
	Services    []*ServiceInfo `json:"services"`
	// Tenant declares the provider's tenants; nil if it has none.
	Tenant *Tenant `json:"tenant,omitempty"`
	// Source is what the documents were made of; nil if they do not say it.
	Source *Source `json:"source,omitempty"`
}

// Source is a version of the description of an API.
type Source struct {
	Name    string `json:"name"` // such as the path of a Go module
	Version string `json:"version"`
	Date    string `json:"date,omitempty"` // 2026-09-21
}

// Tenant declares a provider's tenants, such as the workspaces of an account: the server variable that
// names one, and the resource that lists them.
type Tenant struct {
	Variable string `json:"variable"` // of the servers' URLs: deployment_name
	List     string `json:"list"`     // full name of the resource that lists the tenants
	Column   string `json:"column"`   // its column with the variable's values
	Label    string `json:"label"`    // its column with the tenants' names for people
}

// ServiceInfo describes a service in its provider's list, before its document is read.
type ServiceInfo struct {
	Name        string `json:"name"`
	ID          string `json:"id"`
	Title       string `json:"title,omitempty"`
	Version     string `json:"version,omitempty"`
	Description string `json:"description,omitempty"`
	Preferred   bool   `json:"preferred,omitempty"`
}

// Service is one OpenAPI document.
type Service struct {
	Provider  string          `json:"provider"`
	Name      string          `json:"name"`
	Resources []*ResourceInfo `json:"resources"`

	former bool // it was found by a former name
}

// ResourceInfo describes a resource in its service's list, before its methods are read.
type ResourceInfo struct {
	Name        string `json:"name"`
	ID          string `json:"id"`
	Description string `json:"description,omitempty"`
}

// Resource is a table-like thing of the API, or a view over such.
type Resource struct {
	Provider    string    `json:"provider"`
	Service     string    `json:"service"`
	Name        string    `json:"name"`
	ID          string    `json:"id"`
	Title       string    `json:"title,omitempty"`
	Description string    `json:"description,omitempty"`
	Methods     []*Method `json:"methods,omitempty"`
	View        *View     `json:"view,omitempty"`

	former []formerMethod // of Methods, if it was found by a former name
	shared bool           // the name is another resource's today
}

// FullName is provider.service.resource, as statements write it.
func (r *Resource) FullName() string { return r.Provider + "." + r.Service + "." + r.Name }

// MethodsFor lists the methods reached by an SQL verb, in document order.
func (r *Resource) MethodsFor(verb SQLVerb) []*Method {
	var found []*Method
	for _, m := range r.Methods {
		if m.SQLVerb == verb {
			found = append(found, m)
		}
	}
	return found
}

// SelectMethods lists the methods that SELECT calls: those that the verb lists or, if it lists none,
// those that are [Method.Selectable].
func (r *Resource) SelectMethods() []*Method {
	if listed := r.MethodsFor(Select); len(listed) > 0 {
		return listed
	}
	return r.Selectable()
}

// Selectable lists the methods that are [Method.Selectable], in document order.
func (r *Resource) Selectable() []*Method {
	var found []*Method
	for _, m := range r.Methods {
		if m.Selectable {
			found = append(found, m)
		}
	}
	return found
}

// View is a resource that is an SQL query over others.
type View struct {
	// Definitions hold the query in each dialect of the document, in the document's order.
	Definitions []ViewDefinition `json:"definitions"`
	// Fields and RequiredParams come from the document's config.docs; they are for readers.
	Fields         []ViewField `json:"fields,omitempty"`
	RequiredParams []ViewField `json:"required_params,omitempty"`
}

// ViewDefinition is a view's query in one SQL dialect.
type ViewDefinition struct {
	Dialect string `json:"dialect,omitempty"`
	SQL     string `json:"sql"`
}

// ViewField describes a column or a parameter of a view.
type ViewField struct {
	Name        string `json:"name"`
	Type        string `json:"type,omitempty"`
	Description string `json:"description,omitempty"`
}

// SQLVerb is the SQL statement that reaches a method. A method that no SQL verb lists is reached
// by EXEC; so is every other, by its name.
type SQLVerb string

// The verbs, in the order in which pages and SHOW METHODS list them.
const (
	Select  SQLVerb = "select"
	Insert  SQLVerb = "insert"
	Update  SQLVerb = "update"
	Replace SQLVerb = "replace"
	Delete  SQLVerb = "delete"
	Exec    SQLVerb = "exec"
)

// SQLVerbs returns every verb in listing order.
func SQLVerbs() []SQLVerb { return []SQLVerb{Select, Insert, Update, Replace, Delete, Exec} }

// Method is one operation of the API.
type Method struct {
	Resource    string  `json:"-"` // full name of the resource, set on loading
	Name        string  `json:"name"`
	SQLVerb     SQLVerb `json:"sql_verb"`
	OperationID string  `json:"operation_id,omitempty"`
	Description string  `json:"description,omitempty"`
	Deprecated  bool    `json:"deprecated,omitempty"`
	// Meant describes the operation that the method's name had in earlier documents, if that was another
	// one: its full present name, or its request.
	Meant string `json:"meant,omitempty"`
	// Ignored are parameters that statements may give and that have no effect: those of the provider under
	// whose name the method was found, if it is another one today.
	Ignored []string `json:"-"`
	// Wait says how to wait for work that goes on after the answer; nil if none does.
	Wait *Wait `json:"wait,omitempty"`
	// Completion says how to complete items of a list that come in part; nil if all come whole.
	Completion *Completion `json:"completion,omitempty"`

	Verb    string      `json:"verb"` // HTTP method, upper case
	Path    string      `json:"path"` // with {parameters}
	Servers []Server    `json:"servers,omitempty"`
	Params  []Parameter `json:"params,omitempty"` // in document order
	// NameParam is the whole resource name that stands in for the path parameters it is made of.
	NameParam *NameParam `json:"name_param,omitempty"`
	// Selectable is set if a SELECT may make the call although no SELECT lists the method and its verb
	// is POST: the call reads, or makes a credential that expires, and changes no resource.
	Selectable bool `json:"selectable,omitempty"`
	// Connects says what a call connects to in place of sending a request to the API, and what that does
	// there. Empty for operations of the API. No document has it: who adds the method also answers it.
	Connects string `json:"-"`
	// BodyFromPath names parameters of the path that are sent as attributes of the body as well.
	BodyFromPath []string `json:"body_from_path,omitempty"`
	// BodyName is the name that the whole body has in the SDK's request, such as branch; empty if the
	// request itself is the body.
	BodyName string    `json:"body_name,omitempty"`
	Body     *Body     `json:"body,omitempty"`
	Response *Response `json:"response,omitempty"`
	Paging   *Paging   `json:"paging,omitempty"`
}

// FullName is provider.service.resource.method, as EXEC writes it.
func (m *Method) FullName() string { return m.Resource + "." + m.Name }

// LongRunning reports whether the answer comes before the work is done.
func (m *Method) LongRunning() bool { return m.Wait != nil }

// Takes finds an operation parameter by its name or by one of its [Parameter.Spellings].
func (m *Method) Takes(name string) (*Parameter, bool) {
	if p, ok := m.Param(name); ok || name == "" {
		return p, ok
	}
	for i := range m.Params {
		if slices.Contains(m.Params[i].Spellings(), name) {
			return &m.Params[i], true
		}
	}
	return nil, false
}

// Parts returns the parameters that are attributes of an object with a name: of filter_by, the parameter
// filter_by.statuses.
func (m *Method) Parts(name string) []*Parameter {
	var parts []*Parameter
	for i := range m.Params {
		if name != "" && strings.HasPrefix(m.Params[i].Name, name+".") {
			parts = append(parts, &m.Params[i])
		}
	}
	return parts
}

// Param finds an operation parameter by its exact name.
func (m *Method) Param(name string) (*Parameter, bool) {
	for i := range m.Params {
		if m.Params[i].Name == name {
			return &m.Params[i], true
		}
	}
	return nil, false
}

// ServerVariables returns the variables of the first server, the one that calls go to.
func (m *Method) ServerVariables() []Variable {
	if len(m.Servers) == 0 {
		return nil
	}
	return m.Servers[0].Variables
}

// RequiredParams names the required parameters in StackQL's order: operation parameters, then server
// variables, then attributes of the body.
func (m *Method) RequiredParams() []string {
	var names []string
	for _, p := range m.Params {
		if p.Required {
			names = append(names, p.Name)
		}
	}
	for _, v := range m.ServerVariables() {
		names = append(names, v.Name)
	}
	if m.Body != nil && m.SQLVerb != Select && m.SQLVerb != Delete {
		names = append(names, m.Body.RequiredAttributes...)
	}
	return names
}

// Server is where an operation is served.
type Server struct {
	URL       string     `json:"url"`
	Variables []Variable `json:"variables,omitempty"`
}

// Variable is a {variable} in a server's URL.
type Variable struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	Default     string `json:"default,omitempty"`
	// Notes are all keys of the variable but its description, in document order, for readers.
	Notes []Note `json:"notes,omitempty"`
}

// Note is a key of a document with its value as text: lists as [a, b], objects as JSON.
type Note struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Location is where a parameter travels.
type Location string

// The locations that OpenAPI has, without cookies, which the API does not use.
const (
	InPath   Location = "path"
	InQuery  Location = "query"
	InHeader Location = "header"
)

// Parameter is an operation's parameter.
type Parameter struct {
	Name        string   `json:"name"`
	In          Location `json:"in"`
	Required    bool     `json:"required,omitempty"`
	Deprecated  bool     `json:"deprecated,omitempty"`
	Description string   `json:"description,omitempty"`
	Example     string   `json:"example,omitempty"`
	// MultiSegment is set for a path parameter whose slashes stay slashes (a file's path).
	MultiSegment bool `json:"multi_segment,omitempty"`
	// Escaped is set for a path parameter whose slashes and other marks are sent as percent-escapes.
	Escaped bool `json:"escaped,omitempty"`
	// RequestID is set where a fresh UUID is sent unless one is given, so that the server can tell
	// a repetition from a second request.
	RequestID bool `json:"request_id,omitempty"`
	// Default is sent unless a value is given; empty for none.
	Default string `json:"default,omitempty"`
	// FromConfig names the setting that supplies the parameter if a statement does not: account, the
	// id of the credentials' account; empty for none.
	FromConfig string `json:"from_config,omitempty"`
	// Former are names of the parameter in earlier documents.
	Former []string `json:"former,omitempty"`
	// Shared is set for a parameter that the path declares for all of its operations.
	Shared bool    `json:"shared,omitempty"`
	Schema *Schema `json:"schema,omitempty"`
}

// Spellings are the other names under which statements may give the parameter: [Parameter.Spelling], and
// those of earlier documents.
func (p *Parameter) Spellings() []string {
	if other := p.Spelling(); other != "" {
		return append([]string{other}, p.Former...)
	}
	return p.Former
}

// Spelling is the other name under which statements may give the parameter, as StackQL's documents
// spell it: with underscores instead of capitals, excluded_attributes for excludedAttributes. It is
// empty for a name without capitals.
func (p *Parameter) Spelling() string {
	var b strings.Builder
	for i, r := range p.Name {
		if 'A' <= r && r <= 'Z' {
			if i > 0 {
				b.WriteByte('_')
			}
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	if b.String() == p.Name {
		return ""
	}
	return b.String()
}

// NameParam says that the path parameters of an operation, joined by Template, are a resource
// name of the API, such as projects/p/branches/b, and may be given whole under Name.
type NameParam struct {
	Name     string `json:"name"`     // "name" or "parent"
	Template string `json:"template"` // projects/{project_id}/branches/{branch_id}
}

// Split takes a resource name apart: the values of the template's parameters by name. It is
// false where the name does not have the template's form.
func (n *NameParam) Split(name string) (map[string]string, bool) {
	pattern, given := strings.Split(n.Template, "/"), strings.Split(name, "/")
	if len(pattern) != len(given) {
		return nil, false
	}
	values := map[string]string{}
	for i, segment := range pattern {
		param, isParam := cutBraces(segment)
		switch {
		case isParam && given[i] != "":
			values[param] = given[i]
		case !isParam && given[i] == segment:
		default:
			return nil, false
		}
	}
	return values, true
}

// Params names the template's parameters in order.
func (n *NameParam) Params() []string {
	var names []string
	for segment := range strings.SplitSeq(n.Template, "/") {
		if name, ok := cutBraces(segment); ok {
			names = append(names, name)
		}
	}
	return names
}

func cutBraces(segment string) (string, bool) {
	inner, opened := strings.CutPrefix(segment, "{")
	inner, closed := strings.CutSuffix(inner, "}")
	return inner, opened && closed
}

// Body is the request body of an operation.
type Body struct {
	MediaType string  `json:"media_type"`
	Required  bool    `json:"required,omitempty"`
	Schema    *Schema `json:"schema"`
	// RequiredAttributes repeats the schema's required list, so that listing methods need not
	// read schemas.
	RequiredAttributes []string `json:"required_attributes,omitempty"`
}

// IsJSON reports whether bodies of a media type are JSON, as they are where a document names none.
// Others are bytes.
func IsJSON(mediaType string) bool { return mediaType == "" || strings.Contains(mediaType, "json") }

// Response describes the successful answer of an operation.
type Response struct {
	Description string  `json:"description,omitempty"`
	MediaType   string  `json:"media_type,omitempty"`
	Schema      *Schema `json:"schema,omitempty"`
	// ObjectKey names the attribute that holds the rows: "$.projects". Empty: the response itself.
	ObjectKey string `json:"object_key,omitempty"`
	// Headers are the headers of the response that carry part of the answer.
	Headers []Property `json:"headers,omitempty"`
}

// PagingKind is how a list goes on.
type PagingKind string

// The kinds of paging that the API has.
const (
	ByToken       PagingKind = ""             // the response's token is sent with the next request
	ByOffset      PagingKind = "offset"       // the next position is the response's plus the number of items
	ByPage        PagingKind = "page"         // the next page number is the response's plus one
	ByNextRequest PagingKind = "next-request" // the response holds the next request's body
	ByMerging     PagingKind = "merge"        // one object, whose lists go on in the next response
)

// Paging says how to request the next page of a list.
type Paging struct {
	Kind PagingKind `json:"kind,omitempty"`
	// RequestToken is the parameter that selects the next page. RequestIn is its place: InQuery,
	// InHeader, or empty for an attribute of the body.
	RequestToken string   `json:"request_token,omitempty"`
	RequestIn    Location `json:"request_in,omitempty"`
	// ResponseToken is the attribute of the response that holds the start of the next page: a token,
	// a position, a page number, or a request.
	ResponseToken string `json:"response_token,omitempty"`
	// Items is the attribute of the response that holds the items which positions count.
	Items string `json:"items,omitempty"`
	// First is the position or number of the first page.
	First int `json:"first,omitempty"`
	// Limit is the parameter for the size of a page, which is sent as LimitValue unless given.
	Limit      string `json:"limit,omitempty"`
	LimitValue int    `json:"limit_value,omitempty"`
	// Lists are the lists that a merge joins, as paths with dots; a|b: the one of them that the first
	// page has items in.
	Lists []string `json:"lists,omitempty"`
	// Dedupe is the attribute by which items that arrive twice are recognised. Items arrive twice if
	// positions shift while a list is read.
	Dedupe string `json:"dedupe,omitempty"`
}

// WaitKind is the way in which the end of work is recognised.
type WaitKind string

// The kinds of waiting that the API has.
const (
	// ForOperation waits for an operation, {name, done, error, response, metadata}. If done is true,
	// the operation has ended with either error or response.
	ForOperation WaitKind = "operation"
	// ForState waits until a resource is in one of some states.
	ForState WaitKind = "state"
)

// Wait says how to wait for the end of the work that a method begins.
type Wait struct {
	Kind WaitKind `json:"kind"`
	// Poll is the full name of the method that returns the state of the work.
	Poll string `json:"poll"`
	// Bind holds a value for every parameter that the poll requires. Server variables are not among
	// them: the poll takes those of the call.
	Bind []Binding `json:"bind"`
	// Result is the schema of a finished operation's response; nil if the response is empty, and for
	// states, whose last polled answer is the result.
	Result *Schema `json:"result,omitempty"`
	// State and Message are attributes of the poll's answer, as paths with dots. Message may be
	// empty. Both are empty for operations.
	State   string `json:"state,omitempty"`
	Message string `json:"message,omitempty"`
	// Success and Failure are the states that end the waiting. In any other the work goes on.
	Success []string `json:"success,omitempty"`
	Failure []string `json:"failure,omitempty"`
	// Timeout is how long to wait at most; 0 means without bound. In JSON it is nanoseconds.
	Timeout time.Duration `json:"timeout,omitempty"`
}

// Completion says how to complete the items of a list that come in part, such as a job with its first
// 100 tasks.
type Completion struct {
	// Get is the full name of the method that returns one item whole. The lists that it merges, by its
	// Paging, take the place of the item's.
	Get string `json:"get"`
	// Bind holds a value for every parameter that Get requires, as [Wait.Bind] does. FromResponse is
	// the item.
	Bind []Binding `json:"bind"`
	// More is the attribute of an item that is true if the item comes in part.
	More string `json:"more"`
	// If is a parameter of the list, which must be true. The lists of the items are left out otherwise.
	If string `json:"if,omitempty"`
}

// BindingSource is where the value of a poll's parameter comes from.
type BindingSource string

// The sources of values: the request of the call that began the work, and its answer.
const (
	FromRequest  BindingSource = "request"
	FromResponse BindingSource = "response"
)

// Binding sets the value of a parameter of a poll.
type Binding struct {
	Param string        `json:"param"` // of the poll: a parameter, or its NameParam
	From  BindingSource `json:"from"`
	// Path leads to the value, with dots. In a request it is a parameter's name or leads into the body.
	Path string `json:"path"`
}
