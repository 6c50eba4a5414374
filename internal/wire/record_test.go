package wire

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// recorder is the server that both sides call. It records every request and sends the configured answer.
type recorder struct {
	url *url.URL

	mu       sync.Mutex
	requests []*request
	answer   answer
}

// request is a request as it came over the wire.
type request struct {
	verb   string
	path   string // escaped
	query  string
	header http.Header
	body   []byte
}

// answer is the configured answer. Later requests, for another page, get rest.
type answer struct {
	header http.Header
	body   []byte
	rest   []byte
}

func newRecorder(t *testing.T) *recorder {
	t.Helper()
	r := &recorder{}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	parsed, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	r.url = parsed
	return r
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	path, query, _ := strings.Cut(req.RequestURI, "?")
	r.mu.Lock()
	r.requests = append(r.requests, &request{verb: req.Method, path: path, query: query, header: req.Header.Clone(), body: body})
	first, a := len(r.requests) == 1, r.answer
	r.mu.Unlock()
	for name, values := range a.header {
		w.Header()[name] = values
	}
	if !first {
		a.body = a.rest
	}
	if _, err := w.Write(a.body); err != nil {
		panic(http.ErrAbortHandler) // the client is gone, and will say so
	}
}

// expect clears the recorded requests and sets the answer.
func (r *recorder) expect(a answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests, r.answer = nil, a
}

// received returns the requests since the last expect.
func (r *recorder) received() []*request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.requests
}
