package emulator

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// Long-running operations: the answer comes before the work is done, and names an operation that
// tells later how it went. Here the work is done at once, but nobody who waits is told before
// Options.OperationTime has passed.

const operationKind = "/operations"

// operation is what the service tells of work under way, and of its end.
type operation struct {
	Name     string          `json:"name"`
	Done     bool            `json:"done"`
	Metadata struct{}        `json:"metadata"`
	Response json.RawMessage `json:"response,omitempty"`
	Error    *operationError `json:"error,omitempty"`
}

type operationError struct {
	Code    string `json:"error_code"`
	Message string `json:"message"`
}

// begin keeps an operation that will end with a response, and answers with it as it begins.
func (c *call) begin(name string, response json.RawMessage) operation {
	return c.keepOperation(name, resource.Record{"response": response})
}

// beginFailing keeps an operation that will fail, as a fault rule wants.
func (c *call) beginFailing(name string) operation {
	return c.keepOperation(name, resource.Record{"failed": true})
}

func (c *call) keepOperation(name string, r resource.Record) operation {
	r[resource.DueField] = c.emulator.opts.Clock().Add(c.emulator.opts.OperationTime)
	c.home.collections.Put(operationKind+"/"+resource.Key(name), r)
	return operation{Name: name}
}

// getOperation tells how an operation is doing.
func getOperation(c *call) (any, error) {
	name := strings.Trim(c.params["name"], "/")
	it, ok := c.home.collections.Get(operationKind + "/" + resource.Key(name))
	if !ok {
		return nil, apierror.New(http.StatusNotFound, "NOT_FOUND", "Operation %q does not exist.", apierror.Printable(name))
	}
	op := operation{Name: name}
	if due, _ := it.Record[resource.DueField].(time.Time); c.emulator.opts.Clock().Before(due) {
		return op, nil
	}
	op.Done = true
	if it.Record["failed"] != nil {
		op.Error = &operationError{Code: "INTERNAL_ERROR", Message: "The emulator was told to let this operation fail."}
		return op, nil
	}
	op.Response, _ = it.Record["response"].(json.RawMessage)
	return op, nil
}

// fails reports whether a fault rule wants what the request begins to fail.
func (c *call) fails() bool { return c.fault != nil && c.fault.Kind == FaultFail }

// operationHandlers are the operations of other services than Lakebase that tell of operations.
func operationHandlers() map[string]handler {
	return map[string]handler{
		"GET /api/2.0/app-spaces/{}/operation": getOperation,
		"GET /api/environments/v1/{}":          getOperation,
	}
}

// operationName names a new operation on a resource of a service that is not Lakebase.
func (c *call) operationName(r resource.Record) string {
	if strings.HasPrefix(c.route.target.Kind.Name, "/app-spaces") {
		return resource.Text(r["name"]) // a space has one operation at a time
	}
	return "operations-" + resource.NewID()
}
