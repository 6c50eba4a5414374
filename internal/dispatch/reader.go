package dispatch

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// Reader reads the answer of a call page by page. It is for one goroutine at a time.
type Reader struct {
	client *Client
	req    *Request
	begun  bool
	next   *following      // the next page; nil behind the last
	seen   map[string]bool // places that were followed
	given  map[string]bool // items that were given, where some come twice
	total  total
	usage  Usage
	cut    bool
	ended  error // why there is nothing more: io.EOF, or what went wrong
}

// Usage counts what a call cost.
type Usage struct {
	// Requests counts those that were answered with success, Retries those that were sent again.
	Requests, Retries int
	// Rows counts the items of all pages.
	Rows int
	// Bytes is the length of the bodies that were answered.
	Bytes int64
	// Time is how long requests took, waits between attempts included.
	Time time.Duration
}

// Add adds up what two calls cost.
func (u *Usage) Add(other Usage) {
	u.Requests += other.Requests
	u.Retries += other.Retries
	u.Rows += other.Rows
	u.Bytes += other.Bytes
	u.Time += other.Time
}

// Open makes a reader for the call. Nothing is sent before its first page is asked for.
func (c *Client) Open(req *Request) *Reader { return &Reader{client: c, req: req} }

// Usage tells what the call cost until now.
func (r *Reader) Usage() Usage { return r.usage }

// Cut reports whether the answer goes on behind the last page that was given, because the client's
// page limit was reached.
func (r *Reader) Cut() bool { return r.cut }

// Next fetches the next page; behind the last one it gives io.EOF. Once it has failed it gives
// the same error again, so that nobody takes the end for the whole.
func (r *Reader) Next(ctx context.Context) (*Page, error) {
	if r.ended != nil {
		return nil, r.ended
	}
	page, err := r.fetch(ctx)
	if err != nil {
		r.ended = notTheEnd(r.client.hidden(r.req, err))
		return nil, r.ended
	}
	r.usage.Rows += page.Len()
	return page, nil
}

// notTheEnd keeps an error from being taken for the end of the pages: io.EOF is also what the network gives
// where a server closes the connection instead of answering.
func notTheEnd(err error) error {
	if err == io.EOF || !errors.Is(err, io.EOF) { //nolint:errorlint // the end itself, which nothing wraps
		return err
	}
	told := provider.Copy(err, provider.Network)
	told.Err = errCutShort
	return told
}

func (r *Reader) fetch(ctx context.Context) (*Page, error) {
	if r.begun && r.next == nil {
		return nil, io.EOF
	}
	if ctx.Err() != nil {
		if !r.begun {
			return nil, canceledAs(ctx, r.req, notSent)
		}
		return nil, canceledAs(ctx, r.req, notAllRows)
	}
	if r.begun {
		if limit := r.client.PageLimit; limit > 0 && r.usage.Requests >= limit {
			r.cut = true
			return nil, io.EOF
		}
		if err := r.advance(ctx); err != nil {
			return nil, err
		}
	}
	r.begun = true
	answered, err := r.client.exchange(ctx, r.req, &r.usage)
	if err != nil {
		return nil, err
	}
	return r.page(ctx, answered)
}

// page takes an answer apart.
func (r *Reader) page(ctx context.Context, answered *answer) (*Page, error) {
	body, s := answered.body, r.req.shape
	page := &Page{req: r.req, header: answered.header}
	switch {
	case s.stream && strings.HasPrefix(answered.header.Get("Content-Type"), "text/html"):
		return nil, unreadable(r.req, body, nil) // a login page, say, is no file
	case s.stream:
		page.items = []json.RawMessage{nil} // the row is made of the body, which is no JSON
		page.body = body
		return page, nil
	case s.onlyHeaders:
		page.items = []json.RawMessage{json.RawMessage("{}")}
		return page, nil
	case s.empty:
		if bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) {
			return nil, unreadable(r.req, body, nil) // a login page, say, is not the work done
		}
		return page, nil
	case len(bytes.TrimSpace(body)) == 0:
		return nil, callError(r.req, provider.API, "the answer is empty where rows should be")
	case s.key == "" && r.req.call.Method.Paging == nil:
		if body = bytes.TrimSpace(body); !json.Valid(body) {
			return nil, unreadable(r.req, body, json.Unmarshal(body, new(any)))
		}
		page.take(body)
		return page, nil
	}
	if body = bytes.TrimSpace(body); !isObject(body) || !json.Valid(body) {
		return nil, unreadable(r.req, body, json.Unmarshal(body, new(map[string]json.RawMessage)))
	}
	object := map[string]json.RawMessage{}
	for name, value := range attributes(body) {
		object[name] = value
	}
	if paging := r.req.call.Method.Paging; paging != nil && paging.Kind == provider.ByMerging {
		var err error
		if r.next, err = r.following(object, 0); err != nil {
			return nil, err
		}
		if body, err = r.merge(ctx, object); err != nil {
			return nil, err
		}
		page.take(body)
		return page, nil
	}
	rows := json.RawMessage(body)
	if s.key != "" {
		rows = object[s.key] // the API leaves empty lists out
	}
	page.take(rows)
	if err := r.checkTotal(object, len(page.items)); err != nil {
		return nil, err
	}
	var err error
	r.next, err = r.following(object, len(page.items))
	page.items = r.unseen(page.items)
	return page, err
}

