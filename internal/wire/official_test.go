package wire

import (
	"context"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/openapigen/observe"
)

// newOfficial makes the SDK's clients, of a workspace and of an account, which call a server.
func newOfficial(t *testing.T, server *url.URL) observe.Groups {
	t.Helper()
	groups, err := observe.Clients(redirect{server})
	if err != nil {
		t.Fatal(err)
	}
	return groups
}

// redirect sends the SDK's requests to the recording server, whatever they are for.
type redirect struct{ server *url.URL }

func (r redirect) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.URL.Scheme, req.URL.Host = r.server.Scheme, r.server.Host
	return http.DefaultTransport.RoundTrip(req)
}

// requestType is the type of a function's request; nil if it takes none.
func requestType(method reflect.Value) reflect.Type {
	if method.Type().NumIn() == 1 {
		return nil
	}
	return method.Type().In(1)
}

// result is the SDK's result for an answer.
type result struct {
	value reflect.Value   // invalid where the SDK gives none, or items
	items []reflect.Value // of a list that the SDK iterates over
	list  bool
	// operation is the type that an answer was decoded into which the SDK keeps to itself.
	operation reflect.Type
}

// call calls a function of the SDK. It reads all items of a list, and does not wait for long-running
// operations.
func call(ctx context.Context, method, request reflect.Value) (*result, error) {
	args := []reflect.Value{reflect.ValueOf(ctx)}
	if request.IsValid() {
		args = append(args, request)
	}
	out := method.Call(args)
	if last := out[len(out)-1]; last.Type() == reflect.TypeFor[error]() {
		if err, failed := last.Interface().(error); failed {
			return nil, err
		}
		out = out[:len(out)-1]
	}
	switch {
	case len(out) == 0:
		return &result{}, nil
	case out[0].Kind() == reflect.Interface && out[0].MethodByName("HasNext").IsValid():
		return iterate(ctx, out[0])
	case out[0].Kind() == reflect.Interface: // CreateBranchOperationInterface
		return &result{operation: out[0].Elem().Elem().FieldByName("operation").Type().Elem()}, nil
	case out[0].Kind() == reflect.Pointer && strings.HasPrefix(out[0].Type().Elem().Name(), "Wait"):
		return &result{value: out[0].Elem().FieldByName("Response")}, nil
	}
	return &result{value: out[0]}, nil
}

// iterate reads a list to its end.
func iterate(ctx context.Context, iterator reflect.Value) (*result, error) {
	r := &result{list: true}
	in := []reflect.Value{reflect.ValueOf(ctx)}
	hasNext, next := iterator.MethodByName("HasNext"), iterator.MethodByName("Next")
	for hasNext.Call(in)[0].Bool() {
		out := next.Call(in)
		if err, failed := out[1].Interface().(error); failed {
			return nil, err
		}
		r.items = append(r.items, out[0])
	}
	return r, nil
}
