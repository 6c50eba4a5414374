package dispatch

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// Await runs the request, waits until its work is done, and returns the result as rows with the columns
// of [Client.AwaitColumns]. The result of an operation is its response, or the finished operation if the
// response is empty (after a deletion). The result of a resource that has to reach a state is its last
// polled answer. A method that starts no work runs as with [Client.Run].
//
// Failed work is an error with the API's reason. If the waiting ends early, because the context or the
// documented time ends or because polling fails, the work continues, and the error's hint has the
// statement that shows its state.
func (c *Client) Await(ctx context.Context, req *Request) (provider.Rows, error) {
	if !req.call.Method.LongRunning() {
		return c.Run(ctx, req)
	}
	w, err := c.newWaiting(req)
	if err != nil {
		return nil, err
	}
	rows, err := w.run(ctx)
	if err != nil {
		return nil, c.hidden(req, err)
	}
	return rows, nil
}

// run sends the call and waits.
func (w *waiting) run(ctx context.Context) (provider.Rows, error) {
	answered, err := w.exchange(ctx, w.req)
	if err != nil {
		return nil, err
	}
	if err := w.begun(answered); err != nil {
		return nil, err
	}
	if w.wait.Kind == provider.ForOperation {
		return w.operation(ctx, answered)
	}
	return w.state(ctx)
}

// AwaitColumns describes the rows that [Client.Await] returns for a method.
func (c *Client) AwaitColumns(m *provider.Method) ([]provider.Column, error) {
	if !m.LongRunning() {
		return c.Columns(m)
	}
	yields, _, err := c.outcome(m)
	if err != nil {
		return nil, err
	}
	return c.Columns(yields)
}

// outcome returns the method whose answers have the form of Await's result, and the poll.
func (c *Client) outcome(m *provider.Method) (yields, poll *provider.Method, err error) {
	name := strings.Split(m.Wait.Poll, ".")
	if len(name) != 4 {
		return nil, nil, provider.Internalf("%s: the document polls %s, which is no method's full name", m.FullName(), provider.Quote(m.Wait.Poll))
	}
	if poll, err = c.Catalogue.Method(name[0], name[1], name[2], name[3]); err != nil {
		return nil, nil, err
	}
	if m.Wait.Result == nil {
		return poll, poll, nil
	}
	resulting := *m
	resulting.Paging, resulting.Response = nil, &provider.Response{Schema: m.Wait.Result}
	return &resulting, poll, nil
}

// waiting is the state of a call from before its request until its work is done.
type waiting struct {
	client *Client
	req    *Request
	wait   *provider.Wait
	method *provider.Method // the poll
	args   map[string]any   // of the poll
	poll   *Request         // nil until it is known what to ask for
	yields *provider.Method // what the result has the form of
	shape  *shape

	began   map[string]json.RawMessage // the first answer
	usage   Usage
	elapsed time.Duration // since the call was sent
	told    Progress      // last
}

// newWaiting prepares the waiting as far as that goes before anything is sent.
func (c *Client) newWaiting(req *Request) (*waiting, error) {
	m := req.call.Method
	w := &waiting{client: c, req: req, wait: m.Wait, args: map[string]any{}}
	var err error
	if w.yields, w.method, err = c.outcome(m); err != nil {
		return nil, err
	}
	if w.shape, err = c.shapeOf(w.yields); err != nil {
		return nil, err
	}
	for _, b := range w.wait.Bind {
		if b.From != provider.FromRequest {
			continue
		}
		value := req.value(b.Path)
		if value == nil {
			return nil, usage(b.Path, nil, "missing: waiting for the work of %s needs it", m.FullName())
		}
		w.args[b.Param] = value
	}
	return w, nil
}

// exchange sends a request and adds its cost to the usage.
func (w *waiting) exchange(ctx context.Context, req *Request) (*answer, error) {
	began, before := time.Now(), w.usage.Time
	answered, err := w.client.exchange(ctx, req, &w.usage)
	// Waits between attempts count whether or not the clock moved while they lasted.
	w.elapsed += max(time.Since(began), w.usage.Time-before)
	return answered, err
}

// begun reads the first answer. An answer without a documented form has no meaning here.
func (w *waiting) begun(answered *answer) error {
	if s := w.req.shape; s.empty || s.stream || s.onlyHeaders {
		return nil
	}
	w.began = answered.attributes
	return checkKind(w.req, answered.body, "object", "the answer")
}

// operation waits until the operation is done.
func (w *waiting) operation(ctx context.Context, answered *answer) (provider.Rows, error) {
	now, asked := w.began, w.req
	for tries := 0; ; tries++ {
		done, err := w.isDone(asked, now)
		if err != nil {
			return nil, err
		}
		if done {
			return w.ended(ctx, asked, answered, now)
		}
		if err := w.bind(); err != nil {
			return nil, err
		}
		w.tell(InProgress, "")
		if err := w.pause(ctx, tries); err != nil {
			return nil, err
		}
		if answered, now, err = w.ask(ctx); err != nil {
			return nil, err
		}
		asked = w.poll
	}
}

