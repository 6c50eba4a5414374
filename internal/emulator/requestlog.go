package emulator

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// Limits of the log: bytes of a body, and bytes of all requests together.
const (
	maxLoggedBody = 64 << 10
	maxLogged     = 64 << 20
)

const (
	controlPrefix = "/_emulator/"
	mask          = "****"
)

// Request is a request in the log, and the status of its answer.
type Request struct {
	ID        string    `json:"id"` // the answer's x-request-id
	Time      time.Time `json:"time"`
	Method    string    `json:"method"`
	Host      string    `json:"host"`
	Workspace string    `json:"workspace,omitempty"` // empty: the host is no workspace's
	Path      string    `json:"path"`                // escaped, as it came
	Query     string    `json:"query,omitempty"`     // as it came
	// Header holds the headers. Credentials in them are masked.
	Header http.Header `json:"header"`
	// Body holds the first 64 KiB. Secrets of OAuth forms are masked.
	Body          string        `json:"body,omitempty"`
	BodyTruncated bool          `json:"body_truncated,omitempty"`
	Operation     string        `json:"operation,omitempty"` // the documented method, by its full name
	Fault         string        `json:"fault,omitempty"`     // the rule that hit
	Status        int           `json:"status"`              // 0: no answer
	Duration      time.Duration `json:"duration_ns"`
}

// Counts are totals since the last reset.
type Counts struct {
	Total       int            `json:"total"`
	ByOperation map[string]int `json:"by_operation"`
	ByStatus    map[int]int    `json:"by_status"`
}

// requestLog keeps the newest requests, as many as limit and maxLogged allow.
type requestLog struct {
	limit int

	mu     sync.Mutex
	kept   []Request // the oldest first
	size   int       // bytes in kept
	counts Counts
}

func newRequestLog(limit int) *requestLog {
	l := &requestLog{limit: limit}
	l.reset()
	return l
}

func (l *requestLog) add(x *exchange, status int, now time.Time) {
	r := x.request
	entry := Request{
		ID: x.id, Time: x.arrived, Method: r.Method, Host: r.Host, Workspace: x.deployment, Path: x.path,
		Query: r.URL.RawQuery, Header: maskedHeader(r.Header), Operation: x.operation, Status: status, Duration: now.Sub(x.arrived),
	}
	entry.Body, entry.BodyTruncated = loggedBody(x)
	if x.fault != nil {
		entry.Fault = x.fault.String()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts.Total++
	l.counts.ByStatus[status]++
	if entry.Operation != "" {
		l.counts.ByOperation[entry.Operation]++
	}
	l.kept = append(l.kept, entry)
	l.size += entry.size()
	for len(l.kept) > l.limit || l.size > maxLogged {
		l.size -= l.kept[0].size()
		l.kept[0] = Request{} // the array behind the slice lives on
		l.kept = l.kept[1:]
	}
}

// size estimates how many bytes the request takes.
func (r *Request) size() int {
	n := len(r.Method) + len(r.Host) + len(r.Path) + len(r.Query) + len(r.Body)
	for name, values := range r.Header {
		n += len(name)
		for _, v := range values {
			n += len(v)
		}
	}
	return n
}

func (l *requestLog) requests() []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := slices.Clone(l.kept)
	for i := range all {
		all[i].Header = all[i].Header.Clone()
	}
	return all
}

func (l *requestLog) totals() Counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.counts
	c.ByOperation, c.ByStatus = maps.Clone(c.ByOperation), maps.Clone(c.ByStatus)
	return c
}

func (l *requestLog) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept, l.size = nil, 0
	l.counts = Counts{ByOperation: map[string]int{}, ByStatus: map[int]int{}}
}

// control serves the paths that are about the emulator and not part of the API. They need no token:
// their answers hold no secret, and only this machine can reach them.
func (e *Emulator) control(x *exchange) *response {
	if x.path != controlPrefix+"requests" {
		missing := apierror.New(http.StatusNotFound, "ENDPOINT_NOT_FOUND", "The emulator has nothing at %s; it has %srequests.", apierror.Printable(x.path), controlPrefix)
		return errorResponse(missing, apierror.ShapeJSON, x.id)
	}
	switch x.request.Method {
	case http.MethodGet:
		return &response{status: http.StatusOK, body: resource.JSON(struct {
			Counts
			Requests []Request `json:"requests"`
		}{e.Counts(), append([]Request{}, e.Requests()...)})}
	case http.MethodDelete:
		e.Reset()
		return &response{status: http.StatusOK, body: []byte("{}")}
	}
	refused := apierror.New(http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "%s takes GET and DELETE.", x.path)
	refused.Header = http.Header{"Allow": {"DELETE, GET"}}
	return errorResponse(refused, apierror.ShapeJSON, x.id)
}

// maskedHeader copies the headers and masks credentials. The scheme of Authorization stays, because
// tests look at it.
func maskedHeader(h http.Header) http.Header {
	c := h.Clone()
	for name, values := range c {
		switch {
		case name == "Authorization" || name == "Proxy-Authorization":
			for i, v := range values {
				scheme, _, ok := strings.Cut(v, " ")
				if !ok {
					scheme = "" // a bare secret, perhaps
				}
				values[i] = strings.TrimSpace(scheme + " " + mask)
			}
		case name == "Cookie" || strings.HasSuffix(name, "-Token"):
			for i := range values {
				values[i] = mask
			}
		}
	}
	return c
}

// loggedBody returns the part of the body that the log keeps. It replaces bytes that are not UTF-8,
// because the log is written as JSON.
func loggedBody(x *exchange) (body string, truncated bool) {
	b := x.body
	if len(b) > maxLoggedBody {
		b, truncated = b[:maxLoggedBody], true
	}
	if x.path == tokenPath {
		return maskedForm(string(b)), truncated
	}
	return strings.ToValidUTF8(string(b), "\uFFFD"), truncated
}

// maskedForm masks the values of a form except those that are known to be harmless.
func maskedForm(body string) string {
	form, err := url.ParseQuery(body)
	if err != nil {
		return mask
	}
	for name, values := range form {
		if name == "grant_type" || name == "scope" || name == "client_id" {
			continue
		}
		for i := range values {
			values[i] = mask
		}
	}
	return strings.ReplaceAll(form.Encode(), url.QueryEscape(mask), mask)
}
