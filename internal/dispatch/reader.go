package dispatch

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/spill"
	"github.com/lakeql/lakeql/provider"
)

// Reader reads the answer of a call page by page. It is for one goroutine at a time.
type Reader struct {
	client *Client
	req    *Request
	first  *Request     // whose answer is the first page
	store  *spill.Store // of the pages; nil: there is none
	begun  bool
	next   *following // the next page; nil behind the last
	past   past
	usage  Usage
	cut    bool
	ended  error // why there is nothing more: io.EOF, or what went wrong
}

// Usage counts the cost of a call.
type Usage struct {
	// Requests counts the successful requests, Retries the repeated ones.
	Requests, Retries int
	// Rows counts the items of all pages.
	Rows int
	// Bytes is the length of the bodies that were answered.
	Bytes int64
	// Time is how long requests took, waits between attempts included.
	Time time.Duration
}

// Add adds the cost of another call.
func (u *Usage) Add(other Usage) {
	u.Requests += other.Requests
	u.Retries += other.Retries
	u.Rows += other.Rows
	u.Bytes += other.Bytes
	u.Time += other.Time
}

// Open makes a reader for the call. Nothing is sent before its first page is asked for.
func (c *Client) Open(req *Request) *Reader { return newReader(c, req) }

// OpenIn is [Client.Open] with answers within a store. Every page of the reader has to be released
// by [Page.Keep] or [Page.Release] before the next one is asked for.
func (c *Client) OpenIn(req *Request, store *spill.Store) *Reader {
	within := *req
	if paging := req.call.Method.Paging; paging == nil || paging.Kind != provider.ByMerging { // its pages become one
		within.store = store
	}
	r := newReader(c, &within)
	r.store = store
	return r
}

func newReader(c *Client, req *Request) *Reader {
	return &Reader{client: c, req: req, first: req, past: newPast()}
}

// Usage returns the cost of the call until now.
func (r *Reader) Usage() Usage { return r.usage }

// Cut reports whether the answer goes on behind the last page that was given, because the client's
// page limit was reached.
func (r *Reader) Cut() bool { return r.cut }

// Next fetches the next page. After the last page it returns io.EOF. After an error it returns the same
// error again, so that the end never looks complete.
func (r *Reader) Next(ctx context.Context) (*Page, error) {
	if r.ended != nil {
		return nil, r.ended
	}
	page, err := r.fetch(ctx)
	if err == nil {
		if err = r.finish(ctx, page); err != nil {
			page.Release()
		}
	}
	if err != nil {
		r.ended = notTheEnd(r.client.hidden(r.req, err))
		return nil, r.ended
	}
	r.usage.Rows += page.Len()
	return page, nil
}

// notTheEnd wraps io.EOF of the network, so that it does not look like the end of the pages: a server that
// closes the connection instead of answering also causes io.EOF.
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
			r.cut = !r.past.total.reached() // behind the last item, a list with positions has an empty page
			return nil, io.EOF
		}
		if err := r.advance(ctx); err != nil {
			return nil, err
		}
	}
	if !r.begun {
		r.begin()
	}
	r.begun = true
	answered, err := r.client.exchange(ctx, r.req, &r.usage)
	if err != nil {
		return nil, err
	}
	page, err := r.page(ctx, answered)
	if err != nil {
		answered.held.release()
		return nil, err
	}
	return page, nil
}

// page takes an answer apart, which was judged.
func (r *Reader) page(ctx context.Context, answered *answer) (*Page, error) {
	s, method := r.req.shape, r.req.call.Method
	page := &Page{req: r.first, held: answered.held}
	if page.held == nil && r.store != nil {
		page.held = &held{store: r.store}
	}
	if len(s.headers) > 0 {
		page.header = answered.header
	}
	switch {
	case s.stream: // the row is made of the body, which is no JSON
		page.items, page.body = one(nil), answered.body
		return page, nil
	case s.onlyHeaders:
		page.items = one(json.RawMessage("{}"))
		return page, nil
	case s.empty:
		return page, nil
	case method.Paging != nil && method.Paging.Kind == provider.ByMerging:
		whole, err := r.merge(ctx, answered.attributes)
		page.items = one(whole)
		return page, err
	case s.key == "" && s.listed:
		page.items = itemsOf(answered.body)
		return page, nil
	case s.key == "":
		page.items = one(answered.body)
		return page, nil
	}
	rows, ok := answered.attributes[s.key]
	switch {
	case !ok: // the API leaves empty lists out
	case s.listed:
		if err := checkKind(r.req, rows, "array", "its "+s.key); err != nil {
			return nil, err
		}
		page.items = itemsOf(rows)
	default:
		if err := checkKind(r.req, rows, s.item.kind, "its "+s.key); err != nil {
			return nil, err
		}
		page.items = one(rows)
	}
	list := page.items
	page.items = r.unseen(list)
	if page.items.n == 0 {
		page.items = items{} // nothing of the body is kept for nothing
	}
	return page, r.goOn(answered.attributes, list, page.items.n)
}

// Page is a part of an answer: items that become rows one by one. It may be read by several
// goroutines.
type Page struct {
	req    *Request // the list's first: those behind it have long tokens
	items  items
	header http.Header // if columns are made of it
	body   []byte      // of a stream
	held   *held       // what it holds of the store; nil: there is none
}

// Encode returns the page as bytes, which [Page.Decode] of a page of the same call reads. Not a byte of
// the items changes on the way.
func (p *Page) Encode() ([]byte, error) {
	header, err := json.Marshal(p.header)
	if err != nil {
		return nil, provider.Internalf("put a page aside").Because(err)
	}
	kind := []byte{0}
	if p.items.single {
		kind[0] = 1
	}
	encoded := make([]byte, 0, len(header)+len(p.body)+len(p.items.raw)+5*binary.MaxVarintLen64)
	for _, part := range [][]byte{header, kind, p.body, p.items.raw} {
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
	if len(parts) != 4 || json.Unmarshal(parts[0], &page.header) != nil || len(parts[1]) != 1 {
		return nil, provider.Internalf("a page that was put aside is damaged")
	}
	page.body = parts[2]
	switch {
	case parts[1][0] == 1:
		page.items = one(parts[3])
	case len(parts[3]) > 0:
		var whole bool
		if page.items, whole = readItems(parts[3]); !whole {
			return nil, provider.Internalf("a page that was put aside is damaged")
		}
	}
	return page, nil
}

// Without returns the page without its items: enough to decode them again.
func (p *Page) Without() *Page { return &Page{req: p.req} }

// Size is about how many bytes of memory the page takes.
func (p *Page) Size() int { return len(p.body) + p.items.size() }

// Len counts the page's rows.
func (p *Page) Len() int { return p.items.n }

// Columns describes the page's rows.
func (p *Page) Columns() []provider.Column { return p.req.shape.columns }

// unreadable is the error for an answer that does not match the document.
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
