package dispatch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/lakeql/lakeql/provider"
)

// finish completes the incomplete items of a page in the way of the official SDK's lists, and reports the
// items that stay incomplete.
func (r *Reader) finish(ctx context.Context, page *Page) error {
	if page.req.shape.stream || !r.completes() && !r.reportsParts() {
		return nil
	}
	var completed []json.RawMessage // all items, once one was completed
	i := 0
	for item := range page.items.all() {
		whole, changed := item, false
		if isObject(item) { // the row of another is refused, or has no attributes
			var err error
			if whole, changed, err = r.complete(ctx, item); err != nil {
				return err
			}
			r.reportPart(whole)
		}
		if changed && completed == nil {
			completed = slices.Grow(completed, page.items.n)
			for before := range i {
				completed = append(completed, page.items.at(before))
			}
		}
		if completed != nil {
			completed = append(completed, whole)
		}
		i++
	}
	switch {
	case completed == nil:
	case page.items.single:
		page.items = one(completed[0])
	default:
		page.items = joined(completed)
	}
	return nil
}

// completes reports whether items of the list may come in part, with a method that has the rest.
func (r *Reader) completes() bool {
	c := r.req.call.Method.Completion
	return c != nil && (c.If == "" || r.req.http.URL.Query().Get(c.If) == "true")
}

// reportsParts reports whether rows of the method may be incomplete and OnPart is set.
func (r *Reader) reportsParts() bool {
	return r.client.OnPart != nil && len(r.client.partPaths(r.req.call.Method)) > 0
}

// complete returns an item of a list with all items of its nested lists, and reports whether some were
// missing.
func (r *Reader) complete(ctx context.Context, item json.RawMessage) (json.RawMessage, bool, error) {
	c := r.req.call.Method.Completion
	if !r.completes() || gjson.GetBytes(item, c.More).Type != gjson.True {
		return item, false, nil
	}
	get, err := r.getItem(item, c)
	if err != nil {
		return nil, false, err
	}
	reader := r.client.Open(get)
	page, err := reader.Next(ctx)
	r.usage.Add(reader.Usage())
	r.usage.Rows -= reader.Usage().Rows // the item is counted where its list is
	if err == nil && page.Len() != 1 {
		err = io.EOF
	}
	if errors.Is(err, io.EOF) {
		return nil, false, callError(get, provider.API, "an item of a list comes in part, and the answer does not have the rest")
	}
	if err != nil {
		return nil, false, err
	}
	object, whole := maps.Collect(attributes(item)), maps.Collect(attributes(page.items.at(0)))
	if paging := get.call.Method.Paging; paging != nil {
		for _, list := range paging.Lists {
			for path := range strings.SplitSeq(list, "|") {
				if err := take(object, whole, strings.Split(path, ".")); err != nil {
					return nil, false, unreadable(r.req, item, err)
				}
			}
		}
	}
	object[c.More] = json.RawMessage("false")
	encoded, err := json.Marshal(object)
	if err != nil {
		return nil, false, provider.Internalf("complete an item of a list").Because(err)
	}
	return encoded, true, nil
}

// getItem makes the request for an item that comes in part.
func (r *Reader) getItem(item json.RawMessage, c *provider.Completion) (*Request, error) {
	name := strings.Split(c.Get, ".")
	if len(name) != 4 {
		return nil, provider.Internalf("%s: the document completes its items by %s, which is no method's full name", r.req.call.Method.FullName(), provider.Quote(c.Get))
	}
	m, err := r.client.Catalogue.Method(name[0], name[1], name[2], name[3])
	if err != nil {
		return nil, err
	}
	args := map[string]any{}
	for _, b := range c.Bind {
		if b.From == provider.FromRequest {
			args[b.Param] = r.req.call.Args[b.Path]
			continue
		}
		value := gjson.GetBytes(item, b.Path)
		if args[b.Param] = scalar(json.RawMessage(value.Raw)); args[b.Param] == nil {
			return nil, callError(r.req, provider.API, "an item of the list comes in part, and has no "+b.Path+" to ask for the rest")
		}
	}
	return r.client.Plan(Call{Method: m, Deployment: r.req.call.Deployment, Args: args})
}

