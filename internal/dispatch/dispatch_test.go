package dispatch_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/lakeql/lakeql/internal/auth"
	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/openapi"
	"github.com/lakeql/lakeql/provider"
)

const token = "dapi-token-of-the-tests"

// catalogue returns the documents under testdata.
func catalogue(tb testing.TB) *provider.Catalogue {
	tb.Helper()
	docs, err := openapi.LoadAll(os.DirFS("testdata/documents"))
	if err != nil {
		tb.Fatal(err)
	}
	return provider.NewCatalogue(docs)
}

// serve starts a server and makes a client for it that waits for nothing between attempts.
func serve(tb testing.TB, handler http.HandlerFunc) *dispatch.Client {
	tb.Helper()
	server := httptest.NewServer(handler)
	tb.Cleanup(server.Close)
	return clientFor(tb, server.URL)
}

func clientFor(tb testing.TB, url string) *dispatch.Client {
	tb.Helper()
	static, err := auth.NewStatic(url, token)
	if err != nil {
		tb.Fatal(err)
	}
	c := &dispatch.Client{
		Catalogue:  catalogue(tb),
		Authorizer: static,
		HTTP:       dispatch.NewHTTP(),
		UserAgent:  "lakeql/test",
		Retry:      dispatch.Retry{Wait: func(context.Context, time.Duration) error { return nil }},
	}
	tb.Cleanup(c.HTTP.CloseIdleConnections)
	return c
}

// method finds a method of the test documents.
func method(tb testing.TB, c *dispatch.Client, name string) *provider.Method {
	tb.Helper()
	m, err := c.Catalogue.Method("test", "things", "things", name)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// request is a call of a method of the test documents.
type request struct {
	method string
	args   map[string]any
	body   string // JSON
}

// call runs a request and returns its rows.
func (r request) call(ctx context.Context, tb testing.TB, c *dispatch.Client) ([][]any, error) {
	tb.Helper()
	req, err := r.plan(tb, c)
	if err != nil {
		return nil, err
	}
	rows, err := c.Run(ctx, req)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // it has no error
	var all [][]any
	for {
		row, err := rows.Next(ctx)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		all = append(all, row)
	}
}

func (r request) plan(tb testing.TB, c *dispatch.Client) (*dispatch.Request, error) {
	tb.Helper()
	call := dispatch.Call{Method: method(tb, c, r.method), Args: r.args}
	if r.body != "" {
		call.Body = fromJSON(tb, r.body)
	}
	return c.Plan(call)
}

// get is the simplest request; post is a request that must not run twice.
func get() request  { return request{method: "get", args: map[string]any{"name": "n"}} }
func post() request { return request{method: "create", body: `{"name": "n"}`} }

// fromJSON reads a value as statements give it.
func fromJSON(tb testing.TB, text string) any {
	tb.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil {
		tb.Fatalf("%s: %v", text, err)
	}
	return value
}

// asError returns the error that a person would see.
func asError(tb testing.TB, err error) *provider.Error {
	tb.Helper()
	e, ok := errors.AsType[*provider.Error](err)
	if !ok {
		tb.Fatalf("got %v (%T), want an error for a person", err, err)
	}
	return e
}

// answer writes a body as JSON.
func answer(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, body)
}

const thing = `{"name": "n", "size": 1}`
