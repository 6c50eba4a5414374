package dispatch

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"sync/atomic"
	"time"

	"github.com/lakeql/lakeql/provider"
)

const (
	defaultRequestTimeout = 45 * time.Second
	// usualAnswer is the bound of one answer, unless the client has another. A page of a list has a few
	// megabytes at most.
	usualAnswer = 256 << 20
	// maxErrorBody limits how much is read of an answer that reports an error.
	maxErrorBody = 1 << 20
	// maxHeader bounds the headers of an answer.
	maxHeader = 1 << 20
)

// errCutShort is the error that an answer ended before its time.
var errCutShort = errors.New("the answer ends too early")

// once sends a request one time and reads the answer whole. Errors that say something about
// another attempt are attemptErrors around the error for the user.
func (c *Client) once(ctx context.Context, req *Request) (*answer, error) {
	if req.connects() {
		return c.connect(ctx, req)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timeout := c.requestTimeout()
	expire := time.AfterFunc(timeout, func() { cancel(errSilent{timeout}) })
	defer expire.Stop()

	var wrote atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { wrote.Store(true) }})
	r, err := c.attempt(ctx, req)
	if silent, ok := errors.AsType[errSilent](err); ok {
		e := callError(req, provider.Network, fmt.Sprintf("no credential within %s", silent.after))
		e.Hint = "what gives the credential does not answer: an OAuth token endpoint, or the CLI"
		e.Err = silent
		return nil, e
	}
	if err != nil {
		return nil, err
	}
	began := time.Now()
	c.log(ctx, "send", req)
	answered := false
	end := c.Activity.begin(req)
	defer func() { end(answered) }()
	resp, err := c.client().Do(r)
	if err != nil {
		return nil, c.transportFailure(ctx, req, r, err, wrote.Load())
	}
	defer resp.Body.Close()
	answered = true
	if err := judgeStatus(req, resp); err != nil {
		return nil, err
	}
	limit := c.answerLimit()
	switch {
	case isError(resp.StatusCode):
		limit = maxErrorBody
	case resp.ContentLength > limit:
		return nil, tooLarge(req, limit)
	}
	store := req.store
	if isError(resp.StatusCode) {
		store = nil
	}
	read, err := readWithin(io.LimitReader(&pacedReader{resp.Body, expire, timeout}, limit+1), resp.ContentLength, store)
	body := read.data
	c.log(ctx, "answer", req, slog.Int("status", resp.StatusCode), slog.Int64("bytes", read.length), slog.Duration("time", time.Since(began)))
	if isError(resp.StatusCode) {
		// An incomplete body is enough to report the error.
		c.sent.add(c.secrets(req)...)
		apiErr := responseError(req, resp, body, c.sent.hide())
		return nil, &attemptError{err: apiErr, again: retryable(resp.StatusCode) || resp.StatusCode >= 400 && isPassing(body), wrote: true, after: retryAfter(resp.Header, time.Now())}
	}
	if err != nil {
		read.held.release()
		if stored, ok := errors.AsType[*provider.Error](err); ok {
			return nil, stored // the file for large answers
		}
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = fmt.Errorf("%w: %w", errCutShort, err)
		}
		return nil, c.transportFailure(ctx, req, r, err, true)
	}
	if read.length > limit {
		read.held.release()
		return nil, tooLarge(req, limit)
	}
	return &answer{client: c, arrived: read, header: resp.Header}, nil
}

// judgeStatus refuses an answer whose status means neither success nor an error; its body is not read.
// After 101 the connection is not HTTP any more, and a read from it ignores time limits.
func judgeStatus(req *Request, resp *http.Response) error {
	if resp.StatusCode >= 200 {
		return nil
	}
	e := callError(req, provider.API, fmt.Sprintf("answered with the status %03d, which is neither success nor an error", resp.StatusCode))
	e.Status = resp.StatusCode
	e.Hint = "check that the host is that of a workspace, and what stands between it and this machine"
	return e
}

// isError reports whether a status says that the body is no whole answer. 206 is for a part that was asked
// for, which no request does.
func isError(status int) bool { return status >= 300 || status == http.StatusPartialContent }

