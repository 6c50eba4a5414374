// Package dispatch makes calls of the API over HTTP: a method and its arguments become requests, and
// the answers become rows.
//
// [Client.Plan] checks a call against the documents and builds its request without sending anything,
// so that a wrong statement fails before the first byte. [Client.Run] sends the request, with retries,
// and returns the rows, page after page. Only the [Authorizer] decides which host may be called, and
// with which credential.
package dispatch

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/lakeql/lakeql/internal/spill"
	"github.com/lakeql/lakeql/provider"
)

// Call is a method of the API with its arguments. Values have the types of JSON decoded with UseNumber:
// nil, string, bool, json.Number, []any, map[string]any.
type Call struct {
	Method *provider.Method
	// Deployment is the deployment name; empty means the configured host.
	Deployment string
	// Args are the operation's parameters by name; nil counts as absent.
	Args map[string]any
	// Body is the request body; nil counts as absent.
	Body any
}

// Authorizer knows the hosts of workspaces and the credentials for them.
type Authorizer interface {
	// Direct sets the scheme and host of a request to those of the workspace with the deployment name;
	// an empty name means the configured workspace. It refuses a name that is not a workspace, and sends
	// nothing. A request that already has a host is for the account: the document names the host of the
	// account's API, and other clouds have other hosts.
	Direct(r *http.Request, deployment string) error
	// Authorize adds the credential for the host that the request is directed to.
	Authorize(r *http.Request) error
}

// Pacer decides when a request may be sent to a workspace. It coordinates several programs that share
// the limit of a workspace. Several goroutines call its methods.
type Pacer interface {
	// Wait returns when a request may be sent to a workspace, named as [Request.Workspace] does, or
	// with an error where it may not be sent at all.
	Wait(ctx context.Context, workspace string) error
	// Answered receives the result of an attempt: the HTTP status, or 0 without an answer.
	Answered(workspace string, status int)
}

// Client calls the API. The zero values of its fields but Catalogue and Authorizer are usable.
// It may be used by several goroutines.
type Client struct {
	Catalogue  *provider.Catalogue
	Authorizer Authorizer
	// HTTP sends the requests. It must not follow redirects to other hosts: see [NewHTTP].
	HTTP      *http.Client
	UserAgent string
	Retry     Retry
	// RequestTimeout bounds the wait for an answer to begin, and then for each next part of it.
	// 0 means 45 seconds, as in StackQL; below 0, no limit.
	RequestTimeout time.Duration
	// AnswerLimit bounds one answer, in bytes: a longer one is an error. 0 means 256 MiB.
	AnswerLimit int64
	// Bytes returns an answer that is neither JSON nor text as its bytes, not as base64.
	Bytes bool
	// Masked puts masks in place of the credentials in the rows of Run and Await.
	Masked bool
	// PageLimit is the maximum number of pages to fetch of a list; 0 means all. Cut of a [Reader]
	// reports a list that it cuts off.
	PageLimit int
	// EmptyPages is how many pages in a row may have no item while the list goes on; more are an error. 0
	// means 10,000.
	EmptyPages int
	// Parallel is how many requests may be under way to one host at once, at most: it is halved
	// when the host answers 429, and grows again. 0 means 16.
	Parallel int
	// Limits, if set, are the bounds of several clients together; nil: the client's own.
	Limits *Limits
	// Documents, if set, is what several clients of one catalogue know about its methods; nil: each works
	// it out anew.
	Documents *Documents
	// Deployment is the deployment name for calls without one; empty: the configured host. Calls of
	// the account's API have no deployment name.
	Deployment string
	// Confined refuses calls of other workspaces than Deployment.
	Confined bool
	// Pacer, if set, is asked before each attempt, and told how it went.
	Pacer Pacer
	// Source answers the calls of methods that connect elsewhere ([provider.Method.Connects]).
	Source Source
	// Activity, if set, counts the requests while they are made.
	Activity *Activity
	// Logger gets one event a request, without secrets. Nil means none.
	Logger *slog.Logger
	// OnRetry, if set, is called before each wait for a retry.
	OnRetry func(reason error, wait time.Duration)
	// OnReplaced, if set, receives the number of characters of an answer that U+FFFD has replaced,
	// because they are not valid text. Several goroutines call it.
	OnReplaced func(req *Request, characters int)
	// OnPart, if set, is called for rows that report that they are incomplete and whose rest is not
	// read. It receives the method's full name, and the path of the attribute with the report. Several
	// goroutines call it.
	OnPart func(method, attribute string)
	// OnProgress, if set, receives the progress of the work from Await: at its first state, at each
	// change of state or message, and every 10 seconds of waiting.
	OnProgress func(Progress)

	sent         sent      // the credentials that answers may repeat
	ownLimits    Limits    // in place of Limits, where those are nil
	ownDocuments Documents // in place of Documents, where those are nil

	ownHTTP sync.Once
	own     *http.Client // in place of HTTP, where that is nil
}

