package emulator

import (
	"encoding/json"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/resource"
	"github.com/lakeql/lakeql/provider"
)

// FaultKind is how an answer goes wrong.
type FaultKind string

// The kinds of fault. The emulator carries out the operation under slow, cut, malformed,
// repeat-token and fail, but not under a status and reset.
const (
	FaultStatus      FaultKind = "status"       // an error with a status of choice
	FaultSlow        FaultKind = "slow"         // the right answer, late
	FaultCut         FaultKind = "cut"          // the connection ends in the middle of the body
	FaultMalformed   FaultKind = "malformed"    // the body is JSON that stops half-way
	FaultReset       FaultKind = "reset"        // the connection is reset before an answer
	FaultRepeatToken FaultKind = "repeat-token" // a list returns the page token of the request
	FaultFail        FaultKind = "fail"         // what the request begins fails later: an operation, a run, a cluster
)

// Fault is a rule that makes answers go wrong. The zero value hits no request; use [ParseFault].
type Fault struct {
	Verb      string // an HTTP method, or *
	Workspace string // a deployment name with * as a wildcard; empty: every workspace
	Path      string // the path as it is sent, with * as a wildcard for any characters
	Kind      FaultKind

	Status     int           // of FaultStatus
	Shape      string        // of FaultStatus: json, html, text, empty, scim, api12
	RetryAfter time.Duration // of FaultStatus, in whole seconds; 0: not said
	Delay      time.Duration // of FaultSlow

	Times int // how many requests are hit; 0: all
	// Percent is how many of a hundred requests are hit, on average; 0: all. The number of requests
	// before determines whether a request is hit.
	Percent float64
}

// ParseFault reads a rule:
//
//	POST /api/2.0/postgres/credentials: 503 x2
//	GET dbc-1/api/2.0/postgres/*: 429 retry-after=7 body=html
//	* *: slow=500ms
//	GET dbc-*/*: 500 1%
//
// A verb (or *), a path (* stands for any characters; a deployment name may stand before it) and,
// after a colon, what happens: a status from 400 to 599, with retry-after=SECONDS and
// body=json|html|text|empty|scim|api12 where wanted, or slow=DURATION, cut, malformed, reset,
// repeat-token, or fail (the answer is good, and what it begins fails). xN ends the rule after N
// requests. N% hits that part of the requests; later rules may hit the others.
func ParseFault(text string) (Fault, error) {
	target, what, ok := strings.Cut(text, ": ")
	verb, path, hasPath := strings.Cut(strings.TrimSpace(target), " ")
	words := strings.Fields(what)
	if !ok || !hasPath || len(words) == 0 {
		return Fault{}, provider.Usagef("fault %q is not of the form 'POST /api/2.0/…: 503 x2'", text)
	}
	f := Fault{Verb: strings.ToUpper(verb), Path: strings.TrimSpace(path)}
	if before, after, ok := strings.Cut(f.Path, "/"); ok && before != "" {
		f.Workspace, f.Path = before, "/"+after
	}
	if err := f.parseKind(words[0]); err != nil {
		return Fault{}, provider.Usagef("fault %q: %v", text, err)
	}
	for _, word := range words[1:] {
		if err := f.parseWord(word); err != nil {
			return Fault{}, provider.Usagef("fault %q: %v", text, err)
		}
	}
	return f, nil
}

func (f *Fault) parseKind(word string) error {
	if text, ok := strings.CutPrefix(word, "slow="); ok {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return provider.Usagef("%q is not a duration such as 500ms", text)
		}
		f.Kind, f.Delay = FaultSlow, d
		return nil
	}
	if status, err := strconv.Atoi(word); err == nil {
		if status < 400 || status > 599 {
			return provider.Usagef("%d is not a status from 400 to 599", status)
		}
		f.Kind, f.Status, f.Shape = FaultStatus, status, apierror.ShapeJSON
		return nil
	}
	f.Kind = FaultKind(word)
	if !slices.Contains([]FaultKind{FaultCut, FaultMalformed, FaultReset, FaultRepeatToken, FaultFail}, f.Kind) {
		return provider.Usagef("%q is neither a status nor slow=, cut, malformed, reset, repeat-token or fail", word)
	}
	return nil
}

func (f *Fault) parseWord(word string) error {
	key, value, hasValue := strings.Cut(word, "=")
	if share, ok := strings.CutSuffix(word, "%"); ok && !hasValue {
		percent, err := strconv.ParseFloat(share, 64)
		if err != nil || !(percent > 0 && percent < 100) {
			return provider.Usagef("%q is not a part of the requests such as 5%%", word)
		}
		f.Percent = percent
		return nil
	}
	if times, ok := strings.CutPrefix(word, "x"); ok && !hasValue {
		n, err := strconv.Atoi(times)
		if err != nil || n < 1 {
			return provider.Usagef("%q is not a number of times such as x2", word)
		}
		f.Times = n
		return nil
	}
	switch {
	case key == "retry-after" && f.Kind == FaultStatus:
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 || n > 86_400 {
			return provider.Usagef("%q is not a number of seconds up to a day", value)
		}
		f.RetryAfter = time.Duration(n) * time.Second
	case key == "body" && f.Kind == FaultStatus && slices.Contains(apierror.Shapes(), value):
		f.Shape = value
	default:
		return provider.Usagef("%q does not go with %s", word, f.Kind)
	}
	return nil
}