// unseen leaves out the items that were given before. Where positions count items, those that come
// or go between two pages shift the rest.
func (r *Reader) unseen(items []json.RawMessage) []json.RawMessage {
	paging := r.req.call.Method.Paging
	if paging == nil || paging.Dedupe == "" {
		return items
	}
	fresh := items[:0]
	for _, item := range items {
		id := ""
		if isObject(item) { // another is for its row to refuse
			for name, value := range attributes(item) {
				if name == paging.Dedupe {
					id = string(value)
				}
			}
		}
		if id != "" && r.given[id] {
			continue
		}
		if r.given == nil {
			r.given = map[string]bool{}
		}
		r.given[id] = true
		fresh = append(fresh, item)
	}
	return fresh
}

// total holds a list that says how many items it has to its word.
type total struct {
	known bool
	said  int // by the last page
	given int // items, those that came twice included
}

// totalAttribute is where SCIM lists say how many items there are (RFC 7644 §3.4.2).
const totalAttribute = "totalResults"

// checkTotal counts a page. A total that shrinks from page to page means that positions have shifted
// and an item may have been passed over; a list that ends before its total has lost some.
func (r *Reader) checkTotal(answer map[string]json.RawMessage, items int) error {
	paging, t := r.req.call.Method.Paging, &r.total
	if paging == nil || paging.Kind != provider.ByOffset {
		return nil
	}
	said, err := strconv.Atoi(string(answer[totalAttribute]))
	if err != nil {
		return nil //nolint:nilerr // it does not say
	}
	if t.known && said < t.said {
		e := callError(r.req, provider.API, fmt.Sprintf("the list shrank from %d to %d items while its pages were read, and some may have been passed over", t.said, said))
		e.Hint = "run the statement again"
		return e
	}
	if at, err := r.position(answer, paging); !t.known && err == nil {
		t.given = max(0, at-paging.First) // the statement asked for what is behind these
	}
	t.known, t.said = true, said
	t.given += items
	if items == 0 && t.given < said {
		return callError(r.req, provider.API, fmt.Sprintf("the list ends after %d of %d items", t.given, said))
	}
	return nil
}

// Page is a part of an answer: items that become rows one by one. It may be read by several
// goroutines.
type Page struct {
	req    *Request
	items  []json.RawMessage
	header http.Header
	body   []byte // of a stream
}

// Encode returns the page as bytes, which [Page.Decode] of a page of the same call reads. Not a byte of
// the items changes on the way.
func (p *Page) Encode() ([]byte, error) {
	header, err := json.Marshal(p.header)
	if err != nil {
		return nil, provider.Internalf("put a page aside").Because(err)
	}
	encoded := make([]byte, 0, len(header)+p.Size()+2*binary.MaxVarintLen64)
	for _, part := range append([]json.RawMessage{header, p.body}, p.items...) {
		encoded = append(binary.AppendUvarint(encoded, uint64(len(part))), part...)
	}
	return encoded, nil
}

// Decode returns the page that Encode put aside.
func (p *Page) Decode(encoded []byte) (*Page, error) {
	var parts []json.RawMessage
	for len(encoded) > 0 {
		size, n := binary.Uvarint(encoded)
		if n <= 0 || size > uint64(len(encoded)-n) { //nolint:gosec // n is no more than the length
			return nil, provider.Internalf("a page that was put aside is damaged")
		}
		end := n + int(size) //nolint:gosec // it is no more than the length of encoded
		parts = append(parts, encoded[n:end:end])
		encoded = encoded[end:]
	}
	page := &Page{req: p.req}
	if len(parts) < 2 || json.Unmarshal(parts[0], &page.header) != nil {
		return nil, provider.Internalf("a page that was put aside is damaged")
	}
	page.body, page.items = parts[1], parts[2:]
	return page, nil
}

// Without returns the page without its items: enough to decode them again.
func (p *Page) Without() *Page { return &Page{req: p.req} }

// Size is about how many bytes of memory the page takes.
func (p *Page) Size() int {
	size := len(p.body)
	for _, item := range p.items {
		size += len(item) + 24 // the slice that holds it
	}
	return size
}

// Len counts the page's rows.
func (p *Page) Len() int { return len(p.items) }

// Columns describes the page's rows.
func (p *Page) Columns() []provider.Column { return p.req.shape.columns }

// take keeps the items of a JSON array, or the one object. What it is given is valid, or nothing.
func (p *Page) take(raw json.RawMessage) {
	switch {
	case len(raw) == 0, raw[0] == 'n': // null
	case raw[0] == '[':
		for item := range elements(raw) {
			p.items = append(p.items, item)
		}
	default:
		p.items = []json.RawMessage{raw}
	}
}

// unreadable is the error that an answer is not what the document says.
func unreadable(req *Request, body []byte, cause error) error {
	text := strings.TrimSpace(string(body))
	message := "the answer is not the JSON that the document describes"
	if strings.HasPrefix(text, "<") {
		message = "answered with an HTML page instead of JSON"
	} else if cause != nil {
		message += ": " + cause.Error()
	}
	e := callError(req, provider.API, message)
	e.Hint = "check that the host is that of a workspace"
	e.Err = cause
	return e
}
