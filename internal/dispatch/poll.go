package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/lakeql/lakeql/provider"
)

const (
	// The first pause is short: most operations on metadata take less than a second.
	firstPause   = 100 * time.Millisecond
	longestPause = 10 * time.Second
	// longestBound bounds a value that is taken from an answer into the poll's request.
	longestBound = 1024
)

// bind makes the request of the poll, once its parameters are known.
func (w *waiting) bind() error {
	if w.poll != nil {
		return nil
	}
	args := map[string]any{}
	for _, b := range w.wait.Bind {
		if b.From == provider.FromResponse {
			value := scalar(attribute(w.began, b.Path))
			if value == nil {
				return w.unboundError(fmt.Errorf("it has no %s", b.Path))
			}
			w.args[b.Param] = value
		}
		if err := w.setArgument(args, b); err != nil {
			return w.unboundError(fmt.Errorf("its %s is %s, %w", b.Path, provider.Quote(plain(w.args[b.Param])), err))
		}
	}
	poll, err := w.client.Plan(Call{Method: w.method, Deployment: w.req.call.Deployment, Args: args})
	if err != nil {
		return w.unboundError(err)
	}
	w.poll = poll
	return nil
}

// unboundError is the error for an answer that does not name the object to poll.
func (w *waiting) unboundError(err error) error {
	e := callError(w.req, provider.API, "the answer does not tell what to wait for: "+err.Error())
	e.Err = err
	return w.stopped(e)
}

// setArgument sets an argument of the poll to the value of a binding. A name from the API goes into the
// path with its slashes, so its form is checked first: no answer may choose the path of a request.
func (w *waiting) setArgument(args map[string]any, b provider.Binding) error {
	value := w.args[b.Param]
	text := plain(value)
	if len(text) > longestBound {
		return fmt.Errorf("which is longer than %d bytes", longestBound)
	}
	p, ok := w.method.Param(b.Param)
	if name := w.method.NameParam; !ok && name != nil && name.Name == b.Param {
		values, ok := name.Split(text)
		if !ok {
			return fmt.Errorf("which is not of the form %s", name.Template)
		}
		for param, value := range values {
			args[param] = value
		}
		return nil
	}
	if ok && p.MultiSegment && b.From == provider.FromResponse && !isOperationName(text) {
		return errors.New("which is not the name of an operation, …/operations/…")
	}
	args[b.Param] = value
	return nil
}

// isOperationName reports whether a name is that of an operation: the name of a resource, /operations/
// and an id. The resource may be missing in a service whose operations belong to none.
func isOperationName(name string) bool {
	segments := strings.Split(name, "/")
	n := len(segments)
	if n < 2 || segments[n-2] != "operations" {
		return false
	}
	for _, segment := range segments {
		if strings.Trim(segment, ".") == "" {
			return false
		}
	}
	return true
}

// ask polls once. A poll that fails in passing is repeated as any request is. At the end of the
// document's time a poll may take as long as a request does.
func (w *waiting) ask(ctx context.Context) (*answer, map[string]json.RawMessage, error) {
	bounded := ctx
	if w.wait.Timeout > 0 {
		var cancel context.CancelFunc
		bounded, cancel = context.WithTimeout(ctx, max(0, w.wait.Timeout-w.elapsed)+w.client.requestTimeout())
		defer cancel()
	}
	answered, err := w.exchange(bounded, w.poll)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return nil, nil, w.stopped(canceled(ctx, w.req))
	case bounded.Err() != nil:
		return nil, nil, w.overdue()
	default:
		return nil, nil, w.unknown(err)
	}
	if err := checkKind(w.poll, answered.body, "object", "the answer"); err != nil {
		return nil, nil, w.unknown(err)
	}
	return answered, answered.attributes, nil
}

// pauseAfter is how long to wait before the poll number tries+1, at random up to a quarter shorter.
func pauseAfter(tries int) time.Duration {
	bound := min(firstPause<<min(tries, 10), longestPause)
	return bound - rand.N(bound/4) //nolint:gosec // jitter
}

// pause waits for the next poll, and reports the progress every now and then. At the end of the
// documented time it allows one last poll.
func (w *waiting) pause(ctx context.Context, tries int) error {
	left := pauseAfter(tries)
	if w.wait.Timeout > 0 {
		if left = min(left, w.wait.Timeout-w.elapsed); left <= 0 {
			return w.overdue()
		}
	}
	for left > 0 {
		step := max(0, min(left, w.told.Elapsed+quiet-w.elapsed))
		if err := w.client.Retry.wait(ctx, step); err != nil {
			return w.stopped(canceled(ctx, w.req))
		}
		left -= step
		w.elapsed += step
		if now := w.told; w.elapsed-now.Elapsed >= quiet {
			now.Elapsed = w.elapsed
			w.report(now)
		}
	}
	return nil
}

// overdue is the error for work that is not done within the documented time.
func (w *waiting) overdue() error {
	message := fmt.Sprintf("%s is not done after %s", w.what(), w.wait.Timeout)
	if w.told.State != "" {
		message = fmt.Sprintf("%s is still %s after %s", w.what(), w.told.State, w.wait.Timeout)
	}
	if w.told.Message != "" {
		message += " (" + w.told.Message + ")"
	}
	return w.stopped(callError(w.req, provider.Network, message))
}

// value returns the argument of a parameter, otherwise the value at a path of the body; nil if absent.
func (r *Request) value(path string) any {
	if value := r.call.Args[path]; value != nil || !r.hasBody {
		return value
	}
	var body map[string]json.RawMessage
	if json.Unmarshal(r.body, &body) != nil {
		return nil // not an object: it has no attributes
	}
	return scalar(attribute(body, path))
}

// attribute returns an attribute of an object by its dotted path; nil if it does not exist.
func attribute(object map[string]json.RawMessage, path string) json.RawMessage {
	name, inner, nested := strings.Cut(path, ".")
	if !nested {
		return object[name]
	}
	var child map[string]json.RawMessage
	if json.Unmarshal(object[name], &child) != nil {
		return nil
	}
	return attribute(child, inner)
}

// scalar returns a JSON string or number as arguments have it; nil for anything else, and for an
// empty string, which names nothing.
func scalar(raw json.RawMessage) any {
	value, err := parse(string(raw))
	if err != nil {
		return nil
	}
	switch value := value.(type) {
	case string:
		if value != "" {
			return value
		}
	case json.Number:
		return value
	}
	return nil
}