// take replaces the attribute at a path by the same attribute of another object, if that has it.
func take(into, from map[string]json.RawMessage, path []string) error {
	value, ok := from[path[0]]
	if !ok {
		return nil
	}
	if len(path) == 1 {
		into[path[0]] = value
		return nil
	}
	var inner, outer map[string]json.RawMessage
	if err := json.Unmarshal(value, &inner); err != nil {
		return err
	}
	if raw, ok := into[path[0]]; ok {
		if err := json.Unmarshal(raw, &outer); err != nil {
			return err
		}
	}
	if outer == nil {
		outer = map[string]json.RawMessage{}
	}
	if err := take(outer, inner, path[1:]); err != nil {
		return err
	}
	return set(into, path[0], outer)
}

// partial are the attributes with which an answer reports that it is incomplete, and that the rest is in
// another answer or is not available.
func partial() []string {
	return []string{"next_page_token", "next_chunk_index", "has_more", "truncated", "is_truncated", "logs_truncated", "steps_truncated"}
}

// reportPart reports an item that is marked as incomplete.
func (r *Reader) reportPart(item json.RawMessage) {
	if !r.reportsParts() || !slices.ContainsFunc(partial(), func(name string) bool { return bytes.Contains(item, []byte(name)) }) {
		return
	}
	m := r.req.call.Method
	for _, path := range r.client.partPaths(m) {
		if m.Completion != nil && path == m.Completion.More && !r.completes() {
			continue // the call left the nested lists out
		}
		if slices.ContainsFunc(values(gjson.ParseBytes(item), strings.Split(path, ".")), saysMore) {
			r.client.OnPart(m.FullName(), path)
		}
	}
}

// values returns the values at a path, in every element of the lists on the way.
func values(of gjson.Result, path []string) []gjson.Result {
	if of.IsArray() {
		var all []gjson.Result
		for _, element := range of.Array() {
			all = append(all, values(element, path)...)
		}
		return all
	}
	if len(path) == 0 {
		return []gjson.Result{of}
	}
	return values(of.Get(path[0]), path[1:])
}

// saysMore reports whether a value says that there is more: true, a number or a text.
func saysMore(value gjson.Result) bool {
	switch value.Type {
	case gjson.True:
		return true
	case gjson.Number:
		return value.Num != 0
	case gjson.String:
		return value.Str != ""
	case gjson.Null, gjson.False, gjson.JSON:
	}
	return false
}

// partPaths returns the paths in the rows of a method at which the document has an attribute of
// partial. They are found once.
func (c *Client) partPaths(m *provider.Method) []string {
	paths, _ := c.documents().parts.get(m, func() ([]string, error) { return c.lookForParts(m), nil }) // it has no error
	return paths
}

func (c *Client) lookForParts(m *provider.Method) []string {
	var paths []string
	if s, err := c.shapeOf(m); err == nil && s.index != nil {
		for name, i := range s.index {
			paths = c.findParts(m, s.schemas[i], name, []string{name}, paths)
		}
	}
	if p := m.Paging; p != nil && p.Kind == provider.ByMerging { // its rest was read
		paths = slices.DeleteFunc(paths, func(path string) bool { return path == p.ResponseToken || path == "has_more" })
	}
	slices.Sort(paths)
	return paths
}

// deepest bounds how deep in a row the attributes of partial are looked for.
const deepest = 5

func (c *Client) findParts(m *provider.Method, schema *provider.Schema, name string, path, found []string) []string {
	if slices.Contains(partial(), name) {
		return append(found, strings.Join(path, "."))
	}
	schema, err := c.Catalogue.Resolve(m, schema)
	if err == nil && schema != nil && schema.Type == "array" {
		schema, err = c.Catalogue.Resolve(m, schema.Items)
	}
	if err != nil || schema == nil || len(path) == deepest {
		return found // the rows report a document that is at fault
	}
	for _, p := range schema.Properties {
		found = c.findParts(m, p.Schema, p.Name, append(slices.Clip(path), p.Name), found)
	}
	return found
}