// mostExpected is how much memory is set aside for a body because the server announces it.
const mostExpected = 1 << 20

// readAll reads to the end, into memory for as much as is announced; less than 0: nothing is.
func readAll(r io.Reader, announced int64) ([]byte, error) {
	var body bytes.Buffer
	body.Grow(int(min(max(announced, 0), mostExpected)) + bytes.MinRead)
	_, err := body.ReadFrom(r)
	return body.Bytes(), err
}

func tooLarge(req *Request, limit int64) error {
	return callError(req, provider.API, fmt.Sprintf("the answer is larger than %d MiB", limit>>20))
}

func (c *Client) answerLimit() int64 {
	if c.AnswerLimit > 0 {
		return c.AnswerLimit
	}
	return usualAnswer
}

// client returns the HTTP client to send with.
func (c *Client) client() *http.Client {
	if c.HTTP != nil {
		return c.HTTP
	}
	c.ownHTTP.Do(func() { c.own = NewHTTP() })
	return c.own
}

func (c *Client) requestTimeout() time.Duration {
	switch {
	case c.RequestTimeout > 0:
		return c.RequestTimeout
	case c.RequestTimeout < 0:
		return math.MaxInt64 // nanoseconds: 292 years
	}
	return defaultRequestTimeout
}

// errSilent is the cause of a request that ends because the server was silent for too long. It is a
// time-out of net.Error.
type errSilent struct{ after time.Duration }

func (e errSilent) Error() string { return fmt.Sprintf("no answer within %s", e.after) }
func (errSilent) Timeout() bool   { return true }
func (errSilent) Temporary() bool { return true }

// pacedReader returns the server the full time-out again with every part of the answer.
type pacedReader struct {
	io.Reader
	expire  *time.Timer
	timeout time.Duration
}

func (r *pacedReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if n > 0 {
		r.expire.Reset(r.timeout)
	}
	return n, err
}

// transportFailure words a failure to exchange a request and its answer.
func (c *Client) transportFailure(ctx context.Context, req *Request, r *http.Request, err error, wrote bool) error {
	if silent, ok := errors.AsType[errSilent](context.Cause(ctx)); ok {
		err = silent
	}
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // the URL is in the message already
	}
	e := callError(req, provider.Network, err.Error())
	e.Err = err
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		cause := op.Err
		if call, ok := errors.AsType[*os.SyscallError](cause); ok {
			cause = call.Err // "connection refused" rather than "connect: connection refused"
		}
		e.Message = fmt.Sprintf("cannot connect: %v", cause)
		e.Hint = "check the deployment name or host, and that this machine can reach it"
	} else if ok && op.Op == "proxyconnect" {
		e.Hint = "check the proxy: --http.proxy.host and --http.proxy.port, or HTTPS_PROXY"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		e.Hint = "check the host; if a proxy on the way has certificates of its own, name those of its authority with --tls.CABundle FILE"
	}
	if wrote && e.Hint == "" && !isRead(r.Method) {
		e.Hint = mayBeDone
	}
	failed := transportError(r, err, wrote)
	failed.err = e
	return failed
}

// callError makes an error that names its call. It leaves out the query, which may hold private values.
func callError(req *Request, code provider.Code, message string) *provider.Error {
	u := *req.http.URL
	u.RawQuery = ""
	if req.http.Host != "" { // the workspace, where several are behind one address
		u.Host = req.http.Host
	}
	e := provider.Errorf(code, "%s: %s", req.call.Method.FullName(), message)
	e.Method, e.URL = req.http.Method, u.String()
	return e
}

// log writes one event about a request.
func (c *Client) log(ctx context.Context, event string, req *Request, attrs ...slog.Attr) {
	if c.Logger == nil {
		return
	}
	c.sent.add(c.secrets(req)...)
	attrs = append([]slog.Attr{
		slog.String("event", event),
		slog.String("method", req.http.Method),
		slog.String("host", req.http.URL.Host),
		slog.String("path", c.sent.hide().Text(req.http.URL.Path)),
	}, attrs...)
	c.Logger.LogAttrs(ctx, slog.LevelDebug, "call", attrs...)
}
