package dispatch

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// Retry bounds how a request is repeated. The zero value is the default.
type Retry struct {
	// Budget is how long a call may take in all before it is sent again for the last time. 0 means
	// 5 minutes, as in the official SDK; a negative one means no second attempt.
	Budget time.Duration
	// Wait pauses between attempts until the context ends. Nil means a timer; tests set it.
	Wait func(ctx context.Context, d time.Duration) error
}

const (
	defaultBudget  = 5 * time.Minute
	firstBackoff   = time.Second
	longestBackoff = time.Minute
	// connectTries is how often a connection is tried that is refused. Nobody listens there, and
	// who waits at a prompt for a mistyped port should know soon.
	connectTries   = 3
	connectBackoff = 250 * time.Millisecond
)

func (r Retry) budget() time.Duration {
	if r.Budget == 0 {
		return defaultBudget
	}
	return r.Budget
}

func (r Retry) wait(ctx context.Context, d time.Duration) error {
	if r.Wait != nil {
		return r.Wait(ctx, d)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// attemptError is the reason why an attempt failed, and decides about another attempt.
type attemptError struct {
	err error
	// again is set where repeating cannot do the request's work twice.
	again bool
	// after is how long the server asked to wait; 0 where it did not.
	after time.Duration
	// refused is set when no connection came about.
	refused bool
	// wrote is set once any of the request may have left.
	wrote bool
}

func (e *attemptError) Error() string { return e.err.Error() }
func (e *attemptError) Unwrap() error { return e.err }

// backoff is the pause before attempt number tries+1. If the server asked for a pause, it is that pause
// plus a small random time, so that clients do not all return at once. Otherwise it is full jitter up to
// a bound that doubles.
func backoff(e *attemptError, tries int) time.Duration {
	if e.after > 0 {
		return e.after + rand.N(e.after/10+time.Millisecond) //nolint:gosec // jitter
	}
	bound := firstBackoff
	if e.refused {
		bound = connectBackoff
	}
	bound = min(bound<<min(tries-1, 10), longestBackoff)
	return bound/10 + rand.N(bound) //nolint:gosec // jitter
}

// longestAfter limits the pause that a server may ask for. Dates may be 8,000 years ahead, and such a
// pause overflows a duration.
const longestAfter = 24 * time.Hour

// retryAfter returns the pause that the server asked for in the Retry-After header (seconds or HTTP date,
// RFC 9110 §10.2.3), at most a day. It is 0 if the header is missing or invalid.
func retryAfter(header http.Header, now time.Time) time.Duration {
	text := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, longestAfter)
	}
	if at, err := http.ParseTime(text); err == nil && at.After(now) {
		return min(at.Sub(now), longestAfter)
	}
	return 0
}

// transportError decides whether a failed exchange may be repeated. wrote is set once any byte of the
// request may have been sent: from then on the server may have acted on it, so only a request that is
// safe to repeat is repeated. A permanent error, such as an invalid certificate, is never repeated.
func transportError(r *http.Request, err error, wrote bool) *attemptError {
	e := &attemptError{err: err, wrote: wrote}
	if op, ok := errors.AsType[*net.OpError](err); ok && (op.Op == "dial" || op.Op == "proxyconnect") {
		dns, isDNS := errors.AsType[*net.DNSError](err)
		e.refused = true
		e.again = !isDNS || dns.IsTemporary || dns.IsTimeout
		return e
	}
	if !wrote || isRead(r.Method) {
		e.again = passing(err)
	}
	return e
}

// passing reports whether a failure may be gone the next time: the connection ended or was
// silent.
func passing(err error) bool {
	for _, ended := range []error{syscall.ECONNRESET, syscall.EPIPE, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, ended) {
			return true
		}
	}
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

// retryable reports whether a status asks for the request to be sent again. The server says that
// it did not do the work, so this holds for POST as well.
func retryable(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
}

// takeIn brings an answer into memory and judges it.
func (a *answer) takeIn(ctx context.Context, c *Client, req *Request) (err error) {
	if a.body, err = a.arrived.whole(ctx); err != nil {
		return err
	}
	a.held, a.arrived = a.arrived.held, body{length: a.arrived.length}
	c.repair(req, a)
	if err := a.judge(req); err != nil {
		a.held.release()
		return err
	}
	return nil
}

// exchange sends a request until it succeeds, the answer is final, or the budget is spent, and returns
// the body. It adds the cost to usage. Its error is never io.EOF, even if the server closes the
// connection, because io.EOF means the end of the rows to a reader.
func (c *Client) exchange(ctx context.Context, req *Request, usage *Usage) (*answer, error) {
	answered, err := c.persist(ctx, req, usage)
	return answered, notTheEnd(err)
}

