// Package list chooses and orders the items of a list. It hides the filter languages, the meaning of each
// parameter of each list, the documented orders and the page tokens.
//
// A [Request] has the items and the parameters. [Request.Page] returns the page, and refuses parameters that
// it does not understand: an ignored parameter would return more rows than the client asked for. A list
// without a documented order is in the order of ids, whatever the request says.
package list

import (
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/documents"
	"github.com/lakeql/lakeql/internal/emulator/resource"
	"github.com/lakeql/lakeql/provider"
)

// Request is a request for a page of a list.
type Request struct {
	// Collections holds the items, in the collection of the name In. IDs are the generated ones to
	// look at; changed items are looked at in any case.
	Collections *resource.Collections
	In          string
	IDs         resource.Sequence

	Kind   *documents.Kind
	Paging *provider.Paging // nil: the list has one page
	// Above names the parameters that selected the collection. They choose no items.
	Above []string
	Query url.Values
	Body  resource.Record // of a search
	Token string          // the value of Paging.RequestToken

	// Scope is the workspace. Its page tokens are good in it alone.
	Scope  string
	Tokens *Tokens
	Now    time.Time
	// Conditions are conditions of parameters that depend on more than the items, by the kind's
	// name, a question mark and the parameter's.
	Conditions map[string]func(values []string) Condition
}

// Page is a part of a list.
type Page struct {
	Items []resource.Item
	// More holds further attributes of an answer, such as totals and the next page's token. The documents
	// of the list have some of these attributes.
	More resource.Record
}

// Page returns the items that the request wants, or an [apierror.Error].
func (r *Request) Page() (Page, error) {
	fits, err := r.filter()
	if err != nil {
		return Page{}, err
	}
	if r.Paging != nil && (r.Paging.Kind == provider.ByOffset || r.Paging.Kind == provider.ByPage) {
		return r.numbered(fits)
	}
	return r.afterToken(fits)
}

// afterToken returns the items that follow the last item of the page before.
func (r *Request) afterToken(fits func(resource.Item) bool) (Page, error) {
	list := r.Scope + "/" + r.In + "?" + r.filterText()
	size, err := r.size()
	if err != nil {
		return Page{}, err
	}
	after := ""
	if r.Paging == nil {
		size = resource.MaxItems
	} else if r.Token != "" {
		opened, ok := r.Tokens.open(r.Token, list)
		if !ok {
			return Page{}, apierror.Invalid("%s is not one that this list gave.", r.Paging.RequestToken)
		}
		after = opened
	}
	skip := 0
	if text := r.Query.Get("offset"); text != "" && after == "" {
		if skip, err = strconv.Atoi(text); err != nil || skip < 0 || skip > resource.MaxItems {
			return Page{}, apierror.Invalid("offset must be a number from 0 to %d.", resource.MaxItems)
		}
	}
	items, position := r.inOrder(after, skip+size+1, fits)
	items = items[min(skip, len(items)):]
	more := resource.Record{"has_more": false}
	if r.Paging != nil && len(items) > size {
		more[r.Paging.ResponseToken] = r.Tokens.Token(list, position(items[size-1]))
		more["has_more"] = true
	}
	return Page{Items: items[:min(size, len(items))], More: more}, nil
}

// numbered returns the items at an index or of a page's number, and how many items there are.
func (r *Request) numbered(fits func(resource.Item) bool) (Page, error) {
	pg := r.Paging
	sizeParam, size := pg.Limit, r.Tokens.pageSize
	if pg.Kind == provider.ByPage {
		sizeParam = "page_size"
	}
	if text := r.Query.Get(sizeParam); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return Page{}, apierror.Invalid("%s must be a number that is not negative, not %q.", sizeParam, apierror.Printable(text))
		}
		size = min(n, resource.MaxItems)
	}
	first := pg.First
	if text := r.Query.Get(pg.RequestToken); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > math.MaxInt32 {
			return Page{}, apierror.Invalid("%s must be a number from %d on, not %q.", pg.RequestToken, pg.First, apierror.Printable(text))
		}
		first = max(n, pg.First)
	}
	skip := first - pg.First
	if pg.Kind == provider.ByPage {
		skip *= size
	}
	var items []resource.Item
	total := 0
	if r.filterText() == "" {
		var after string
		after, total = r.Collections.Span(r.In, skip)
		if skip < total {
			items = r.Collections.Select(r.In, r.IDs, after, size, false, fits)
		}
	} else { // the total counts only the items that fit, so all items are looked at
		all := r.Collections.Select(r.In, r.IDs, "", math.MaxInt32, false, fits)
		total = len(all)
		items = all[min(skip, total):min(skip+size, total)]
	}
	return Page{Items: items, More: resource.Record{
		"startIndex": int64(first), "itemsPerPage": int64(len(items)), "totalResults": int64(total),
		"schemas": []any{"urn:ietf:params:scim:api:messages:2.0:ListResponse"},
		"page":    int64(first), "page_size": int64(size), "count": int64(total),
	}}, nil
}

// size is how many items the request wants on a page.
func (r *Request) size() (int, error) {
	size := r.Tokens.pageSize
	for _, name := range []string{"page_size", "max_results", "limit"} {
		text := r.Query.Get(name)
		if text == "" {
			if value, ok := r.Body[name]; ok {
				text = resource.Text(value)
			}
		}
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return 0, apierror.Invalid("%s must be a number that is not negative, not %q.", name, apierror.Printable(text))
		}
		if n > 0 { // 0 means the default
			size = min(n, resource.MaxItems)
		}
	}
	return size, nil
}

// filterText identifies the request's filters in page tokens. It is empty without filters.
func (r *Request) filterText() string {
	var parts []string
	for name, values := range r.Query {
		if !isPaging(name) {
			parts = append(parts, name+"="+strings.Join(values, ","))
		}
	}
	for name, value := range r.Body {
		if !isPaging(name) {
			parts = append(parts, name+"="+resource.Text(value))
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, "&")
}

// pagingParams are the parameters that page and order lists and select attributes.
func pagingParams() []string {
	return []string{
		"page_token", "page_size", "max_results", "limit", "offset", "count", "startIndex", "page", "next_page_token",
		"attributes", "excludedAttributes", "sortBy", "sortOrder", "order", "order_by",
	}
}

func isPaging(name string) bool { return slices.Contains(pagingParams(), name) }
