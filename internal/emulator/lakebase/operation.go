package lakebase

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// Operations are the long-running operations of a workspace, or of the account. Work is done when
// it begins, but its operation is not done before Duration has passed. Other services than Lakebase
// have operations of the same form.
type Operations struct {
	Collections *resource.Collections
	Clock       func() time.Time
	Duration    time.Duration
}

// Operation is a long-running operation as the API answers with it.
type Operation struct {
	Name     string          `json:"name"`
	Done     bool            `json:"done"`
	Metadata Any             `json:"metadata"`
	Response json.RawMessage `json:"response,omitempty"`
	Error    *OperationError `json:"error,omitempty"`
}

// Any is a message without attributes whose type is written beside it (google.protobuf.Any).
type Any struct {
	Type string `json:"@type"`
}

// typeURL begins the name of a message's type.
const typeURL = "type.googleapis.com/"

// Empty is the response of an operation that deletes something.
func Empty() json.RawMessage { return resource.JSON(Any{Type: typeURL + "google.protobuf.Empty"}) }

// OperationError is why an operation failed.
type OperationError struct {
	Code    string `json:"error_code"`
	Message string `json:"message"`
}

// operationKind is the collection of operations.
const operationKind = "/operations"

// Begin keeps an operation that will end with a response, and returns it as it begins. Subject is
// the type of the resource, such as postgres.v1.Branch: the metadata's type follows from it.
func (o *Operations) Begin(name, subject string, response json.RawMessage) Operation {
	return o.keep(name, subject, resource.Record{"response": response})
}

// BeginFailing keeps an operation that will fail, and returns it as it begins.
func (o *Operations) BeginFailing(name, subject string) Operation {
	return o.keep(name, subject, resource.Record{"failed": true})
}

func (o *Operations) keep(name, subject string, r resource.Record) Operation {
	r["metadata"] = typeURL + "databricks." + subject + "OperationMetadata"
	r[resource.DueField] = o.Clock().Add(o.Duration)
	o.Collections.Put(operationKind+"/"+resource.Key(name), r)
	return operationOf(name, r)
}

func operationOf(name string, r resource.Record) Operation {
	return Operation{Name: name, Metadata: Any{Type: resource.Text(r["metadata"])}}
}

// Get returns an operation as it is now.
func (o *Operations) Get(name string) (Operation, error) {
	it, ok := o.Collections.Get(operationKind + "/" + resource.Key(name))
	if !ok {
		return Operation{}, apierror.New(http.StatusNotFound, "NOT_FOUND", "Operation %q does not exist.", apierror.Printable(name))
	}
	op := operationOf(name, it.Record)
	if due, _ := it.Record[resource.DueField].(time.Time); o.Clock().Before(due) {
		return op, nil
	}
	op.Done = true
	if it.Record["failed"] != nil {
		op.Error = &OperationError{Code: "INTERNAL_ERROR", Message: "The emulator was told to let this operation fail."}
		return op, nil
	}
	op.Response, _ = it.Record["response"].(json.RawMessage)
	return op, nil
}

func (s *Service) getOperation(req *Request) (any, error) {
	return s.Operations.Get(strings.Trim(req.Name, "/"))
}

// begin begins an operation on a resource that ends with a response.
func (s *Service) begin(name string, response json.RawMessage) Operation {
	return s.Operations.Begin(name+"/operations/"+resource.NewID(), typeOf(name), response)
}

// beginFailing begins an operation on a resource that fails.
func (s *Service) beginFailing(name string) Operation {
	return s.Operations.BeginFailing(name+"/operations/"+resource.NewID(), typeOf(name))
}

// typeOf returns the type of a resource of Lakebase: postgres.v1.Branch. The last collection of the
// name determines it, or the last segment if there is one such resource at most.
func typeOf(name string) string {
	kind := resource.ID(name)
	if strings.Count(name, "/")%2 == 1 {
		kind = singular(resource.ID(resource.Parent(name)))
	}
	words := strings.FieldsFunc(kind, func(r rune) bool { return r == '-' || r == '_' })
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	return "postgres.v1." + strings.Join(words, "")
}