// isDone reads the attribute done of an operation. The API omits it if it is false. An operation with an
// error is done in any case; one that is not done has no response.
func (w *waiting) isDone(asked *Request, operation map[string]json.RawMessage) (bool, error) {
	switch done := string(operation["done"]); done {
	case "", "null", "false":
		if !absent(operation["error"]) {
			return true, nil
		}
		if !absent(operation["response"]) {
			return false, w.unknown(callError(asked, provider.API, "the operation is not done, but has a response"))
		}
		return false, nil
	case "true":
		return true, nil
	default:
		return false, w.unknown(callError(asked, provider.API, fmt.Sprintf("the operation's done is %s, not true or false", provider.Quote(done))))
	}
}

// ended returns the result of an operation that is done, or its error.
func (w *waiting) ended(ctx context.Context, asked *Request, answered *answer, operation map[string]json.RawMessage) (provider.Rows, error) {
	if raw := operation["error"]; !absent(raw) {
		return nil, w.operationError(raw)
	}
	response := operation["response"]
	if absent(response) {
		e := callError(w.req, provider.API, fmt.Sprintf("%s is done, but has neither a response nor an error", w.what()))
		e.Hint = "it is not known what came of it: look at the resource itself"
		return nil, e
	}
	w.tell(Done, "")
	if w.wait.Result == nil {
		return w.rows(ctx, asked, answered)
	}
	result := &answer{client: w.client, body: response, header: answered.header}
	resulting := *asked
	resulting.call.Method, resulting.shape = w.yields, w.shape
	if err := result.judge(&resulting); err != nil {
		return nil, err
	}
	return w.rows(ctx, asked, result)
}

func absent(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// operationError returns the error of an operation, worded as an error of an answer.
func (w *waiting) operationError(raw json.RawMessage) error {
	code, reason, requestID, ok := fromJSON(raw)
	if !ok {
		reason = unquote(raw)
	}
	if code == "" {
		var status struct{ Code json.RawMessage } // as google.rpc.Status has it
		if json.Unmarshal(raw, &status) == nil && !absent(status.Code) {
			code = unquote(status.Code)
		}
	}
	code = provider.Printable(shorten(code, 100))
	reason = provider.Printable(shorten(cmp.Or(reason, "no reason given"), 2000))
	w.tell(Failed, reason)
	message := reason
	if code != "" {
		message = code + ": " + reason
	}
	e := callError(w.req, provider.API, fmt.Sprintf("%s failed: %s", w.what(), message))
	e.ErrorCode = code
	e.RequestID = provider.Printable(shorten(requestID, 100))
	return e
}

// state waits until the resource is in one of the states that end the waiting.
func (w *waiting) state(ctx context.Context) (provider.Rows, error) {
	if err := w.bind(); err != nil {
		return nil, err
	}
	for tries := 0; ; tries++ {
		answered, now, err := w.ask(ctx)
		if err != nil {
			return nil, err
		}
		state, ok := scalar(attribute(now, w.wait.State)).(string)
		if !ok {
			return nil, w.unknown(callError(w.poll, provider.API, fmt.Sprintf("the answer has no %s that is text", w.wait.State)))
		}
		message := ""
		if raw := attribute(now, w.wait.Message); !absent(raw) {
			message = unquote(raw)
		}
		w.tell(state, message)
		switch {
		case slices.Contains(w.wait.Success, state):
			return w.rows(ctx, w.poll, answered)
		case slices.Contains(w.wait.Failure, state):
			return nil, w.failure()
		}
		if err := w.pause(ctx, tries); err != nil {
			return nil, err
		}
	}
}

// failure words that the resource came to a state from which the work does not get done.
func (w *waiting) failure() error {
	message := fmt.Sprintf("%s is %s instead of %s", w.what(), w.told.State, strings.Join(w.wait.Success, " or "))
	if w.told.Message != "" {
		message += ": " + w.told.Message
	}
	e := callError(w.req, provider.API, message)
	e.Hint = "look at it with " + w.statement()
	return e
}

// rows returns the rows of the result, which stands in the answer to a request.
func (w *waiting) rows(ctx context.Context, asked *Request, answered *answer) (provider.Rows, error) {
	req := *asked
	req.call.Method, req.shape = w.yields, w.shape
	reader := newReader(w.client, &req)
	reader.begun = true
	page, err := reader.page(ctx, answered)
	if err != nil {
		return nil, err
	}
	reader.usage.Add(w.usage)
	reader.usage.Rows = page.Len()
	return &rows{reader: reader, req: reader.req, page: page}, nil
}