// String writes the rule as [ParseFault] reads it.
func (f Fault) String() string {
	var b strings.Builder
	b.WriteString(f.Verb + " " + f.Workspace + f.Path + ": ")
	switch f.Kind {
	case FaultStatus:
		b.WriteString(strconv.Itoa(f.Status))
		if f.RetryAfter > 0 {
			b.WriteString(" retry-after=" + strconv.Itoa(int(f.RetryAfter.Seconds())))
		}
		if f.Shape != apierror.ShapeJSON && f.Shape != "" {
			b.WriteString(" body=" + f.Shape)
		}
	case FaultSlow:
		b.WriteString("slow=" + f.Delay.String())
	default:
		b.WriteString(string(f.Kind))
	}
	if f.Times > 0 {
		b.WriteString(" x" + strconv.Itoa(f.Times))
	}
	if f.Percent > 0 {
		b.WriteString(" " + strconv.FormatFloat(f.Percent, 'g', -1, 64) + "%")
	}
	return b.String()
}

// SetFaults replaces the rules in force. The first rule that fits a request hits it. No rule hits
// requests under /_emulator/.
func (e *Emulator) SetFaults(rules ...Fault) {
	e.faults.set(rules)
}

// faults are the rules in force, and how often each has hit.
type faults struct {
	mu    sync.Mutex
	rules []Fault
	hits  []int
	draws []*rand.Rand // for those that hit a part
}

func (s *faults) set(rules []Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules, s.hits = slices.Clone(rules), make([]int, len(rules))
	s.draws = nil
	for i := range rules {
		s.draws = append(s.draws, rand.New(rand.NewPCG(uint64(i), 0))) //nolint:gosec // no secret
	}
}

// next returns the fault that hits the request, or nil.
func (s *faults) next(x *exchange) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.rules {
		f := s.rules[i]
		if f.Times > 0 && s.hits[i] >= f.Times || !f.fits(x) {
			continue
		}
		if f.Percent > 0 && s.draws[i].Float64()*100 >= f.Percent {
			continue
		}
		s.hits[i]++
		return &f
	}
	return nil
}

func (f *Fault) fits(x *exchange) bool {
	if f.Verb != "*" && f.Verb != x.request.Method {
		return false
	}
	if f.Workspace != "" && !wildcard(f.Workspace, x.deployment) {
		return false
	}
	// A first page has no token to repeat, so it does not count as a hit.
	if f.Kind == FaultRepeatToken && pageToken(x) == "" {
		return false
	}
	return wildcard(f.Path, x.path)
}

// wildcard matches text against a pattern. In it * stands for any number of characters.
func wildcard(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	last := parts[len(parts)-1]
	text, ok := strings.CutPrefix(text, parts[0])
	if !ok || !strings.HasSuffix(text, last) {
		return false
	}
	text = strings.TrimSuffix(text, last)
	for _, part := range parts[1 : len(parts)-1] {
		_, after, found := strings.Cut(text, part)
		if !found {
			return false
		}
		text = after
	}
	return true
}

// answer is the error of a rule with a status.
func (f *Fault) answer(requestID string) *response {
	e := apierror.New(f.Status, apierror.CodeOf(f.Status), "The emulator was told to answer %d here.", f.Status)
	e.RetryAfter = f.RetryAfter
	return errorResponse(e, f.Shape, requestID)
}

// damage spoils a response.
func (f *Fault) damage(a *response, x *exchange) {
	switch f.Kind {
	case FaultCut:
		a.declared = len(a.body) + 1
		a.body = a.body[:len(a.body)/2]
	case FaultMalformed:
		a.body = a.body[:(len(a.body)+1)/2]
	case FaultRepeatToken:
		var page map[string]json.RawMessage
		if a.status != http.StatusOK || json.Unmarshal(a.body, &page) != nil || page == nil {
			return
		}
		page["next_page_token"] = resource.JSON(pageToken(x))
		a.body = resource.JSON(page)
	default: // the others act before there is a response
	}
}

// pageToken returns the page token of a request, from its query or its body.
func pageToken(x *exchange) string {
	if query, err := url.ParseQuery(x.request.URL.RawQuery); err == nil && query.Get("page_token") != "" {
		return query.Get("page_token")
	}
	var body struct {
		PageToken string `json:"page_token"`
	}
	if json.Unmarshal(x.body, &body) != nil {
		return ""
	}
	return body.PageToken
}

// reset closes the connection in a way that the client sees as a reset.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		w.WriteHeader(http.StatusBadGateway) // not a connection of our own, as in a recorder
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // unsent data is dropped and RST sent instead of FIN
	}
	_ = conn.Close()
}
