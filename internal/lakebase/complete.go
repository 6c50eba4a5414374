package lakebase

import (
	"context"
	"slices"
	"strings"
)

// Complete returns the names of endpoints that begin with a word: projects and instances, then branches,
// then endpoints. They are in the form of the word: p/b/e, or projects/p/branches/b/endpoints/e.
func (c *Client) Complete(ctx context.Context, word string) ([]string, error) {
	short, long := strings.CutPrefix(word, "projects/")
	if long {
		short = strings.NewReplacer("/branches/", "/", "/endpoints/", "/").Replace(short)
	}
	var names []string
	var err error
	switch parts := strings.Split(short, "/"); len(parts) {
	case 1:
		names, err = c.names(ctx, projects+".list", nil)
		if more, noInstances := c.names(ctx, instances+".list", nil); noInstances == nil && !long {
			names = append(names, more...)
		}
	case 2:
		names, err = c.names(ctx, branches+".list", map[string]any{"project_id": parts[0]})
	case 3:
		names, err = c.names(ctx, endpoints+".list", map[string]any{"project_id": parts[0], "branch_id": parts[1]})
	}
	if err != nil {
		return nil, err
	}
	for i, name := range names {
		if n, err := ParseName(name); err == nil && !long {
			names[i] = n.Short()
		}
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !strings.HasPrefix(name, word) })
	slices.Sort(names)
	return names, nil
}
