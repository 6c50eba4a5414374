package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/databricks/databricks-sdk-go/apierr"
	"github.com/databricks/databricks-sdk-go/common"

	"github.com/lakeql/lakeql/internal/auth"
	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/provider"
)

// transport answers every request with the same.
type transport struct {
	status int
	body   string
}

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: f.status, Status: fmt.Sprintf("%d Odd", f.status), Header: http.Header{}, Request: r, Body: io.NopCloser(strings.NewReader(f.body))}, nil
}

// TestPassingErrors shows that an error is sent again exactly if the SDK sends it again. The SDK's signs of
// passing errors are eight messages in its package apierr, one in its client, and two codes; beside them
// are messages that are only like them.
func TestPassingErrors(t *testing.T) {
	t.Parallel()
	docs := testworld.Catalogue(t)
	signs := []string{
		"x com.databricks.backend.manager.util.UnknownWorkerEnvironmentException: y",
		"Current organization 5 does not have any associated worker environments",
		"There is no worker environment with id workerenv-1",
		"Unknown worker environment WorkerEnvId(workerenv-1)",
		"ClusterNotReadyException: x",
		"worker env WorkerEnvId(workerenv-1) not found",
		"Timed out after 5 s",
		"deadline exceeded",
		"REQUEST_LIMIT_EXCEEDED: slow down",
	}
	like := []string{
		"worker env a, not here",
		"a worker env not found",
		"timed out after 5 s",
		"Timed out",
		"DEADLINE EXCEEDED",
		"Unknown worker",
		"",
	}
	forms := []string{
		`{"error_code": "INVALID_PARAMETER_VALUE", "message": %q}`,
		`{"error": %q}`,
		`{"detail": %q, "status": "400", "scimType": "t"}`,
		`{"error_code": "RESOURCE_EXHAUSTED", "message": %q}`,
		`{"error_code": "REQUEST_LIMIT_EXCEEDED", "message": %q}`,
		`{"message": "m", "other": %q}`,
		`SOME_CODE: %s`,
		`<html><pre>%s</pre></html>`,
		`%s`,
	}
	for _, name := range []string{"list", "create"} {
		method, err := docs.Method("databricks_workspace", "compute", "clusters", name)
		if err != nil {
			t.Fatal(err)
		}
		call := dispatch.Call{Method: method}
		if method.Body != nil {
			call.Body = map[string]any{"spark_version": "v"}
		}
		for _, status := range []int{400, 404, 409, 500, 504} {
			for _, form := range forms {
				for i, message := range slices.Concat(signs, like) {
					answered := transport{status, fmt.Sprintf(form, message)}
					theirs, err := sdkRepeats(t, answered)
					if err != nil {
						t.Fatal(err)
					}
					if i < len(signs) && form == forms[0] && !theirs {
						t.Errorf("the SDK does not repeat %q any more", message)
					}
					if ours := repeats(t, docs, call, answered); ours != theirs {
						t.Errorf("%s answered %d %s: the SDK repeats it: %v, we: %v", name, status, answered.body, theirs, ours)
					}
				}
			}
		}
	}
}

// sdkRepeats reports whether the SDK repeats a request with such an answer.
func sdkRepeats(t *testing.T, answered transport) (bool, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/", nil)
	if err != nil {
		return false, err
	}
	resp, err := answered.RoundTrip(r)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	apiErr, ok := errors.AsType[*apierr.APIError](apierr.GetAPIError(t.Context(), common.ResponseWrapper{Response: resp, ReadCloser: resp.Body}))
	if !ok {
		return false, fmt.Errorf("the SDK has no error for %d %s", answered.status, answered.body)
	}
	const transientError = "REQUEST_LIMIT_EXCEEDED" // TransientErrors of config.HTTPClientConfigFromConfig
	return apiErr.IsRetriable(t.Context()) || strings.Contains(apiErr.Error(), transientError), nil
}

// repeats reports whether we do.
func repeats(t *testing.T, docs *provider.Catalogue, call dispatch.Call, answered transport) bool {
	t.Helper()
	authorizer, err := auth.NewStatic("http://localhost", "token")
	if err != nil {
		t.Fatal(err)
	}
	repeated := false
	c := &dispatch.Client{
		Catalogue:  docs,
		Authorizer: authorizer,
		HTTP:       &http.Client{Transport: answered},
		Retry: dispatch.Retry{Wait: func(context.Context, time.Duration) error {
			repeated = true
			return context.Canceled
		}},
	}
	req, err := c.Plan(call)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Run(t.Context(), req); err == nil {
		t.Errorf("%d %s is no error", answered.status, answered.body)
	}
	return repeated
}
