package emulator

import (
	"strings"

	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// operationHandlers are the operations of services other than Lakebase that get a long-running
// operation.
func operationHandlers() map[string]handler {
	return map[string]handler{
		"GET /api/2.0/app-spaces/{}/operation": getOperation,
		"GET /api/environments/v1/{}":          getOperation,
	}
}

// operationName names a new long-running operation of a service other than Lakebase.
func operationName(req *apiRequest, r resource.Record) string {
	if strings.HasPrefix(req.kind.Name, "/app-spaces") {
		return resource.Text(r["name"]) // a space has one operation at a time
	}
	return "operations-" + resource.NewID()
}

func getOperation(req *apiRequest) (any, error) {
	return req.home.operations.Get(strings.Trim(req.params["name"], "/"))
}
