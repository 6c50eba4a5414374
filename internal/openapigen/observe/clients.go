// Package observe runs the clients of the official SDK and reads their requests, so that the documents
// describe the real requests and not a reading of the source.
//
// An [Observer] holds a client of a workspace and one of an account. Their transport records each request
// and answers with an empty success; no request leaves the process. [Observer.Observe] calls an operation
// several times: with every field, with only the fields of the path, and with a slash in each text of the
// path. Each value occurs once, so its place in the request shows where its field is sent.
package observe

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"path"
	"reflect"
	"strings"

	databricks "github.com/databricks/databricks-sdk-go"
	"github.com/databricks/databricks-sdk-go/config"

	"github.com/lakeql/lakeql/internal/openapigen/sdk"
)

// The account and the workspace for which the clients are configured.
const (
	AccountID   = "5f0d4a52-3b1c-4b6e-9a53-0c1d2e3f4a5b"
	WorkspaceID = "7351994284506172"
)

// Observer watches the SDK's clients. Use it from one goroutine.
type Observer struct {
	groups   Groups
	recorder *recorder
}

// New makes the clients.
func New() (*Observer, error) {
	r := &recorder{}
	groups, err := Clients(r)
	return &Observer{groups: groups, recorder: r}, err
}

// Groups holds the groups of operations that the SDK's clients offer, by service.Group.
type Groups map[string]reflect.Value

// Clients makes the SDK's clients of a workspace and of an account, which send their requests by way
// of transport. Neither files nor the environment configure them.
func Clients(transport http.RoundTripper) (Groups, error) {
	configured := func(host string) *databricks.Config {
		return &databricks.Config{
			Host:               host,
			Token:              "token",
			AuthType:           "pat",
			WorkspaceID:        WorkspaceID,
			RateLimitPerSecond: 1_000_000,
			HTTPTransport:      transport,
			Loaders:            []config.Loader{nothing{}},
			HostMetadataResolver: func(_ context.Context, host string) (*config.HostMetadata, error) {
				return &config.HostMetadata{OIDCEndpoint: host + "/oidc"}, nil
			},
		}
	}
	workspace, err := databricks.NewWorkspaceClient(configured("https://dbc-abcd0123-a1bc.cloud.databricks.com"))
	if err != nil {
		return nil, fmt.Errorf("make the SDK's client of a workspace: %w", err)
	}
	ofAccount := configured("https://accounts.cloud.databricks.com")
	ofAccount.AccountID = AccountID
	account, err := databricks.NewAccountClient(ofAccount)
	if err != nil {
		return nil, fmt.Errorf("make the SDK's client of an account: %w", err)
	}
	groups := Groups{}
	for _, client := range []any{workspace, account} {
		fields := reflect.ValueOf(client).Elem()
		for i := range fields.NumField() {
			if fields.Type().Field(i).IsExported() && fields.Field(i).Kind() == reflect.Interface {
				groups.collect(fields.Field(i).Elem())
			}
		}
	}
	return groups, nil
}

// collect adds a group, *settings.SettingsAPI, and the groups that it returns: Settings.DefaultNamespace().
func (groups Groups) collect(group reflect.Value) {
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

// Method returns the function of an operation, or the error [sdk.ErrUnreached] if no client has it.
func (groups Groups) Method(o *sdk.Operation) (reflect.Value, error) {
	group, ok := groups[o.Service+"."+o.Group]
	if !ok {
		return reflect.Value{}, sdk.ErrUnreached
	}
	m := group.MethodByName(o.Name)
	if !m.IsValid() {
		return reflect.Value{}, sdk.ErrUnreached
	}
	return m, nil
}

// nothing is a source of settings without any setting.
type nothing struct{}

func (nothing) Name() string                   { return "nothing" }
func (nothing) Configure(*config.Config) error { return nil }

// request is a request that a client sent.
type request struct {
	verb   string
	path   string // escaped
	query  string
	header http.Header
	body   []byte
}

// recorder keeps the first request since the last reset, and answers each with an empty success.
type recorder struct {
	first  *request
	answer string
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	sent := &request{verb: req.Method, header: req.Header.Clone()}
	sent.path, sent.query, _ = strings.Cut(req.URL.RequestURI(), "?")
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		sent.body = body
	}
	if r.first == nil {
		r.first = sent
	}
	return &http.Response{
		Status:     "200 OK",
		StatusCode: http.StatusOK,
		Proto:      "HTTP/1.1",
		ProtoMajor: 1,
		ProtoMinor: 1,
		Header:     http.Header{"Content-Type": {"application/json"}},
		Body:       io.NopCloser(bytes.NewReader([]byte(r.answer))),
		Request:    req,
	}, nil
}

// send calls a function of the SDK and returns the first request that it makes. Errors of the SDK
// after that are of no concern, since the answer is empty.
func (ob *Observer) send(o *sdk.Operation, method, filled reflect.Value) (*request, error) {
	ob.recorder.first, ob.recorder.answer = nil, "{}"
	if o.Response.Kind == sdk.ArrayResponse {
		ob.recorder.answer = "[]"
	}
	ctx := reflect.ValueOf(context.Background())
	args := []reflect.Value{ctx}
	if filled.IsValid() {
		args = append(args, filled)
	}
	out := method.Call(args)
	if list := out[0]; list.Kind() == reflect.Interface && list.MethodByName("HasNext").IsValid() {
		list.MethodByName("HasNext").Call([]reflect.Value{ctx})
	}
	if ob.recorder.first != nil {
		return ob.recorder.first, nil
	}
	if err, failed := out[len(out)-1].Interface().(error); failed {
		return nil, fmt.Errorf("the SDK sends nothing: %w", err)
	}
	return nil, fmt.Errorf("the SDK sends nothing")
}