func (c *Client) persist(ctx context.Context, req *Request, usage *Usage) (*answer, error) {
	turn := c.limitFor(req)
	if err := turn.enter(ctx); err != nil {
		return nil, canceledAs(ctx, req, notSent)
	}
	held := true
	defer func() {
		if held {
			turn.leave()
		}
	}()
	var spent time.Duration // in attempts and between them
	defer func() { usage.Time += spent }()
	for tries := 1; ; tries++ {
		if err := c.pace(ctx, req); err != nil {
			return nil, err
		}
		began := time.Now()
		answered, err := c.once(ctx, req)
		turn.learn(began, err)
		c.tellPacer(req, err)
		spent += time.Since(began)
		if err == nil {
			usage.Requests++
			usage.Bytes += answered.arrived.length
			turn.leave() // another request may go out while this answer waits for memory
			held = false
			if err := answered.takeIn(ctx, c, req); err != nil {
				return nil, err
			}
			return answered, nil
		}
		if ctx.Err() != nil {
			return nil, canceledSending(ctx, req, err)
		}
		failed, ok := errors.AsType[*attemptError](err)
		if !ok {
			return nil, err
		}
		pause := backoff(failed, tries)
		switch {
		case !failed.again, failed.refused && tries >= connectTries:
			return nil, gaveUp(failed, tries)
		case spent+pause > c.Retry.budget():
			return nil, gaveUp(failed, tries)
		}
		failed.err = c.hidden(req, failed.err)
		if c.OnRetry != nil {
			c.OnRetry(failed.err, pause)
		}
		c.log(ctx, "retry", req, slog.Duration("wait", pause), slog.String("reason", failed.err.Error()))
		spent += pause
		usage.Retries++
		if err := c.Retry.wait(ctx, pause); err != nil {
			return nil, canceledAs(ctx, req, betweenTries)
		}
		if err := turn.again(ctx); err != nil {
			held = false
			return nil, canceledAs(ctx, req, betweenTries)
		}
	}
}

// pace waits until the pacer lets the request go.
func (c *Client) pace(ctx context.Context, req *Request) error {
	if c.Pacer == nil || req.connects() { // the requests that it makes are paced
		return nil
	}
	err := c.Pacer.Wait(ctx, req.Workspace())
	if err != nil && ctx.Err() != nil {
		return canceledAs(ctx, req, notSent)
	}
	return err
}

// tellPacer reports the result of an attempt to the pacer.
func (c *Client) tellPacer(req *Request, err error) {
	if c.Pacer == nil || req.connects() {
		return
	}
	status := http.StatusOK
	if err != nil {
		status = 0
		if e, ok := errors.AsType[*provider.Error](err); ok {
			status = e.Status
		}
	}
	c.Pacer.Answered(req.Workspace(), status)
}

// gaveUp returns the error of the last attempt, with how often the request was tried and how long the
// server asked to wait.
func gaveUp(failed *attemptError, tries int) error {
	if e, ok := errors.AsType[*provider.Error](failed.err); ok {
		e.RetryAfter = failed.after
		if tries > 1 {
			e.Message += ", tried " + strconv.Itoa(tries) + " times"
		}
	}
	return failed.err
}

// canceled is the error of a call that was stopped.
func canceled(ctx context.Context, req *Request) error {
	e := callError(req, provider.Canceled, "canceled")
	if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		e.Code, e.Message = provider.Network, "the time for the statement is up"
	}
	e.Err = context.Cause(ctx)
	return e
}

// The possible effects of a stopped call.
const (
	notSent      = "it was not sent"
	betweenTries = "it waited for its next attempt, and the last one did nothing"
	notAllRows   = "not all rows were read"
	onlyRead     = "not all of the answer was read; a read changes nothing"
)

// canceledAs is canceled with the possible effects of the call.
func canceledAs(ctx context.Context, req *Request, state string) error {
	return provider.Change(canceled(ctx, req), func(e *provider.Error) { e.Message += ": " + state })
}

// canceledSending is the error of a call that was stopped while it was sent or its answer was read.
// failed is how the attempt ended.
func canceledSending(ctx context.Context, req *Request, failed error) error {
	attempt, ok := errors.AsType[*attemptError](failed)
	switch {
	case req.connects():
		return canceledAs(ctx, req, onlyRead)
	case !ok, !attempt.wrote: // it ended before the request was written
		return canceledAs(ctx, req, notSent)
	case isRead(req.http.Method):
		return canceledAs(ctx, req, onlyRead)
	}
	return provider.Change(canceledAs(ctx, req, "it was sent, and the workspace may have carried it out"), func(e *provider.Error) {
		e.Hint = mayBeDone
	})
}

// mayBeDone is the hint for a write without an answer.
const mayBeDone = "look whether it was done before you repeat it"

// isRead reports whether a request with the verb changes nothing.
func isRead(verb string) bool { return verb == http.MethodGet || verb == http.MethodHead }
