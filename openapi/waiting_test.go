package openapi_test

import (
	"strings"
	"testing"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// waiting returns a document whose resource r has a method m that begins work, and whose other resource
// returns the state of that work. The lines of the operation stand in between.
func waiting(operation string) string {
	return `
components:
  schemas: {Thing: {type: object}}
  x-stackQL-resources:
    broken: {methods: {m: {operation: {$ref: '#/nowhere'}}, n: {}}}
    r: {methods: {m: {operation: {$ref: '#/paths/~1{account}~1things/post'}}}}
    progress: {methods: {get: {operation: {$ref: '#/paths/~1{account}~1things~1{id}/get'}}}}
    again: {methods: {get: {operation: {$ref: '#/paths/~1{account}~1things~1{id}/get'}}}}
    named: {methods: {get: {operation: {$ref: '#/paths/~1operations~1{a}~1{b}/get'}}}}
paths:
  /{account}/things/{id}:
    get:
      operationId: get_thing
      parameters: [{name: account, in: path}, {name: id, in: path}, {name: view, in: query}]
  /operations/{a}/{b}:
    get:
      operationId: get_operation
      x-lakeql-name: {parameter: name, template: 'operations/{a}/{b}'}
      parameters: [{name: a, in: path}, {name: b, in: path}]
  /{account}/things:
    post:
      parameters: [{name: account, in: path}]
` + operation
}

func TestWaitingIsRead(t *testing.T) {
	for name, test := range map[string]struct {
		operation string
		want      *provider.Wait
	}{
		"none": {"", nil},
		"null": {"      x-lakeql-operation:\n      x-lakeql-waiter:\n", nil},
		"for an operation": {
			"      x-lakeql-operation: {poll: get_operation, bind: {name: operation.name}, result: Thing}\n",
			&provider.Wait{
				Kind: provider.ForOperation, Poll: "p.s.named.get", Result: &provider.Schema{Ref: "Thing"},
				Bind: []provider.Binding{{Param: "name", From: provider.FromResponse, Path: "operation.name"}},
			},
		},
		"for an operation without result": {
			"      x-lakeql-operation: {poll: get_operation, bind: {a: x, b: y}}\n",
			&provider.Wait{
				Kind: provider.ForOperation, Poll: "p.s.named.get",
				Bind: []provider.Binding{{Param: "a", From: provider.FromResponse, Path: "x"}, {Param: "b", From: provider.FromResponse, Path: "y"}},
			},
		},
		"for a state, with a parameter that both have": {
			"      x-lakeql-waiter: {poll: get_thing, bind: {id: response.thing.id}, state: status.state, message: status.text, success: [UP, IDLE], failure: [DOWN], timeout: 1200s}\n",
			&provider.Wait{
				Kind: provider.ForState, Poll: "p.s.progress.get",
				Bind:  []provider.Binding{{Param: "id", From: provider.FromResponse, Path: "thing.id"}, {Param: "account", From: provider.FromRequest, Path: "account"}},
				State: "status.state", Message: "status.text", Success: []string{"UP", "IDLE"}, Failure: []string{"DOWN"}, Timeout: 20 * time.Minute,
			},
		},
		"for a state, with all bound and without bound": {
			"      x-lakeql-waiter: {poll: get_thing, bind: {id: request.body.id, account: request.a, view: response.v}, state: s, success: [UP]}\n",
			&provider.Wait{
				Kind: provider.ForState, Poll: "p.s.progress.get",
				Bind: []provider.Binding{
					{Param: "id", From: provider.FromRequest, Path: "body.id"},
					{Param: "account", From: provider.FromRequest, Path: "a"},
					{Param: "view", From: provider.FromResponse, Path: "v"},
				},
				State: "s", Success: []string{"UP"},
			},
		},
	} {
		m := resource(t, waiting(test.operation)).Methods[0]
		equal(t, name, m.Wait, test.want)
		if m.LongRunning() != (test.want != nil) {
			t.Errorf("%s: long-running is %t", name, m.LongRunning())
		}
	}
}

// TestCompletionIsRead reads how to complete the items of a list.
func TestCompletionIsRead(t *testing.T) {
	m := resource(t, waiting("      x-lakeql-completion: {get: get_thing, bind: {id: thing.id}, more: cut, if: account}\n")).Methods[0]
	equal(t, "a completion", m.Completion, &provider.Completion{
		Get: "p.s.progress.get", More: "cut", If: "account",
		Bind: []provider.Binding{{Param: "id", From: provider.FromResponse, Path: "thing.id"}, {Param: "account", From: provider.FromRequest, Path: "account"}},
	})
	if m := resource(t, waiting("      x-lakeql-completion:\n")).Methods[0]; m.Completion != nil {
		t.Errorf("null is read as %v", m.Completion)
	}
}

func TestWaitingErrors(t *testing.T) {
	for _, test := range []struct{ name, operation, want string }{
		{"text", "      x-lakeql-operation: yes please\n", "expected a mapping, found a single value"},
		{"both", "      x-lakeql-operation: {poll: get_operation, bind: {name: name}}\n      x-lakeql-waiter: {poll: get_thing}\n", "x-lakeql-operation and x-lakeql-waiter exclude each other"},
		{"no poll", "      x-lakeql-operation: {bind: {name: name}}\n", `polls "", which is the operation of no method in the document`},
		{"an unknown poll", "      x-lakeql-operation: {poll: x, bind: {name: name}}\n", `polls "x", which is the operation of no method in the document`},
		{"an unknown result", "      x-lakeql-operation: {poll: get_operation, bind: {name: name}, result: X}\n", `result "X" is no schema of the document`},
		{"nothing bound", "      x-lakeql-operation: {poll: get_operation}\n", `polls "get_operation" without its parameter "a"`},
		{"not all bound", "      x-lakeql-operation: {poll: get_operation, bind: {a: a}}\n", `polls "get_operation" without its parameter "b"`},
		{"no such parameter", "      x-lakeql-operation: {poll: get_operation, bind: {name: name, c: c}}\n", `binds "c", which is no parameter of "get_operation"`},
		{"bound to nothing", "      x-lakeql-operation: {poll: get_operation, bind: {name: }}\n", `"name" is bound to "", not to an attribute of the request or the response`},
		{"no state", "      x-lakeql-waiter: {poll: get_thing, bind: {id: request.id}, success: [UP]}\n", "x-lakeql-waiter needs state and success"},
		{"no success", "      x-lakeql-waiter: {poll: get_thing, bind: {id: request.id}, state: s}\n", "x-lakeql-waiter needs state and success"},
		{"bound to somewhere", "      x-lakeql-waiter: {poll: get_thing, bind: {id: header.id}, state: s, success: [UP]}\n", `"id" is bound to "header.id", not to an attribute of the request or the response`},
		{"bound to all of it", "      x-lakeql-waiter: {poll: get_thing, bind: {id: response}, state: s, success: [UP]}\n", `"id" is bound to "response", not to an attribute of the request or the response`},
		{"a time without unit", "      x-lakeql-waiter: {poll: get_thing, bind: {id: request.id}, state: s, success: [UP], timeout: 20}\n", `"20" is not a duration such as 1200s`},
		{"a completion without get", "      x-lakeql-completion: {bind: {id: id}, more: cut}\n", `polls "", which is the operation of no method in the document`},
		{"a completion of all", "      x-lakeql-completion: {get: get_thing, bind: {id: id}}\n", "x-lakeql-completion needs more"},
		{"a completion by nothing", "      x-lakeql-completion: {get: get_thing, bind: {id: id}, more: cut, if: x}\n", `x-lakeql-completion depends on "x", which is no parameter`},
		{"no time at all", "      x-lakeql-waiter: {poll: get_thing, bind: {id: request.id}, state: s, success: [UP], timeout: 0s}\n", `"0s" is not a duration such as 1200s`},
	} {
		_, err := load(t, folder(waiting(test.operation))).Resource("p", "s", "r")
		if err == nil || !strings.HasSuffix(err.Error(), ": "+test.want) || provider.CodeOf(err) != provider.Usage {
			t.Errorf("%s: %v\nwant %s", test.name, err, test.want)
		}
	}
}
