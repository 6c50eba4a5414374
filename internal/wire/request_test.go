package wire

import (
	"reflect"
	"testing"

	"github.com/lakeql/lakeql/internal/openapigen/sdk"
)

// TestRequests sends every operation twice from either side, with every argument and with those
// that are required, and compares the requests.
func TestRequests(t *testing.T) {
	s := newSuite(t)
	all := s.api.Operations()
	report := newReport(t, "request")
	for _, o := range all {
		for _, f := range fillings() {
			report.add(o, f.name, s.exchange(t, o, f))
		}
	}
	report.finish(len(all))
}

// exchange makes the same call on both sides and lists the differences between the requests.
func (s *suite) exchange(t *testing.T, o *sdk.Operation, f filling) []difference {
	t.Helper()
	failed := func(err error) []difference { return []difference{{o.ID(), "call", err.Error()}} }
	m, err := s.method(o)
	if err != nil {
		return failed(err)
	}
	function, err := s.official.Method(o)
	if err != nil {
		return failed(err)
	}
	var filled reflect.Value
	if in := requestType(function); in != nil {
		filled = (&filler{filling: f, api: s.api, operation: o, method: m}).request(in)
	}
	ours, err := callOf(o, m, filled)
	if err != nil {
		return failed(err)
	}
	answered := empty(o)
	s.server.expect(answered)
	if _, err := call(t.Context(), function, filled); err != nil {
		return failed(err)
	}
	theirs := s.server.received()
	s.server.expect(answered)
	_, err = s.ours(t.Context(), ours)
	sent := s.server.received()
	if err != nil && len(sent) == 0 {
		return failed(err)
	}
	return compareRequests(o, theirs, sent)
}

// empty is an answer that has nothing in it.
func empty(o *sdk.Operation) answer {
	nothing := []byte("{}")
	if o.Response.Kind == sdk.ArrayResponse {
		nothing = []byte("[]")
	}
	return answer{body: nothing, rest: nothing}
}
