package wire

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"reflect"
	"strings"
	"testing"

	databricks "github.com/databricks/databricks-sdk-go"
	"github.com/databricks/databricks-sdk-go/config"

	"github.com/lakeql/lakeql/internal/openapigen/sdk"
)

// official is the SDK: its groups of operations as its clients have them, by service.Group.
type official map[string]reflect.Value

// newOfficial makes the SDK's clients, of a workspace and of an account, and collects their groups.
func newOfficial(t *testing.T, server *url.URL) official {
	t.Helper()
	configured := func(host string) *databricks.Config {
		return &databricks.Config{
			Host:               host,
			Token:              "token",
			AuthType:           "pat",
			WorkspaceID:        workspaceID,
			RateLimitPerSecond: 1_000_000,
			HTTPTransport:      redirect{server},
			Loaders:            []config.Loader{nothing{}},
			HostMetadataResolver: func(_ context.Context, host string) (*config.HostMetadata, error) {
				return &config.HostMetadata{OIDCEndpoint: host + "/oidc"}, nil
			},
		}
	}
	workspace, err := databricks.NewWorkspaceClient(configured("https://dbc-abcd0123-a1bc.cloud.databricks.com"))
	if err != nil {
		t.Fatal(err)
	}
	ofAccount := configured("https://accounts.cloud.databricks.com")
	ofAccount.AccountID = accountID
	account, err := databricks.NewAccountClient(ofAccount)
	if err != nil {
		t.Fatal(err)
	}
	groups := official{}
	for _, client := range []any{workspace, account} {
		fields := reflect.ValueOf(client).Elem()
		for i := range fields.NumField() {
			if fields.Type().Field(i).IsExported() && fields.Field(i).Kind() == reflect.Interface {
				groups.collect(fields.Field(i).Elem())
			}
		}
	}
	return groups
}

// collect notes a group, *settings.SettingsAPI, and those that it gives: Settings.DefaultNamespace().
func (groups official) collect(group reflect.Value) {
	name, ok := strings.CutSuffix(group.Type().Elem().Name(), "API")
	if !ok {
		return
	}
	groups[path.Base(group.Type().Elem().PkgPath())+"."+name] = group
	for i := range group.NumMethod() {
		m := group.Method(i)
		if m.Type().NumIn() == 0 && m.Type().NumOut() == 1 && m.Type().Out(0).Kind() == reflect.Interface {
			groups.collect(m.Call(nil)[0].Elem())
		}
	}
}

// nothing is a source of settings that has none: neither a file nor the environment counts here.
type nothing struct{}

func (nothing) Name() string                   { return "nothing" }
func (nothing) Configure(*config.Config) error { return nil }

// redirect sends the SDK's requests to the recording server, whatever they are for.
type redirect struct{ server *url.URL }

func (r redirect) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.URL.Scheme, req.URL.Host = r.server.Scheme, r.server.Host
	return http.DefaultTransport.RoundTrip(req)
}

// method finds the SDK's public function of an operation.
func (groups official) method(o *sdk.Operation) (reflect.Value, error) {
	group, ok := groups[o.Service+"."+o.Group]
	if !ok {
		return reflect.Value{}, fmt.Errorf("the SDK's clients have no %s.%s", o.Service, o.Group)
	}
	m := group.MethodByName(o.Name)
	if !m.IsValid() {
		return reflect.Value{}, fmt.Errorf("the SDK's clients have no %s", o.ID())
	}
	return m, nil
}

// requestType is the type of a function's request; nil if it takes none.
func requestType(method reflect.Value) reflect.Type {
	if method.Type().NumIn() == 1 {
		return nil
	}
	return method.Type().In(1)
}

// result is what the SDK made of an answer.
type result struct {
	value reflect.Value   // invalid where the SDK gives none, or items
	items []reflect.Value // of a list that the SDK iterates over
	list  bool
	// operation is the type that an answer was decoded into which the SDK keeps to itself.
	operation reflect.Type
}

// call calls a function of the SDK. Of a list it reads all items; what could be waited for is left
// alone.
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
