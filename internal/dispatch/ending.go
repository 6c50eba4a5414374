package dispatch

import (
	"cmp"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"slices"
	"strconv"

	"github.com/lakeql/lakeql/provider"
)

// mark is a hash that stands for a token, a page or an item, so that remembering many takes little memory.
type mark [2]uint64

// past remembers the items of a list that a reader has read. It makes every list end, at its true end.
type past struct {
	seeds  [2]maphash.Seed
	places map[mark]bool // that were followed
	pages  map[mark]bool // pages with items
	items  map[mark]bool // where positions count items, which can shift between two pages
	idle   int           // pages in a row without an item
	total  total
}

func newPast() past { return past{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}} }

func (p *past) mark(parts ...json.RawMessage) mark {
	var m mark
	for i, seed := range p.seeds {
		var h maphash.Hash
		h.SetSeed(seed)
		for _, part := range parts {
			_, _ = h.Write(part)    // it has no error
			_ = h.WriteByte('\x00') // not in JSON
		}
		m[i] = h.Sum64()
	}
	return m
}

// usualEmptyPages is the default limit of consecutive pages without an item. The API documents that pages
// of a list with tokens may be empty, such as the pages of a catalog in which the caller may see little.
const usualEmptyPages = 10_000

// remember adds an entry to a set, and reports whether it was there before.
func remember(set *map[mark]bool, m mark) bool {
	if (*set)[m] {
		return true
	}
	if *set == nil {
		*set = map[mark]bool{}
	}
	(*set)[m] = true
	return false
}

// unseen leaves out the items that earlier pages had. If positions count items, an item that appears or
// disappears between two pages shifts the rest. Only the documented attribute identifies items: two
// items of one page that are equal otherwise count as two.
func (r *Reader) unseen(list items) items {
	paging := r.req.call.Method.Paging
	if paging == nil || paging.Kind != provider.ByOffset && paging.Kind != provider.ByPage {
		return list
	}
	fresh, marks := make([]json.RawMessage, 0, list.n), []mark(nil)
	for item := range list.all() {
		id, ok := identity(item, paging.Dedupe)
		switch m := r.past.mark(item); {
		case ok:
			if remember(&r.past.items, r.past.mark(nil, id)) {
				continue
			}
		case r.past.items[m]:
			continue
		default:
			marks = append(marks, m)
		}
		fresh = append(fresh, item)
	}
	for _, m := range marks {
		remember(&r.past.items, m)
	}
	if len(fresh) == list.n {
		return list
	}
	return joined(fresh)
}

// identity returns the attribute that identifies an item.
func identity(item json.RawMessage, name string) (id json.RawMessage, ok bool) {
	if name == "" || !isObject(item) { // what is no object is for its row to refuse
		return nil, false
	}
	for attribute, value := range attributes(item) {
		if attribute == name {
			id = value
		}
	}
	return id, saysSomething(id)
}

// progress checks that a page with another one behind it brings something new.
func (r *Reader) progress(list items) error {
	if list.n > 0 {
		if r.past.idle = 0; remember(&r.past.pages, r.past.mark(list.raw)) {
			return r.endless("a page of %d items came twice, and the answer says that more follow", list.n)
		}
		return nil
	}
	if r.past.idle++; r.past.idle >= cmp.Or(r.client.EmptyPages, usualEmptyPages) {
		return r.endless("%d pages in a row have no items, and the last one says that more follow", r.past.idle)
	}
	if paging := r.req.call.Method.Paging; paging.Kind == provider.ByNextRequest {
		return r.endless("a page has no items, and the answer says that more follow")
	}
	return nil
}

// endless is the error of a list that would never end.
func (r *Reader) endless(format string, args ...any) error {
	e := callError(r.req, provider.API, fmt.Sprintf(format, args...)+": the list would never end")
	e.Hint = "run the statement again"
	return e
}

// total holds a list that says how many items it has to its word.
type total struct {
	begun, known bool
	blind        bool // it is not known how many items are before the first page
	least, said  int  // by the first and the last page that say
	given        int  // items, with those before the first page and those that came twice
	fresh        int  // without those that came twice
}

// totalAttribute is where lists of a kind say how many items there are: SCIM's (RFC 7644 §3.4.2), the old
// ones of SQL, the events of clusters. Lists with tokens do not say.
func totalAttribute(kind provider.PagingKind) string {
	switch kind {
	case provider.ByOffset:
		return "totalResults"
	case provider.ByPage:
		return "count"
	case provider.ByNextRequest:
		return "total_count"
	case provider.ByToken, provider.ByMerging:
	}
	return ""
}

