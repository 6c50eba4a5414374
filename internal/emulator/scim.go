package emulator

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// scimFilter is a condition of SCIM's filter language (RFC 7644 §3.4.2.2): one comparison.
type scimFilter struct {
	path     []string
	op, text string
}

// scimComparison is attribute, operator and a value in quotes or out of them.
var scimComparison = regexp.MustCompile(`^\s*([A-Za-z][\w.]*)\s+(?i:(eq|ne|co|sw|ew|pr))(?:\s+("(?:[^"\\]|\\.)*"|[^\s"]+))?\s*$`)

// parseFilter reads the filter parameter of lists by SCIM. Other lists have filters in languages of
// their own, which the emulator does not know: they are not applied.
func parseFilter(text string, pg *provider.Paging) (*scimFilter, error) {
	if text == "" || pg == nil || pg.Kind != provider.ByOffset {
		return nil, nil //nolint:nilnil // no filter fits everything
	}
	m := scimComparison.FindStringSubmatch(text)
	if m == nil || m[3] == "" && !strings.EqualFold(m[2], "pr") {
		return nil, newError(400, "INVALID_PARAMETER_VALUE", "The filter %q is not one comparison such as: userName eq \"ada\".", printable(text))
	}
	f := &scimFilter{path: strings.Split(m[1], "."), op: strings.ToLower(m[2]), text: m[3]}
	var unquoted string
	if json.Unmarshal([]byte(m[3]), &unquoted) == nil {
		f.text = unquoted
	}
	return f, nil
}

// fits reports whether a record fits. Text is compared without regard to case, as SCIM has it.
func (f *scimFilter) fits(r record) bool {
	if f == nil {
		return true
	}
	values := valuesAt(r, f.path)
	compare := func(v string) bool {
		v, text := strings.ToLower(v), strings.ToLower(f.text)
		switch f.op {
		case "co":
			return strings.Contains(v, text)
		case "sw":
			return strings.HasPrefix(v, text)
		case "ew":
			return strings.HasSuffix(v, text)
		case "pr":
			return v != ""
		}
		return v == text
	}
	if f.op == "ne" {
		return !slices.ContainsFunc(values, compare)
	}
	return slices.ContainsFunc(values, compare)
}

// valuesAt gives the values at a path, through lists. Names are found without regard to case.
func valuesAt(value any, path []string) []string {
	switch v := value.(type) {
	case []any:
		var all []string
		for _, item := range v {
			all = append(all, valuesAt(item, path)...)
		}
		return all
	case record:
		return valuesIn(v, path)
	case map[string]any:
		return valuesIn(v, path)
	}
	if len(path) > 0 || value == nil {
		return nil
	}
	return []string{plain(value)}
}

func valuesIn(object map[string]any, path []string) []string {
	if len(path) == 0 {
		return valuesAt(object["value"], nil) // of emails, members and the like
	}
	for name, inner := range object {
		if strings.EqualFold(name, path[0]) {
			return valuesAt(inner, path[1:])
		}
	}
	return nil
}

// shownFields is what a list or a get shows of a record: what it has become meanwhile, and of
// SCIM's resources what the request asks for.
func (c *call) shownFields(r record) record {
	r = settled(r, c.emulator.opts.Clock())
	if c.route.method.Paging == nil || c.route.method.Paging.Kind != provider.ByOffset {
		return r
	}
	wanted, not := c.query.Get("attributes"), c.query.Get("excludedAttributes")
	if wanted == "" && not == "" {
		return r
	}
	r = maps.Clone(r)
	for name := range r {
		listed := func(list string) bool {
			return slices.ContainsFunc(strings.Split(list, ","), func(w string) bool {
				first, _, _ := strings.Cut(strings.TrimSpace(w), ".")
				return strings.EqualFold(first, name)
			})
		}
		if name != "id" && (wanted != "" && !listed(wanted) || not != "" && listed(not)) {
			delete(r, name)
		}
	}
	return r
}

// patchSCIM changes a resource by SCIM's operations (RFC 7644 §3.5.2).
func patchSCIM(c *call) (any, error) {
	c.state.changing.Lock()
	defer c.state.changing.Unlock()
	name, old, err := c.stored(c.route.plan)
	if err != nil {
		return nil, err
	}
	r := maps.Clone(old)
	operations, _ := c.object()["Operations"].([]any)
	for _, o := range operations {
		operation, _ := o.(map[string]any)
		if err := patchOnce(r, operation); err != nil {
			return nil, err
		}
	}
	c.state.store.keep(name, r)
	return c.answer(r), nil
}

// listPath is a path to some of a list's items: members[value eq "123"].
var listPath = regexp.MustCompile(`^(\w+)\[(.+)\]$`)

func patchOnce(r, operation map[string]any) error {
	op, _ := operation["op"].(string)
	path, _ := operation["path"].(string)
	value := operation["value"]
	if path == "" {
		object, ok := value.(map[string]any)
		if !ok {
			return invalidParameter("An operation without a path needs an object of attributes as its value.")
		}
		for name, v := range object {
			if err := patchOnce(r, map[string]any{"op": op, "path": name, "value": v}); err != nil {
				return err
			}
		}
		return nil
	}
	if m := listPath.FindStringSubmatch(path); m != nil {
		f, err := parseFilter(m[2], &provider.Paging{Kind: provider.ByOffset})
		if err != nil {
			return err
		}
		items, _ := r[m[1]].([]any)
		r[m[1]] = slices.DeleteFunc(slices.Clone(items), func(item any) bool {
			object, ok := item.(map[string]any)
			if held, isRecord := item.(record); isRecord {
				object, ok = held, true
			}
			return ok && f.fits(object)
		})
		return nil
	}
	names := strings.Split(path, ".")
	switch op {
	case "remove":
		copyPath(r, nil, names)
		return nil
	case "add":
		held, isList := r[path].([]any)
		more, addsList := value.([]any)
		if isList || addsList {
			if !addsList {
				more = []any{value}
			}
			r[path] = append(slices.Clone(held), more...)
			return nil
		}
	}
	from := map[string]any{}
	at := from
	for _, n := range names[:len(names)-1] {
		inner := map[string]any{}
		at[n] = inner
		at = inner
	}
	at[names[len(names)-1]] = value
	copyPath(r, from, names)
	return nil
}

func scimHandlers() map[string]handler {
	table := map[string]handler{}
	for _, root := range []string{"/api/2.0/preview/scim/v2/", "/api/2.0/accounts/{}/scim/v2/"} {
		for _, kind := range []string{"Users", "Groups", "ServicePrincipals"} {
			table["PATCH "+root+kind+"/{}"] = patchSCIM
		}
	}
	return table
}
