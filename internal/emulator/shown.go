package emulator

import (
	"maps"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/emulator/resource"
	"github.com/lakeql/lakeql/provider"
)

// shownFields is what a list or a get shows of a record: what it has become meanwhile, without what
// the request leaves out, and of SCIM's resources what it asks for.
func (c *call) shownFields(r resource.Record) resource.Record {
	r = c.withoutOmitted(resource.Settled(r, c.emulator.opts.Clock()))
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

// omissions are the parameters that leave attributes out of a list.
var omissions = map[string][]string{
	"omit_columns":    {"columns"},
	"omit_properties": {"properties"},
	"omit_username":   {"owner", "created_by", "updated_by"},
}

func (c *call) withoutOmitted(r resource.Record) resource.Record {
	for param, attributes := range omissions {
		if c.query.Get(param) != "true" {
			continue
		}
		r = maps.Clone(r)
		for _, name := range attributes {
			delete(r, name)
		}
	}
	return r
}
