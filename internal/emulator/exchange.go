package emulator

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/company"
	"github.com/lakeql/lakeql/internal/emulator/documents"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// maxBody is how many bytes a request's body may have.
const maxBody = 16 << 20

// exchange is an HTTP request with its route, caller and answer.
type exchange struct {
	request    *http.Request
	id         string
	arrived    time.Time
	path       string // as it was escaped
	deployment string
	body       []byte
	operation  string // full name of the method; empty: the path has none
	fault      *Fault
	workspace  string // id of the workspace that carries it out; empty: none does
}

// response is an HTTP response.
type response struct {
	status int
	header http.Header // beyond the headers of every response
	body   []byte
	// declared is the Content-Length if it is larger than the body.
	declared int
}

// errorResponse writes an error in one of its shapes.
func errorResponse(e *apierror.Error, shape, requestID string) *response {
	header, body := e.Encode(shape, requestID)
	return &response{status: e.Status, header: header, body: body}
}

// ServeHTTP serves the workspace that the Host header names.
func (e *Emulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{request: r, id: resource.NewID(), arrived: e.opts.Clock(), path: r.URL.EscapedPath()}
	deployment, err := deploymentOf(r.Host)
	if err != nil {
		e.finish(r.Context(), w, x, errorResponse(apierror.From(err), apierror.ShapeJSON, x.id))
		return
	}
	x.deployment = deployment
	if _, known := slices.BinarySearch(e.served, deployment); len(e.served) > 0 && (!known || e.deleted(deployment)) {
		// Not NOT_FOUND: no resource of a workspace is missing, but the workspace.
		missing := apierror.New(http.StatusNotFound, "ENDPOINT_NOT_FOUND", "There is no workspace %q in the account.", deployment)
		e.finish(r.Context(), w, x, errorResponse(missing, apierror.ShapeJSON, x.id))
		return
	}
	if strings.HasPrefix(x.path, controlPrefix) {
		e.send(w, x, e.control(x)) // not part of the API, so neither logged nor hit by faults
		return
	}
	if x.body, err = readBody(w, r); err != nil {
		e.finish(r.Context(), w, x, errorResponse(apierror.From(err), apierror.ShapeJSON, x.id))
		return
	}
	x.fault = e.faults.next(x)
	e.finish(r.Context(), w, x, e.respond(r.Context(), x))
}

// deleted reports whether a workspace was deleted from the account.
func (e *Emulator) deleted(deployment string) bool {
	co := company.Company{Seed: e.opts.Seed, Workspace: deployment}
	it, _ := e.account.collections.Get("@/workspaces/" + strconv.FormatUint(co.WorkspaceID(), 10))
	return it.Gone
}

// respond makes the response and applies the fault that hit the request. It is nil if no response
// is to be sent.
func (e *Emulator) respond(ctx context.Context, x *exchange) *response {
	if f := x.fault; f != nil {
		switch f.Kind {
		case FaultStatus:
			return f.answer(x.id)
		case FaultReset:
			return nil
		case FaultSlow:
			if !sleep(ctx, f.Delay) {
				return nil
			}
		default: // the others change the response below
		}
	}
	value, err := e.carryOut(ctx, x)
	var a *response
	switch v := value.(type) {
	case *response:
		a = v
	case json.RawMessage: // made by the emulator itself
		a = &response{status: http.StatusOK, body: v}
	default:
		a = &response{status: http.StatusOK, body: resource.JSON(v)}
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil // the client is gone, or the server is closing
		}
		a = errorResponse(apierror.From(err), apierror.ShapeJSON, x.id)
	}
	if x.fault != nil {
		x.fault.damage(a, x)
	}
	return a
}

