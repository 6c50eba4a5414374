package emulator

import (
	"strings"

	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// fails reports whether a fault rule lets fail what the request begins.
func (c *call) fails() bool { return c.fault != nil && c.fault.Kind == FaultFail }

// operationHandlers are the operations of services other than Lakebase that get a long-running operation.
func operationHandlers() map[string]handler {
	return map[string]handler{
		"GET /api/2.0/app-spaces/{}/operation": getOperation,
		"GET /api/environments/v1/{}":          getOperation,
	}
}

// operationName names a new long-running operation of a service other than Lakebase.
func (c *call) operationName(r resource.Record) string {
	if strings.HasPrefix(c.route.target.Kind.Name, "/app-spaces") {
		return resource.Text(r["name"]) // a space has one operation at a time
	}
	return "operations-" + resource.NewID()
}

func getOperation(c *call) (any, error) {
	return c.home.operations.Get(strings.Trim(c.params["name"], "/"))
}
