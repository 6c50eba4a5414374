package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// following is where a list goes on: a token, position or page number for the request's parameter,
// or the whole body of the next request.
type following struct {
	token string
	body  json.RawMessage
}

// key identifies a place.
func (f following) key() string {
	if f.body != nil {
		return string(f.body)
	}
	return f.token
}

// advance makes the request for the next page the one at hand.
func (r *Reader) advance(ctx context.Context) error {
	if err := r.followed(*r.next); err != nil {
		return err
	}
	req, err := r.req.following(ctx, *r.next)
	if err != nil {
		return err
	}
	r.req, r.next = req, nil
	return nil
}

// following returns the request for the next page.
func (r *Request) following(ctx context.Context, f following) (*Request, error) {
	next := *r
	next.http = r.http.Clone(ctx)
	paging := r.call.Method.Paging
	switch {
	case f.body != nil:
		next.body, next.hasBody = f.body, true
	case paging.RequestIn == provider.InQuery:
		query := next.http.URL.Query()
		query.Set(paging.RequestToken, f.token)
		next.http.URL.RawQuery = query.Encode()
	case paging.RequestIn == provider.InHeader:
		next.http.Header.Set(paging.RequestToken, f.token)
	default:
		if err := next.setAttribute(paging.RequestToken, f.token); err != nil {
			return nil, err
		}
	}
	return &next, nil
}

// setAttribute changes an attribute of the request body, where some lists take their page token.
func (r *Request) setAttribute(name, value string) error {
	attributes := map[string]json.RawMessage{}
	if r.hasBody {
		if err := json.Unmarshal(r.body, &attributes); err != nil {
			return provider.Internalf("set the page token in the request body").Because(err)
		}
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		return provider.Internalf("encode the page token").Because(err)
	}
	attributes[name] = encoded
	if r.body, err = json.Marshal(attributes); err != nil {
		return provider.Internalf("encode the request body").Because(err)
	}
	r.hasBody = true
	return nil
}

// goOn finds in an answer where its list goes on, and leaves next nil behind the last page. list is that
// of the page, fresh how many of them earlier pages did not have.
func (r *Reader) goOn(answer map[string]json.RawMessage, list items, fresh int) error {
	r.next = nil
	if r.req.call.Method.Paging == nil {
		return r.checkEnd(answer)
	}
	if err := r.count(answer, list.n, fresh); err != nil {
		return err
	}
	next, err := r.following(answer, list.n, fresh)
	switch {
	case err != nil:
		return err
	case next == nil:
		return r.checkEnd(answer)
	}
	if r.next = next; r.past.places[r.past.mark(json.RawMessage(next.key()))] {
		return nil // the rows are given; going on is the error
	}
	return r.progress(list)
}

// following returns where the list goes on; nil behind the last page.
func (r *Reader) following(answer map[string]json.RawMessage, items, fresh int) (*following, error) {
	paging := r.req.call.Method.Paging
	switch paging.Kind {
	case provider.ByToken, provider.ByMerging:
		token, err := r.token(answer, paging.ResponseToken)
		if err != nil || token == "" || r.saysEnd(answer) {
			return nil, err
		}
		return &following{token: token}, nil
	case provider.ByOffset, provider.ByPage:
		switch {
		case items == 0:
			return nil, nil //nolint:nilnil // an empty page is the end
		case fresh == 0 && r.past.total.reached():
			return nil, nil //nolint:nilnil // the server gives the same again, but there is nothing else
		case fresh == 0:
			return nil, r.endless("a page has %d items, and none that earlier pages did not have", items)
		}
		at, err := r.position(answer, paging)
		if err != nil {
			return nil, err
		}
		step := 1
		if paging.Kind == provider.ByOffset {
			step = items
		}
		return &following{token: strconv.Itoa(at + step)}, nil
	case provider.ByNextRequest:
		return r.nextRequest(answer)
	}
	return nil, nil //nolint:nilnil // behind the last page
}

// nextRequest returns the body of the next request, which the answer holds. An answer that has a token
// instead goes on as well: the request is repeated with it.
func (r *Reader) nextRequest(answer map[string]json.RawMessage) (*following, error) {
	name := r.req.call.Method.Paging.ResponseToken
	raw := answer[name]
	if !absent(raw) {
		if err := checkKind(r.req, raw, "object", "its "+name); err != nil {
			return nil, err
		}
		return &following{body: raw}, nil
	}
	token, err := r.token(answer, "next_page_token")
	if err != nil || token == "" {
		return nil, err
	}
	next := *r.req
	if err := next.setAttribute("page_token", token); err != nil {
		return nil, err
	}
	return &following{body: next.body}, nil
}