// Request is a call that was checked and is ready to be sent.
type Request struct {
	store   *spill.Store // that its answers are within; nil: none
	call    Call
	http    *http.Request // without credential and body
	body    []byte
	hasBody bool
	shape   *shape
}

// Columns describes the rows that the call returns.
func (r *Request) Columns() []provider.Column { return r.shape.columns }

// Method returns the method of the call.
func (r *Request) Method() *provider.Method { return r.call.Method }

// Call returns the call that the request was made for, with the workspace that it goes to.
func (r *Request) Call() Call { return r.call }

// Key is the same for requests that ask for the same, and no other.
func (r *Request) Key() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s\n", r.http.Method, r.http.URL, r.http.Host)
	_ = r.http.Header.Write(&b) // sorted; a Builder fails at nothing
	b.Write(r.body)
	return b.String()
}

// Workspace names the workspace that is called as a deployment name does: as the call has it, else
// by the host of the configured one.
func (r *Request) Workspace() string {
	if r.call.Deployment != "" {
		return r.call.Deployment
	}
	return strings.TrimSuffix(cmp.Or(r.http.Host, r.http.URL.Hostname()), ".cloud.databricks.com")
}

// Host is where the request goes: the same for all deployment names of one workspace.
func (r *Request) Host() string { return hostOf(r.http) }

// HostOf returns where requests for a deployment name go. Names of which it is the same are one
// workspace. A name that leads nowhere is its own.
func (c *Client) HostOf(deployment string) string {
	r := &http.Request{URL: &url.URL{}, Header: http.Header{}}
	if err := c.Authorizer.Direct(r, deployment); err != nil {
		return deployment
	}
	return hostOf(r)
}

func hostOf(r *http.Request) string { return r.URL.Scheme + "://" + cmp.Or(r.Host, r.URL.Host) }

// Plan checks a call and builds its request. Errors name the argument at fault and the path in it.
func (c *Client) Plan(call Call) (*Request, error) {
	req, err := c.build(call)
	if err != nil {
		return nil, err
	}
	if c.Confined && call.Deployment != "" && call.Deployment != c.Deployment && c.HostOf(call.Deployment) != c.HostOf(c.Deployment) {
		return nil, usage("deployment_name", nil, "%s is asked, and this query is for the workspace %s alone", provider.Quote(call.Deployment), c.Deployment)
	}
	if call.Deployment == "" && req.http.URL.Host == "" {
		call.Deployment = c.Deployment
		req.call.Deployment = c.Deployment
	}
	if err := c.Authorizer.Direct(req.http, call.Deployment); err != nil {
		if call.Deployment == "" || !c.isConfigured(req) {
			return nil, err
		}
	}
	return req, nil
}

// isConfigured directs the request to the configured workspace if the deployment name is the name of its
// host. A configured host may have names that a statement may not use otherwise.
func (c *Client) isConfigured(req *Request) bool {
	r, u := *req.http, *req.http.URL
	r.URL = &u
	configured := Request{http: &r}
	if c.Authorizer.Direct(configured.http, "") != nil || configured.Workspace() != req.call.Deployment {
		return false
	}
	req.http = configured.http
	return true
}

// Run sends the request and returns its rows. It waits for the first answer, so that it can return an
// error of the API. Further pages are fetched as the rows are read.
func (c *Client) Run(ctx context.Context, req *Request) (provider.Rows, error) {
	r := &rows{reader: c.Open(req), req: req}
	if err := r.turn(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

// NewHTTP makes an HTTP client for the API. It follows no redirects, because a redirect would send the
// request, with its body, to a host that nobody has chosen.
func NewHTTP() *http.Client {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment}
	if usual, ok := http.DefaultTransport.(*http.Transport); ok { // programs may put their own there
		transport = usual.Clone()
	}
	transport.MaxIdleConnsPerHost = 16
	transport.MaxResponseHeaderBytes = maxHeader
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// attempt makes the http.Request for one attempt, signed.
func (c *Client) attempt(ctx context.Context, req *Request) (*http.Request, error) {
	r := req.http.Clone(ctx)
	if req.hasBody {
		// With GetBody a request that found its idle connection closed, and of which nothing left,
		// goes out over another one at once.
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(req.body)), nil }
		r.Body, _ = r.GetBody() // it has no error
		r.ContentLength = int64(len(req.body))
	}
	if err := c.Authorizer.Authorize(r); err != nil {
		return nil, err
	}
	c.remember(r, req.http.Header)
	return r, nil
}

// usage is an error of an argument.
func usage(arg string, path provider.Path, format string, values ...any) *provider.Error {
	where := append(provider.Path{arg}, path...).String()
	if arg == "" {
		where = path.String()
	}
	message := fmt.Sprintf(format, values...)
	if where != "" {
		message = where + ": " + message
	}
	return provider.Usagef("%s", message).In(arg, path...)
}
