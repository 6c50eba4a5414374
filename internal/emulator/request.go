package emulator

import (
	"context"
	"encoding/json"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// handler carries out one operation. Its result is sent as JSON.
type handler func(*apiRequest) (any, error)

// apiRequest is a request for a documented operation that is valid by its documents.
type apiRequest struct {
	input

	ctx       context.Context // of the request
	emulator  *Emulator
	workspace *workspace
	home      *workspace // holds the operation's resources: the workspace, or the account
	route     *route
	segments  []string // of the path, unescaped
	subject   string   // the caller
	base      string   // http://dbc-1.localhost:40123
	fault     *Fault   // the rule that hit the request; nil: none
}

func (req *apiRequest) now() time.Time { return req.emulator.opts.Clock() }

// fails reports whether a fault rule lets fail what the request begins.
func (req *apiRequest) fails() bool { return req.fault != nil && req.fault.Kind == FaultFail }

// shaped writes a record in the shape of the operation's answer.
func (req *apiRequest) shaped(r resource.Record) json.RawMessage {
	return req.shapes.Response(req.method).AppendTo(nil, r)
}