// carryOut finds the operation of a request, checks the request and carries the operation out.
func (e *Emulator) carryOut(ctx context.Context, x *exchange) (any, error) {
	if serve, ok := e.oauth.public(x.path); ok {
		return serve(x)
	}
	rs, err := e.routesFor(x.path)
	if err != nil {
		return nil, err
	}
	rt, params, routeErr := rs.router.match(x.request.Method, x.path)
	if routeErr == nil {
		x.operation = rt.method.FullName()
	}
	audience := x.deployment
	if routeErr == nil && documents.IsAccount(rt.method) {
		audience = accountsName // whichever the host is
	}
	subject, err := e.access.check(x.request, audience)
	if err != nil {
		return nil, err
	}
	ws := e.workspace(x.deployment)
	if ws.limit != nil {
		if wait, ok := ws.limit.take(); !ok {
			limited := apierror.New(http.StatusTooManyRequests, "REQUEST_LIMIT_EXCEEDED", "Workspace %s takes %v calls a second; try again in %v.", ws.name, e.opts.RateLimit, wait)
			limited.RetryAfter = wait
			return nil, limited
		}
	}
	if !sleep(ctx, e.opts.Latency) {
		return nil, ctx.Err()
	}
	if routeErr != nil {
		return nil, routeErr
	}
	query, err := e.validator.checkAny(x, rt, params)
	if err != nil {
		return nil, err
	}
	segments, err := splitPath(x.path)
	if err != nil {
		return nil, err
	}
	req := &apiRequest{
		input: input{params: params, query: query, body: x.body, contentType: x.request.Header.Get("Content-Type"), kind: rt.target.Kind, method: rt.method, shapes: e.shapes},
		ctx:   ctx, emulator: e, workspace: ws, home: ws, route: rt, segments: segments,
		subject: subject, base: baseURL(x.request), fault: x.fault,
	}
	if !documents.IsAccount(rt.method) {
		x.workspace = strconv.FormatUint(ws.company().WorkspaceID(), 10)
	} else {
		req.home = e.account
		if id, ok := params["account_id"]; ok && id != e.opts.AccountID {
			return nil, apierror.NotFound("Account %q does not exist here; there is %s.", apierror.Printable(id), e.opts.AccountID)
		}
	}
	if rt.handler != nil {
		return rt.handler(req)
	}
	return serve(req)
}

// finish logs the exchange and then sends the response, so that a client that has its answer finds
// the request in the log.
func (e *Emulator) finish(ctx context.Context, w http.ResponseWriter, x *exchange, a *response) {
	status := 0
	if a != nil {
		status = a.status
	}
	e.log.add(x, status, e.opts.Clock())
	e.opts.Logger.LogAttrs(ctx, slog.LevelDebug, "request",
		slog.String("method", x.request.Method), slog.String("path", x.path), slog.String("workspace", x.deployment),
		slog.Int("status", status), slog.String("request_id", x.id))
	if a == nil {
		reset(w)
		return
	}
	e.send(w, x, a)
}

func (e *Emulator) send(w http.ResponseWriter, x *exchange, a *response) {
	header := w.Header()
	header.Set("Content-Type", "application/json")
	for name, values := range a.header {
		header[name] = values
	}
	header.Set("X-Request-Id", x.id)
	if x.workspace != "" {
		header.Set("X-Databricks-Org-Id", x.workspace)
	}
	header.Set("Content-Length", strconv.Itoa(max(len(a.body), a.declared)))
	w.WriteHeader(a.status)
	// If the client is gone, nothing is left to do. If fewer bytes are written than declared,
	// net/http closes the connection.
	_, _ = w.Write(a.body) //nolint:gosec // HTML was escaped; browsers run none of the other types
}

// readBody reads the whole body, within the limit.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > maxBody {
		w.Header().Set("Connection", "close") // instead of reading the rest
		return nil, tooLarge()
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, tooLarge()
	}
	if err != nil {
		return nil, apierror.New(http.StatusBadRequest, "MALFORMED_REQUEST", "The request's body cannot be read: %s", apierror.Printable(err.Error()))
	}
	return body, nil
}

func tooLarge() error {
	return apierror.New(http.StatusRequestEntityTooLarge, "MAX_REQUEST_SIZE_EXCEEDED", "A request's body may be at most %d MiB.", maxBody>>20)
}

// sleep waits in real time. It is false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func baseURL(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
