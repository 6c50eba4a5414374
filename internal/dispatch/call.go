// Package dispatch carries out calls of the API over HTTP: a method and its arguments become
// requests, and the answers become rows.
//
// [Client.Plan] checks a call against the documents and builds its request without sending
// anything, so that a statement that cannot work fails before the first byte. [Client.Run] sends
// it, with retries, and gives the rows, page after page. Who may be called, and with which
// credential, is decided by the [Authorizer] alone.
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

// Call is a method of the API with its arguments. Values are what decoding JSON with UseNumber
// gives: nil, string, bool, json.Number, []any, map[string]any.
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
	// Direct sets the scheme and host of a request to those of a workspace: of the one with the
	// deployment name, or of the configured one where that is empty. It refuses what is no
	// workspace, and sends nothing. A request that has a host already is for the account, whose
	// API the document has there; other clouds have their own.
	Direct(r *http.Request, deployment string) error
	// Authorize adds the credential for the host that the request is directed to.
	Authorize(r *http.Request) error
}

// Pacer decides when a workspace may be sent a request, beyond what one client can know: several
// programs may share what a workspace takes. Its methods are called by several goroutines.
type Pacer interface {
	// Wait returns when a request may be sent to a workspace, named as [Request.Workspace] does, or
	// with an error where it may not be sent at all.
	Wait(ctx context.Context, workspace string) error
	// Answered is told how an attempt ended: the HTTP status, 0 where no answer came.
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
	// 0 means 45 seconds, as in StackQL.
	RequestTimeout time.Duration
	// AnswerLimit bounds one answer, in bytes: a longer one is an error. 0 means 256 MiB.
	AnswerLimit int64
	// Bytes returns an answer that is neither JSON nor text as its bytes, not as base64.
	Bytes bool
	// PageLimit is how many pages of a list are fetched at most; 0 means all. What it cuts off, Cut
	// of a [Reader] tells.
	PageLimit int
	// EmptyPages is how many pages in a row may have no item while the list goes on; more are an error. 0
	// means 10,000.
	EmptyPages int
	// Parallel is how many requests may be under way to one host at once, at most: it is halved
	// when the host answers 429, and grows again. 0 means 16.
	Parallel int
	// Limits, if set, are the bounds of several clients together; nil: the client's own.
	Limits *Limits
	// Deployment is the deployment name of calls that give none; empty: the configured host. Calls of
	// the account's API have none.
	Deployment string
	// Confined refuses calls of other workspaces than Deployment.
	Confined bool
	// Pacer, if set, is asked before each attempt, and told how it went.
	Pacer Pacer
	// Logger gets one event a request, without secrets. Nil means none.
	Logger *slog.Logger
	// OnRetry, if set, is told of each wait before a request is sent again.
	OnRetry func(reason error, wait time.Duration)
	// OnReplaced, if set, is told how many characters of an answer are U+FFFD, because what the answer has
	// there is no text. It is called by several goroutines.
	OnReplaced func(req *Request, characters int)
	// OnPart, if set, is told of rows that say that they are a part of what there is, and whose rest is
	// not read: the method's full name, and the path of the attribute that says so. It is called by
	// several goroutines.
	OnPart func(method, attribute string)
	// OnProgress, if set, is told by Await how far the work has come: when its state is first seen,
	// when state or message change, and every 10 seconds of waiting.
	OnProgress func(Progress)

	patterns  sync.Map // compiled patterns of the documents
	parts     sync.Map // by method, where its rows may say that they are a part
	sent      sent     // the credentials that answers may repeat
	ownLimits Limits   // in place of Limits, where those are nil

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

// Columns describes the rows that the call gives.
func (r *Request) Columns() []provider.Column { return r.shape.columns }

// Method is what is called.
func (r *Request) Method() *provider.Method { return r.call.Method }

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

// isConfigured directs the request to the configured workspace if that is what its deployment name
// names: a host that was configured may have another name than those that statements may lead to.
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

// Run sends the request and gives its rows. The first answer is awaited, so that an error of the
// API is an error of Run; further pages are fetched as the rows are read.
func (c *Client) Run(ctx context.Context, req *Request) (provider.Rows, error) {
	r := &rows{reader: c.Open(req), req: req}
	if err := r.turn(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

// NewHTTP makes an HTTP client for the API: it takes no redirects, because a redirect would carry
// the request, and with it the body, to a host that nobody named.
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
