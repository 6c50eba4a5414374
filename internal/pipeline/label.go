package pipeline

import (
	"slices"
	"strings"
)

// label returns the column with what people call a row, if the key does not have it: an id says little to whoever
// reads a change. It is nil if there is none.
func (t *storedTable) label() *Column {
	at := func(is func(name string) bool) int {
		return slices.IndexFunc(t.Columns, func(c Column) bool { return c.Type == Text && is(c.Name) })
	}
	place := -1
	for _, name := range []string{"name", "display_name", "user_name", "label", "title"} {
		if place = at(func(n string) bool { return n == name }); place >= 0 {
			break
		}
	}
	if place < 0 { // cluster_name, job_name; not the name of somebody who made it
		place = at(func(n string) bool {
			return strings.HasSuffix(n, "_name") && !slices.ContainsFunc([]string{"creat", "owner", "user", "run_as"}, func(who string) bool { return strings.Contains(n, who) })
		})
	}
	if place < 0 || slices.Contains(t.Key, t.Columns[place].Name) {
		return nil
	}
	return &t.Columns[place]
}