// position reads where the page begins, which the answer says, or else the request did.
func (r *Reader) position(answer map[string]json.RawMessage, paging *provider.Paging) (int, error) {
	text := unquote(answer[paging.ResponseToken])
	if text == "" || text == "null" {
		text = r.req.http.URL.Query().Get(paging.RequestToken)
	}
	at, err := strconv.Atoi(text)
	if err != nil {
		return 0, callError(r.req, provider.API, fmt.Sprintf("the answer's %s is %s, which is no position", paging.ResponseToken, provider.Quote(text)))
	}
	return at, nil
}

// token returns the token of the next page, unchanged. It may be inside an object (next.token). It is
// empty after the last page.
func (r *Reader) token(answer map[string]json.RawMessage, name string) (string, error) {
	outer, inner, nested := strings.Cut(name, ".")
	raw := answer[outer]
	switch kind := kindOf(raw); {
	case kind == "null":
		return "", nil
	case nested && kind == "object":
		return r.token(maps.Collect(attributes(raw)), inner)
	case nested || kind != "string" && kind != "number":
		return "", unreadable(r.req, raw, fmt.Errorf("its %s is %s, not a text", outer, kindNames[kind]))
	}
	return unquote(raw), nil
}

// merge fetches the further pages of an answer that is one object, and appends the items of its continued
// lists to those of the first page.
func (r *Reader) merge(ctx context.Context, first map[string]json.RawMessage) (json.RawMessage, error) {
	paging := r.req.call.Method.Paging
	lists := goingOn(first, paging.Lists)
	if err := r.goOn(first, joined(contents(first, lists)), 0); err != nil {
		return nil, err
	}
	whole := first
	delete(whole, paging.ResponseToken)
	for r.next != nil {
		page, err := r.nextObject(ctx, lists)
		if err != nil {
			return nil, err
		}
		for _, list := range lists {
			if whole, err = r.appendItems(whole, page, strings.Split(list, ".")); err != nil {
				return nil, err
			}
		}
	}
	merged, err := json.Marshal(whole)
	if err != nil {
		return nil, provider.Internalf("join the pages of an answer").Because(err)
	}
	return merged, nil
}

// nextObject fetches the next page of a merge.
func (r *Reader) nextObject(ctx context.Context, lists []string) (map[string]json.RawMessage, error) {
	if err := r.advance(ctx); err != nil {
		return nil, err
	}
	answered, err := r.client.exchange(ctx, r.req, &r.usage)
	if err != nil {
		return nil, notAbsent(err)
	}
	return answered.attributes, r.goOn(answered.attributes, joined(contents(answered.attributes, lists)), 0)
}

// notAbsent rewords an error that a resource does not exist, because a part of the resource has already
// arrived.
func notAbsent(err error) error {
	if e, ok := errors.AsType[*provider.Error](err); !ok || !e.Absent {
		return err
	}
	told := provider.Copy(err, provider.API)
	told.Absent = false
	return told
}

// goingOn returns the continued lists: of alternatives, the one with items in the first page.
func goingOn(first map[string]json.RawMessage, lists []string) []string {
	var chosen []string
	for _, list := range lists {
		alternatives := strings.Split(list, "|")
		pick := alternatives[len(alternatives)-1]
		for _, name := range alternatives {
			var items []json.RawMessage
			if json.Unmarshal(first[name], &items) == nil && len(items) > 0 {
				pick = name
				break
			}
		}
		chosen = append(chosen, pick)
	}
	return chosen
}

// appendItems appends the items at a path of a page to those of the whole.
func (r *Reader) appendItems(whole, page map[string]json.RawMessage, path []string) (map[string]json.RawMessage, error) {
	name := path[0]
	more, ok := page[name]
	if !ok || string(more) == "null" {
		return whole, nil
	}
	if len(path) > 1 {
		var inner, outer map[string]json.RawMessage
		if err := json.Unmarshal(more, &inner); err != nil {
			return nil, unreadable(r.req, more, err)
		}
		if raw, ok := whole[name]; ok {
			if err := json.Unmarshal(raw, &outer); err != nil {
				return nil, unreadable(r.req, raw, err)
			}
		}
		if outer == nil {
			outer = map[string]json.RawMessage{}
		}
		joined, err := r.appendItems(outer, inner, path[1:])
		if err != nil {
			return nil, err
		}
		return whole, set(whole, name, joined)
	}
	var items, added []json.RawMessage
	if raw, ok := whole[name]; ok {
		if err := json.Unmarshal(raw, &items); err != nil {
			return nil, unreadable(r.req, raw, err)
		}
	}
	if err := json.Unmarshal(more, &added); err != nil {
		return nil, unreadable(r.req, more, err)
	}
	return whole, set(whole, name, append(items, added...))
}

// set puts a value into an object of raw JSON.
func set(object map[string]json.RawMessage, name string, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return provider.Internalf("join the pages of an answer").Because(err)
	}
	object[name] = raw
	return nil
}
