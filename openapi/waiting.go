package openapi

import (
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/lakeql/lakeql/provider"
)

// Where an operation says how to wait for the work that it begins.
const (
	operationKey = "x-lakeql-operation"
	waiterKey    = "x-lakeql-waiter"
)

// completionKey is where a list says how to complete its items.
const completionKey = "x-lakeql-completion"

// wait reads how to wait for the work that a method begins; nil if its answer is final.
func (r *reader) wait(m *provider.Method, op operation, polls polls) *provider.Wait {
	n, kind := op.fields.get(operationKey), provider.ForOperation
	switch waiter := op.fields.get(waiterKey); {
	case isNull(waiter):
	case !isNull(n):
		r.fail(waiter, "%s and %s exclude each other", operationKey, waiterKey)
		return nil
	default:
		n, kind = waiter, provider.ForState
	}
	if isNull(n) {
		return nil
	}
	node := r.mapping(n)
	w := &provider.Wait{Kind: kind}
	if kind == provider.ForOperation {
		w.Result = r.result(node.get("result"))
	} else {
		w.State = r.text(node.get("state"))
		w.Message = r.text(node.get("message"))
		w.Success = r.texts(node.get("success"))
		w.Failure = r.texts(node.get("failure"))
		w.Timeout = r.duration(node.get("timeout"))
		if w.State == "" || len(w.Success) == 0 {
			r.fail(n, "%s needs state and success", waiterKey)
		}
	}
	w.Bind = r.bindings(kind, node.get("bind"))
	r.poll(m, w, n, r.text(node.get("poll")), polls)
	return w
}

// completion reads how to complete the items of a list that come in part; nil if all come whole.
func (r *reader) completion(m *provider.Method, op operation, polls polls) *provider.Completion {
	n := op.fields.get(completionKey)
	if isNull(n) {
		return nil
	}
	node := r.mapping(n)
	w := &provider.Wait{Bind: r.bindings(provider.ForOperation, node.get("bind"))}
	r.poll(m, w, n, r.text(node.get("get")), polls)
	c := &provider.Completion{Get: w.Poll, Bind: w.Bind, More: r.text(node.get("more")), If: r.text(node.get("if"))}
	if c.More == "" {
		r.fail(n, "%s needs more", completionKey)
	}
	if _, ok := m.Param(c.If); !ok && c.If != "" {
		r.fail(n, "%s depends on %s, which is no parameter", completionKey, provider.Quote(c.If))
	}
	return c
}

// result reads the name of the schema that a finished operation's response has.
func (r *reader) result(n *yaml.Node) *provider.Schema {
	name := r.text(n)
	if name == "" {
		return nil
	}
	if r.schemas().get(name) == nil {
		r.fail(n, "result %s is no schema of the document", provider.Quote(name))
	}
	return &provider.Schema{Ref: name}
}

// duration reads a time such as 1200s; 0 where there is none.
func (r *reader) duration(n *yaml.Node) time.Duration {
	if isNull(n) {
		return 0
	}
	d, err := time.ParseDuration(r.text(n))
	if err != nil || d <= 0 {
		r.fail(n, "%s is not a duration such as 1200s", provider.Quote(r.text(n)))
	}
	return d
}

// bindings reads {parameter: path}. The paths of an operation lead into the response. The paths of a
// waiter begin with their source, request or response.
func (r *reader) bindings(kind provider.WaitKind, n *yaml.Node) []provider.Binding {
	var bind []provider.Binding
	for _, e := range r.mapping(n) {
		b := provider.Binding{Param: e.key, From: provider.FromResponse, Path: r.text(e.value)}
		if kind == provider.ForState {
			from, path, _ := strings.Cut(b.Path, ".")
			b.From, b.Path = provider.BindingSource(from), path
		}
		if b.Path == "" || b.From != provider.FromRequest && b.From != provider.FromResponse {
			r.fail(e.value, "%s is bound to %s, not to an attribute of the request or the response", provider.Quote(e.key), provider.Quote(r.text(e.value)))
		}
		bind = append(bind, b)
	}
	return bind
}

// poll finds the method to poll, and binds all of its required parameters. A parameter that the
// first method has too, such as the account, keeps its value.
func (r *reader) poll(m *provider.Method, w *provider.Wait, n *yaml.Node, id string, polls polls) {
	found, ok := polls()[id]
	if !ok {
		r.fail(n, "polls %s, which is the operation of no method in the document", provider.Quote(id))
		return
	}
	w.Poll = found.name
	params := r.params(found.op)
	var whole []string
	name := r.nameParam(found.op.fields.get("x-lakeql-name"))
	if name != nil && bound(w, name.Name) {
		whole = name.Params()
	}
	for _, p := range params {
		if !p.Required || bound(w, p.Name) || slices.Contains(whole, p.Name) {
			continue
		}
		if _, same := m.Param(p.Name); !same {
			r.fail(n, "polls %s without its parameter %s", provider.Quote(id), provider.Quote(p.Name))
		}
		w.Bind = append(w.Bind, provider.Binding{Param: p.Name, From: provider.FromRequest, Path: p.Name})
	}
	for _, b := range w.Bind {
		isParam := func(p provider.Parameter) bool { return p.Name == b.Param }
		if !slices.ContainsFunc(params, isParam) && (name == nil || name.Name != b.Param) {
			r.fail(n, "binds %s, which is no parameter of %s", provider.Quote(b.Param), provider.Quote(id))
		}
	}
}

func bound(w *provider.Wait, param string) bool {
	return slices.ContainsFunc(w.Bind, func(b provider.Binding) bool { return b.Param == param })
}

// polled is a method that another may poll.
type polled struct {
	name string // in full
	op   operation
}

// polls returns the methods of a document by the ids of their operations, read when first asked for.
type polls func() map[string]polled

// methodsByOperation reads the operations of all methods in the document of the resource sibling. It
// ignores faults in them: the reader of the faulty method reports them.
func (r *reader) methodsByOperation(sibling *provider.Resource) map[string]polled {
	byID := map[string]polled{}
	probe := r.doc.reader()
	for _, res := range probe.resources() {
		for _, e := range probe.mapping(probe.mapping(res.value).get("methods")) {
			op := probe.operation(e, probe.mapping(probe.mapping(e.value).get("operation")).get("$ref"))
			id := probe.text(op.fields.get("operationId"))
			if _, known := byID[id]; id != "" && !known {
				name := strings.Join([]string{sibling.Provider, sibling.Service, res.key, e.key}, ".")
				byID[id] = polled{name, op}
			}
			probe.err = nil
			if !probe.step(e.node) {
				return byID
			}
		}
		probe.err = nil
	}
	return byID
}
