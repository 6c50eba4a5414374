package dispatch

import (
	"context"
	"encoding/json"
	"io"
	"sync"

	"github.com/lakeql/lakeql/provider"
)

// Source answers the calls of methods that connect to something else in place of sending a request to the
// API, such as to a database. Such calls are planned, counted, limited, repeated and judged like others. Several
// goroutines call it.
type Source interface {
	// Answer writes the answer to a call: JSON as the method's response has it. api makes the calls of the
	// API that it needs. An error that another attempt may not meet is wrapped by [Again].
	Answer(ctx context.Context, api *Client, req *Request, to io.Writer) error
	// Describe returns where Answer would connect to, and what it would send there. It connects to nothing.
	Describe(req *Request) (place, text string)
}

// Again marks an error of a [Source] after which it is asked again. Nothing may have been written before.
func Again(err error) error { return &attemptError{err: err, again: true, refused: true} }

// connects reports whether a Source answers the request.
func (r *Request) connects() bool { return r.call.Method.Connects != "" }

// connect has the source answer a request.
func (c *Client) connect(ctx context.Context, req *Request) (*answer, error) {
	if c.Source == nil {
		return nil, provider.Internalf("nothing answers %s", req.call.Method.FullName())
	}
	c.log(ctx, "connect", req)
	answered := false
	end := c.Activity.begin(req)
	defer func() { end(answered) }()
	from, to := io.Pipe()
	var fault error
	var writing sync.WaitGroup
	writing.Go(func() {
		defer func() { _ = to.CloseWithError(fault) }() // it has no error; without a fault it is the end
		defer provider.Recover(&fault)
		fault = c.Source.Answer(ctx, c.sibling(), req, to)
	})
	limit := c.answerLimit()
	read, err := readWithin(io.LimitReader(from, limit+1), -1, req.store)
	_ = from.CloseWithError(io.ErrClosedPipe) // it has no error; behind the limit, it ends the writing
	writing.Wait()
	switch {
	case read.length > limit:
		err = tooLarge(req, limit)
	case fault != nil:
		err = fault
	}
	if err != nil {
		read.held.release()
		return nil, err
	}
	answered = true
	return &answer{client: c, arrived: read}, nil
}

// sibling returns a client for the calls of a source. It shares the credentials, the limits and the pace of c,
// and returns whole answers with the credentials in them.
func (c *Client) sibling() *Client {
	limits := c.Limits
	if limits == nil {
		limits = &c.ownLimits
	}
	return &Client{
		Catalogue: c.Catalogue, Authorizer: c.Authorizer, HTTP: c.client(), UserAgent: c.UserAgent,
		Retry: c.Retry, RequestTimeout: c.RequestTimeout, AnswerLimit: c.AnswerLimit, EmptyPages: c.EmptyPages,
		Parallel: c.Parallel, Limits: limits, Deployment: c.Deployment, Confined: c.Confined,
		Pacer: c.Pacer, Activity: c.Activity, Logger: c.Logger, OnRetry: c.OnRetry,
	}
}

// describeConnection is [Client.Describe] for a request that a source answers.
func (c *Client) describeConnection(req *Request) []any {
	place, text := "", ""
	if c.Source != nil {
		place, text = c.Source.Describe(req)
	}
	if LooksSecret(text) {
		text = provider.Secret("").String()
	}
	return []any{req.http.Method, place, json.RawMessage("{}"), text}
}