// count counts a page. A total that shrinks from page to page means that positions have shifted and an
// item may have been passed over.
func (r *Reader) count(answer map[string]json.RawMessage, items, fresh int) error {
	paging, t := r.req.call.Method.Paging, &r.past.total
	name := totalAttribute(paging.Kind)
	if name == "" {
		return nil
	}
	if !t.begun {
		before, ok := r.before(answer)
		t.begun, t.blind, t.given, t.fresh = true, !ok, before, before
	}
	t.given += items
	t.fresh += fresh
	raw := answer[name]
	if absent(raw) || paging.Kind == provider.ByNextRequest && string(raw) == "0" { // deprecated: 0 where it is not counted
		return nil
	}
	said, err := strconv.Atoi(unquote(raw))
	if err != nil {
		return callError(r.req, provider.API, fmt.Sprintf("the answer's %s is %s, which is no number", name, provider.Quote(unquote(raw))))
	}
	if t.known && said < t.said && paging.Kind != provider.ByNextRequest {
		e := callError(r.req, provider.API, fmt.Sprintf("the list shrank from %d to %d items while its pages were read, and some may have been passed over", t.said, said))
		e.Hint = "run the statement again"
		return e
	}
	if !t.known {
		t.least = said
	}
	t.known, t.said = true, max(said, t.said)
	return nil
}

// before counts the items before the first page, as the statement asked for it. It is false where that
// is not known.
func (r *Reader) before(answer map[string]json.RawMessage) (int, bool) {
	paging := r.req.call.Method.Paging
	if paging.Kind == provider.ByNextRequest {
		if r.req.value("page_token") != nil {
			return 0, false
		}
		value := r.req.value("offset")
		at, err := strconv.Atoi(plain(value))
		return at, value == nil || err == nil
	}
	at, err := r.position(answer, paging)
	if at = max(0, at-paging.First); err != nil || paging.Kind == provider.ByOffset || at == 0 {
		return at, err == nil
	}
	size, err := strconv.Atoi(unquote(answer["page_size"]))
	return at * size, err == nil
}

// reached reports whether the list has given as many items as it says there are.
func (t *total) reached() bool { return t.known && !t.blind && t.given >= t.said && t.fresh >= t.least }

// checkEnd checks a list after its last page. In an answer that is one object, has_more is an attribute
// of that object: it has a meaning only for an object in a list, as the documents say.
func (r *Reader) checkEnd(answer map[string]json.RawMessage) error {
	for name := range flags() {
		if r.req.shape.key != "" && r.req.shape.whole.names[name] && string(answer[name]) == "true" {
			e := callError(r.req, provider.API, fmt.Sprintf("the answer's %s says that the list goes on, but not where", name))
			e.Hint = "run the statement again"
			return e
		}
	}
	if t := &r.past.total; t.known && !t.blind && !t.reached() {
		e := callError(r.req, provider.API, fmt.Sprintf("the list ends after %d of %d items", min(t.fresh, t.given), t.said))
		e.Hint = "run the statement again"
		return e
	}
	return nil
}

// flags are the attributes of answers that report whether the list continues, beside its token or
// position. The value reports whether false ends a list that still has a token: the SDK's iterators of
// lists with has_more follow the token, and the SDK has no iterator for the list with has_next_page.
func flags() map[string]bool { return map[string]bool{"has_more": false, "has_next_page": true} }

// saysEnd reports whether a flag says that nothing follows, whatever else the answer says.
func (r *Reader) saysEnd(answer map[string]json.RawMessage) bool {
	for name, decides := range flags() {
		if decides && r.req.shape.whole.names[name] && string(answer[name]) == "false" {
			return true
		}
	}
	return false
}

// followed notes that the list goes on at a place. One that comes twice is an error.
func (r *Reader) followed(f following) error {
	key := f.key()
	if remember(&r.past.places, r.past.mark(json.RawMessage(key))) {
		return r.endless("the page token %s came twice", provider.Quote(key))
	}
	return nil
}

// begin notes where the first page was asked for, if the statement says.
func (r *Reader) begin() {
	paging := r.req.call.Method.Paging
	if paging == nil || paging.RequestToken == "" {
		return
	}
	var token string
	switch paging.RequestIn {
	case provider.InQuery:
		token = r.req.http.URL.Query().Get(paging.RequestToken)
	case provider.InHeader:
		token = r.req.http.Header.Get(paging.RequestToken)
	default:
		if value := r.req.value(paging.RequestToken); value != nil {
			token = plain(value)
		}
	}
	if token != "" {
		remember(&r.past.places, r.past.mark(json.RawMessage(token)))
	}
}

// contents returns the lists of a page that a merge joins, unchanged, without the empty ones.
func contents(page map[string]json.RawMessage, lists []string) []json.RawMessage {
	var found []json.RawMessage
	for _, list := range lists {
		if raw := attribute(page, list); !absent(raw) && string(raw) != "[]" {
			found = append(found, raw)
		}
	}
	return slices.Clip(found)
}
