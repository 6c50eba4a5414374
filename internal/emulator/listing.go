package emulator

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/resource"
	"github.com/lakeql/lakeql/provider"
)

// listRecords answers a list, page by page as its documents say.
func listRecords(c *call) (any, error) {
	p := c.route.target
	in := p.Kind.Collection(c.values(p.Above))
	if parents, ok := p.Kind.CatalogParams(); ok {
		if err := c.checkCatalog(c.values(parents)); err != nil {
			return nil, err
		}
		in = p.Kind.Collection(c.values(parents))
	}
	fits, err := c.filter(p.Kind)
	if err != nil {
		return nil, err
	}
	ids := c.home.collections.GeneratedIDs(in)
	if narrow, ok := narrowers[p.Kind.Name]; ok {
		ids = narrow(c, ids)
	}
	var kind provider.PagingKind
	if pg := c.route.method.Paging; pg != nil {
		kind = pg.Kind
	}
	switch kind {
	case provider.ByOffset, provider.ByPage:
		return c.numberedPage(in, ids, fits)
	default:
		return c.tokenPage(in, ids, fits)
	}
}

// tokenPage answers with the items after those of the page before.
func (c *call) tokenPage(in string, ids resource.Sequence, fits func(resource.Item) bool) (any, error) {
	list := c.home.name + "/" + in + "?" + c.filterText()
	size, err := c.pageSize()
	if err != nil {
		return nil, err
	}
	after := ""
	pg := c.route.method.Paging
	if pg != nil {
		if token := c.value(pg.RequestToken); token != "" {
			opened, ok := c.emulator.pages.open(token, list)
			if !ok {
				return nil, apierror.Invalid("%s is not one that this list gave.", pg.RequestToken)
			}
			after = opened
		}
	} else {
		size = resource.MaxItems
	}
	skip := 0
	if text := c.query.Get("offset"); text != "" && after == "" {
		if skip, err = strconv.Atoi(text); err != nil || skip < 0 || skip > resource.MaxItems {
			return nil, apierror.Invalid("offset must be a number from 0 to %d.", resource.MaxItems)
		}
	}
	items, position := c.inOrder(in, ids, after, skip+size+1, fits)
	items = items[min(skip, len(items)):]
	more := resource.Record{}
	if pg != nil && len(items) > size {
		more[pg.ResponseToken] = c.emulator.pages.token(list, position(items[size-1]))
		more["has_more"] = true
	} else {
		more["has_more"] = false
	}
	return c.page(items[:min(size, len(items))], more), nil
}

// numberedPage answers with the items at a position or a page's number, and how many there are.
func (c *call) numberedPage(in string, ids resource.Sequence, fits func(resource.Item) bool) (any, error) {
	pg := c.route.method.Paging
	sizeParam, size := pg.Limit, c.emulator.opts.PageSize
	if pg.Kind == provider.ByPage {
		sizeParam = "page_size"
	}
	if text := c.query.Get(sizeParam); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return nil, apierror.Invalid("%s must be a number that is not negative, not %q.", sizeParam, apierror.Printable(text))
		}
		size = min(n, resource.MaxItems)
	}
	first := pg.First
	if text := c.query.Get(pg.RequestToken); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > math.MaxInt32 {
			return nil, apierror.Invalid("%s must be a number from %d on, not %q.", pg.RequestToken, pg.First, apierror.Printable(text))
		}
		first = max(n, pg.First)
	}
	skip := first - pg.First
	if pg.Kind == provider.ByPage {
		skip *= size
	}
	var items []resource.Item
	total := 0
	if c.filterText() == "" {
		var after string
		after, total = c.home.collections.Span(in, skip)
		if skip < total {
			items = c.home.collections.Select(in, ids, after, size, false, fits)
		}
	} else { // who filters wants few, and they have to be counted
		all := c.home.collections.Select(in, ids, "", math.MaxInt32, false, fits)
		total = len(all)
		items = all[min(skip, total):min(skip+size, total)]
	}
	return c.page(items, resource.Record{
		"startIndex": int64(first), "itemsPerPage": int64(len(items)), "totalResults": int64(total),
		"schemas": []any{"urn:ietf:params:scim:api:messages:2.0:ListResponse"},
		"page":    int64(first), "page_size": int64(size), "count": int64(total),
	}), nil
}

// page puts items into the answer that the documents have for the list.
func (c *call) page(items []resource.Item, more resource.Record) json.RawMessage {
	rows := make([]any, len(items))
	for i, it := range items {
		if value, ok := it.Record[resource.ValueField]; ok {
			rows[i] = value
		} else {
			rows[i] = c.shownFields(it.Record)
		}
	}
	r := c.route.method.Response
	whole := c.emulator.shapes.Response(c.route.method)
	return whole.AppendPage(make([]byte, 0, 256*(len(items)+1)), r.ObjectKey, rows, more)
}

// pageSize is how many items the request wants on a page.
func (c *call) pageSize() (int, error) {
	size := c.emulator.opts.PageSize
	for _, name := range []string{"page_size", "max_results", "limit"} {
		text := c.query.Get(name)
		if text == "" {
			if value, ok := c.object()[name]; ok {
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
		if n > 0 { // 0 is the same as not said
			size = min(n, resource.MaxItems)
		}
	}
	return size, nil
}

// filterText tells a list's filters from others', for its page tokens.
func (c *call) filterText() string {
	var parts []string
	for name, values := range c.query {
		if !isPaging(name) {
			parts = append(parts, name+"="+strings.Join(values, ","))
		}
	}
	for name, value := range c.object() { // of searches
		if !isPaging(name) {
			parts = append(parts, name+"="+resource.Text(value))
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, "&")
}
