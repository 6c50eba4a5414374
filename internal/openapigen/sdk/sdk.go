// Package sdk reads the official Databricks SDK for Go and returns it as data: the operations of the API,
// the requests and responses of each, and the types of both.
//
// The source supplies names, types and comments, and how the SDK iterates over lists and waits for work. An
// [Observer] supplies the requests: it runs the SDK's clients. The package never guesses, because users
// would notice a nearly right document only when they lose data: an unknown form is an error with its file
// and line.
//
// [Read] returns an [API]: services, their groups of operations, their messages (structs that are sent as
// JSON) and enums. From comments it keeps facts that types do not carry: that a field is read-only, that a
// string is a resource name of some form.
package sdk

import (
	"slices"
	"strings"
)

// API is everything that was read.
type API struct {
	Services []*Service // by name
	// Version and Date are those of the SDK's newest release by its changelog: v0.182.0 and 2026-09-21. They
	// are empty if it has none.
	Version, Date string
	// Unreached lists the IDs of operations in the source that no client of the SDK offers.
	Unreached []string
}

// Service finds a service by its name.
func (a *API) Service(name string) (*Service, bool) {
	i, ok := slices.BinarySearchFunc(a.Services, name, func(s *Service, n string) int { return strings.Compare(s.Name, n) })
	if !ok {
		return nil, false
	}
	return a.Services[i], true
}

// Operations returns the operations of all services, by service, group and name.
func (a *API) Operations() []*Operation {
	var all []*Operation
	for _, s := range a.Services {
		all = append(all, s.Operations...)
	}
	return all
}

// Service is one package of the SDK.
type Service struct {
	Name       string
	Operations []*Operation // by group and name
	Messages   map[string]*Message
	Enums      map[string]*Enum
	// Aliases are named types that are neither: maps that travel as they are.
	Aliases map[string]*Type
}

// Groups names the groups of the service's operations, in order.
func (s *Service) Groups() []string {
	var names []string
	for _, o := range s.Operations {
		names = append(names, o.Group)
	}
	return slices.Compact(names)
}

// Operation is one call of the API.
type Operation struct {
	Service string
	Group   string // Clusters, as in ClustersAPI
	Name    string // ListNodeTypes
	Pos     string // file:line of the implementation

	// Account is set for an operation of an account: it is sent to the account's console and
	// carries no workspace id.
	Account    bool
	Deprecated bool

	Verb string // GET, HEAD, POST, PUT, PATCH, DELETE
	// Path has the parameters' names in braces: /api/2.0/postgres/{parent}/branches.
	Path       string
	PathParams []*PathParam // as they stand in Path
	Query      []*Param     // in the order of the request's fields
	// Accept and ContentType are headers that the operation sets. An empty Accept is sent as
	// application/json all the same; an empty ContentType depends on the body.
	Accept      string
	ContentType string

	Request  string // the request's message, if there is one
	Body     Body
	Response Response
	Paging   *Paging // how the SDK iterates; nil where it does not
	// Unpaged is token paging that the request and the response have fields for and that the SDK
	// does not iterate over: callers get the first page only.
	Unpaged *Paging
	Async   *Async
	Waiter  *Waiter
}

// ID is the operation's name among all: postgres.Postgres.CreateBranch.
func (o *Operation) ID() string { return o.Service + "." + o.Group + "." + o.Name }

// PathParam is a parameter of the path.
type PathParam struct {
	Name string // snake case; account_id for the account of the configuration
	// Field is the request's field; empty for the account's id.
	Field string
	Type  *Type
	Doc   string
	// Template is the form of a resource name in the field's comment, such as projects/{project_id}.
	// Such a parameter stands for several segments of the real path.
	Template string
	// InBody is set where the field is also an attribute of the body.
	InBody bool
	// MultiSegment is set where slashes of the value stay slashes: the path of a file.
	MultiSegment bool
	// Escaped is set where the SDK writes slashes and other marks of the value as percent-escapes.
	Escaped bool
	// GoText is set if the field is a struct, which the SDK sends in Go's notation. A server reads text
	// in a path, so Type is text too.
	GoText bool
}

// Param is a parameter of the query.
type Param struct {
	Name     string // filter_by.statuses where structs are nested
	Fields   []string
	Type     *Type
	Required bool
	Doc      string
	// RequestID is set if the SDK fills in a new UUID for an empty field.
	RequestID bool
	// Default is the value that the SDK sends if the caller supplies none; empty for none.
	Default string
	// GoText is set where the SDK sends Go's notation of a struct, which no server can read: a
	// list of structs in a query.
	GoText bool
	// Beyond is set if an overlay has added the parameter, with Doc as its description.
	Beyond bool
}

// BodyKind is the kind of an operation's request body.
type BodyKind string

// The kinds of bodies.
const (
	NoBody      BodyKind = "none"
	WholeBody   BodyKind = "whole"  // the request without its path and query parameters
	BareBody    BodyKind = "bare"   // one field of the request, not wrapped in its name
	EmptyObject BodyKind = "empty"  // {}, since the request has nothing else
	StreamBody  BodyKind = "stream" // bytes as they are
)

// Body is an operation's request body.
type Body struct {
	Kind BodyKind
	// Field is the one field that a bare body or a stream is taken from.
	Field *Field
	// RequestID names the JSON field that the SDK fills with a fresh UUID when the caller does not.
	RequestID string
}

// ResponseKind is the kind of an operation's response.
type ResponseKind string

// The kinds of responses.
const (
	NoResponse     ResponseKind = "none"
	ObjectResponse ResponseKind = "object"
	ArrayResponse  ResponseKind = "array"  // a bare JSON array
	StreamResponse ResponseKind = "stream" // bytes as they are
	HeaderResponse ResponseKind = "headers"
)

// Response is an operation's answer.
type Response struct {
	Kind    ResponseKind
	Type    *Type    // of the JSON; nil without
	Message string   // the response's message, if it is one
	Headers []*Field // fields that come in headers
}

// PagingKind is how a list goes on.
type PagingKind string

// The kinds of paging.
const (
	TokenPaging   PagingKind = "token"        // a token of the response is sent with the next request
	OffsetPaging  PagingKind = "offset"       // the next index of SCIM: start plus what came
	PagePaging    PagingKind = "page"         // the page's number plus one
	RequestPaging PagingKind = "next-request" // the response holds the next request
	SinglePage    PagingKind = "single"       // all at once
)

// Paging says how the SDK iterates over a list.
type Paging struct {
	Kind PagingKind
	// Items is the JSON name of the response's field with the items; empty where the response is
	// itself the list.
	Items string
	// Request and Response are the names of the fields with the position in either direction.
	Request, Response string
	// First is the position that the SDK starts with, and Limit and LimitValue how many items it
	// asks for when the caller does not say: OffsetPaging and PagePaging.
	First      int
	Limit      string
	LimitValue int
	// UntilEmpty is set where the list ends with an empty page, not by the absence of a token.
	UntilEmpty bool
	// Dedupe is the JSON name of the item's field by which items that come twice are dropped.
	Dedupe string
}

// Async describes an operation that answers with an Operation to poll.
type Async struct {
	Poll   string // the operation of the same group that polls
	Result *Type  // what the finished operation's response holds; nil where it is of no use
	// Metadata is the type of the operation's metadata.
	Metadata *Type
}

// Waiter describes how the SDK waits for the end of an operation's work.
type Waiter struct {
	Name string // WaitGetClusterRunning
	Poll string // the operation of the same group that polls
	// Bind holds for each parameter of the poll the attribute of the response or request that supplies
	// its value.
	Bind []Binding
	// State is the JSON path of the state in the poll's response; Message that of its explanation.
	State, Message []string
	Success        []string
	Failure        []string
	TimeoutMinutes int
}

// Binding takes a parameter's value from where it is known.
type Binding struct {
	Param    string   // wire name of the poll's parameter
	Response bool     // from the response; else from the request
	Path     []string // JSON path, or the parameter's name
}

// Message is a struct of the SDK.
type Message struct {
	Service, Name string
	Doc           string
	Fields        []*Field
}

// Field finds a field by its Go name.
func (m *Message) Field(name string) (*Field, bool) {
	for _, f := range m.Fields {
		if f.Go == name {
			return f, true
		}
	}
	return nil, false
}

// JSONFields returns the fields that travel in JSON.
func (m *Message) JSONFields() []*Field {
	var fields []*Field
	for _, f := range m.Fields {
		if f.JSON != "" {
			fields = append(fields, f)
		}
	}
	return fields
}

// Field is a field of a message.
type Field struct {
	Go, JSON string // JSON is empty where the field does not travel in JSON
	URL      string // name in a query; "-" or empty where it does not travel there
	Header   string
	Type     *Type
	Pointer  bool
	// Required is set where JSON is sent even if the value is empty; RequiredURL the same of queries.
	Required, RequiredURL bool
	ReadOnly              bool
	Deprecated            bool
	Template              string // form of a resource name
	Doc                   string
	Pos                   string
	// Beyond is set if an overlay has added the field, with Doc as its description.
	Beyond bool
}

// Enum is a named set of strings.
type Enum struct {
	Service, Name string
	Doc           string
	Values        []string
}

// Kind is the kind of a type.
type Kind string

// The kinds of types.
const (
	String    Kind = "string"
	Bool      Kind = "bool"
	Int32     Kind = "int32" // Go's int
	Int64     Kind = "int64"
	Float64   Kind = "float64"
	Time      Kind = "time"
	Duration  Kind = "duration"
	FieldMask Kind = "fieldmask"
	Any       Kind = "any" // JSON of any shape
	Bytes     Kind = "stream"
	List      Kind = "list"
	Map       Kind = "map" // of strings to Elem
	Named     Kind = "named"
)

// Type is the type of a field.
type Type struct {
	Kind Kind
	Elem *Type // of List and Map
	// Service and Name tell the message, enum or alias of a Named type.
	Service, Name string
}

// Message returns the message that a Named type refers to.
func (a *API) Message(t *Type) (*Message, bool) {
	if t == nil || t.Kind != Named {
		return nil, false
	}
	s, ok := a.Service(t.Service)
	if !ok {
		return nil, false
	}
	m, ok := s.Messages[t.Name]
	return m, ok
}

// Enum returns the enum that a Named type refers to.
func (a *API) Enum(t *Type) (*Enum, bool) {
	if t == nil || t.Kind != Named {
		return nil, false
	}
	s, ok := a.Service(t.Service)
	if !ok {
		return nil, false
	}
	e, ok := s.Enums[t.Name]
	return e, ok
}
