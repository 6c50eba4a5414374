package emulator

import (
	"slices"
	"strconv"
	"strings"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/company"
	"github.com/lakeql/lakeql/internal/emulator/documents"
	"github.com/lakeql/lakeql/internal/emulator/resource"
	"github.com/lakeql/lakeql/provider"
)

// filter reads the conditions that a request sets a list: parameters that are attributes' names
// with their values, the same below filter_by, those of the table conditions, and what is in filter.
// A parameter that is none of these, and not known to leave the choice of items alone, is refused.
func (c *call) filter(k *documents.Kind) (func(resource.Item) bool, error) {
	var all []condition
	for name, values := range c.query {
		if name == "filter" || leavesItems(k, name) || slices.Contains(c.route.target.Above, name) || strings.Join(values, "") == "" {
			continue
		}
		fits, err := c.condition(k, name, values)
		if err != nil {
			return nil, err
		}
		all = append(all, fits)
	}
	for name, value := range c.object() { // of searches
		if read, ok := conditions[k.Name+"?"+name]; ok {
			all = append(all, read(c, valuesAt(value, nil)))
		}
	}
	fits, err := c.written(k)
	if err != nil {
		return nil, err
	}
	if fits != nil {
		all = append(all, fits)
	}
	now := c.emulator.opts.Clock()
	return func(it resource.Item) bool {
		if it.Deleted {
			return false
		}
		r := resource.Settled(it.Record, now)
		return !slices.ContainsFunc(all, func(fits condition) bool { return !fits(r) })
	}, nil
}

// written reads the filter itself, in the language of the list. Without one it gives nil.
func (c *call) written(k *documents.Kind) (condition, error) {
	text := c.query.Get("filter")
	if said, ok := c.object()["filter"].(string); ok && text == "" {
		text = said
	}
	pg := c.route.method.Paging
	switch {
	case strings.TrimSpace(text) == "":
		return nil, nil //nolint:nilnil // no filter fits everything
	case pg != nil && pg.Kind == provider.ByOffset:
		return parseSCIM(text, k.Leads)
	}
	return parseListFilter(text, k)
}

// condition reads one parameter.
func (c *call) condition(k *documents.Kind, name string, values []string) (condition, error) {
	for _, key := range []string{k.Name + "?" + name, "?" + name} {
		if read, ok := conditions[key]; ok {
			return read(c, values), nil
		}
	}
	field := strings.TrimPrefix(name, "filter_by.")
	path := strings.Split(field, ".")
	if !k.Has(path[0]) && !slices.Contains(k.IDs, field) { // ids are held also where no answer shows them
		return nil, apierror.Invalid("The emulator cannot choose what is in this list by %s. Leave it out, and choose among the rows.", apierror.Printable(name))
	}
	return equals(path, values), nil
}

// equals is the condition that an attribute has one of the values. What is not there is false.
func equals(path, values []string) condition {
	return func(r map[string]any) bool {
		have := valuesAt(r, path)
		return len(have) == 0 && slices.Contains(values, "false") || slices.ContainsFunc(have, func(value string) bool { return slices.Contains(values, value) })
	}
}

// conditions are those of parameters, and of attributes of searches, that do not compare the attribute
// of their name. They are found by the kind with the parameter, or by the parameter alone.
var conditions = map[string]func(c *call, values []string) condition{
	"?filter_by.cluster_states":  attribute("state"),
	"?filter_by.cluster_sources": attribute("cluster_source"),
	"?filter_by.statuses":        attribute("status"),
	"?filter_by.warehouse_ids":   attribute("warehouse_id"),
	"?filter_by.statement_ids":   attribute("query_id"),
	"?filter_by.user_ids":        attribute("user_id"),
	"?filter_by.is_pinned":       attribute(pinnedField),

	"?filter_by.query_start_time_range.start_time_ms": comparison("query_start_time_ms", ">="),
	"?filter_by.query_start_time_range.end_time_ms":   comparison("query_start_time_ms", "<="),

	"@/budget-policies?filter_by.creator_user_id":   madeBy(numberOf),
	"@/budget-policies?filter_by.creator_user_name": madeBy(loginOf),

	"/git-credentials?principal_id": attribute("principal_id"), // those without are the caller's own

	"/jobs?name": func(_ *call, values []string) condition {
		return matching("settings.name", values, strings.EqualFold)
	},
	"/jobs/runs?active_only":     finished(false),
	"/jobs/runs?completed_only":  finished(true),
	"/jobs/runs?start_time_from": comparison("start_time", ">="),
	"/jobs/runs?start_time_to":   comparison("start_time", "<="),

	"/pipelines/{}/updates?until_update_id": untilUpdate,
	"/preview/sql/dashboards?q":             contains("name"),
	"/preview/sql/queries?q":                contains("name"),
	"/repos?path_prefix": func(_ *call, values []string) condition {
		return matching("path", values, strings.HasPrefix)
	},

	"/unity-catalog/table-summaries?catalog_name":        partOfName(0),
	"/unity-catalog/table-summaries?schema_name_pattern": partOfName(1),
	"/unity-catalog/table-summaries?table_name_pattern":  partOfName(2),

	"/marketplace-consumer/listings?assets":       attribute("detail.assets"),
	"/marketplace-consumer/listings?categories":   attribute("summary.categories"),
	"/marketplace-consumer/listings?provider_ids": attribute("summary.provider_id"),
	"/marketplace-consumer/listings?tags": func(_ *call, values []string) condition {
		return matching("detail.tags.tag_values", values, func(have, value string) bool { return strings.Contains(value, have) }) // as Go prints tags
	},
	"/marketplace-consumer/listings?query":         contains("summary.name"),
	"/marketplace-consumer/listings?is_staff_pick": attribute("summary.is_staff_pick"), // which no answer shows, as none is
	"/marketplace-consumer/listings?is_free": func(_ *call, values []string) condition {
		return func(r map[string]any) bool {
			return slices.Contains(valuesAt(r, []string{"detail", "cost"}), "FREE") == slices.Contains(values, "true")
		}
	},
	"/marketplace-consumer/listings?is_private_exchange": func(_ *call, values []string) condition {
		return func(r map[string]any) bool {
			return (len(valuesAt(r, []string{"summary", "exchange_ids"})) > 0) == slices.Contains(values, "true")
		}
	},

	"/mlflow/experiments?view_type":        lifecycle("lifecycle_stage"),
	"/mlflow/runs?run_view_type":           lifecycle("info.lifecycle_stage"),
	"/mlflow/runs?experiment_ids":          attribute("info.experiment_id"),
	"/mlflow/logged-models?experiment_ids": attribute("info.experiment_id"),
}

// leavesItems reports whether a parameter has no say in which items a list has: it says how they
// are ordered, what of them is shown, or what the list is of.
func leavesItems(k *documents.Kind, name string) bool {
	first, _, _ := strings.Cut(name, ".")
	return isPaging(name) || strings.HasPrefix(name, "include_") || strings.HasPrefix(name, "omit_") ||
		slices.Contains([]string{"sort_by", "sort_spec", "sort_column", "sort_order", "view", "expand_tasks"}, first) || neutral[k.Name+"?"+first]
}

// neutral are parameters of single lists that choose no items.
var neutral = map[string]bool{
	"/sql/warehouses?run_as_user_id":                       true, // as whom the list is read
	"/lakeview/dashboards?show_trashed":                    true, // what goes to the trash is gone here
	"/workspace?path":                                      true,
	"/mlflow/artifacts?run_id":                             true,
	"/mlflow/artifacts?run_uuid":                           true,
	"/mlflow/metrics/get-history?metric_key":               true,
	"/mlflow/metrics/get-history?run_id":                   true,
	"/mlflow/metrics/get-history?run_uuid":                 true,
	"/libraries/cluster-status?cluster_id":                 true,
	"/policies/cluster-compliance?policy_id":               true,
	"/policies/job-compliance?policy_id":                   true,
	"/lineage-tracking/external-lineage?object_info":       true,
	"/lineage-tracking/external-lineage?lineage_direction": true,
}

// attribute compares an attribute that has another name than the parameter.
func attribute(path string) func(*call, []string) condition {
	return func(_ *call, values []string) condition { return equals(strings.Split(path, "."), values) }
}

// comparison orders a number.
func comparison(path, op string) func(*call, []string) condition {
	return func(_ *call, values []string) condition {
		bound := literal{text: values[0]}
		return func(r map[string]any) bool {
			return slices.ContainsFunc(valuesAt(r, strings.Split(path, ".")), func(have string) bool { return orders[op](bound.compare(have)) })
		}
	}
}

// matching compares an attribute with a value, which comes second.
func matching(path string, values []string, test func(have, value string) bool) condition {
	return func(r map[string]any) bool {
		return slices.ContainsFunc(valuesAt(r, strings.Split(path, ".")), func(have string) bool { return test(have, values[0]) })
	}
}

// contains looks for text in an attribute, whatever the case.
func contains(path string) func(*call, []string) condition {
	return func(_ *call, values []string) condition {
		return matching(path, values, func(have, value string) bool { return strings.Contains(strings.ToLower(have), strings.ToLower(value)) })
	}
}

// partOfName holds a part of a table's full name against a pattern of SQL's.
func partOfName(part int) func(*call, []string) condition {
	return func(_ *call, values []string) condition {
		pattern := like(values[0], true)
		return matching("full_name", values, func(have, _ string) bool {
			parts := strings.SplitN(have, ".", 3)
			return len(parts) == 3 && pattern.MatchString(parts[part])
		})
	}
}

// lifecycle is the view of what is active, of what is deleted, or of all.
func lifecycle(path string) func(*call, []string) condition {
	return func(_ *call, values []string) condition {
		return matching(path, values, func(have, view string) bool {
			return view == "ALL" || (have == "deleted") == (view == "DELETED_ONLY")
		})
	}
}

// finished tests whether runs are over.
func finished(wanted bool) func(*call, []string) condition {
	return func(_ *call, values []string) condition {
		over := []string{"TERMINATED", "SKIPPED", "INTERNAL_ERROR"}
		return func(r map[string]any) bool {
			state := valuesAt(r, []string{"state", "life_cycle_state"})
			return values[0] != "true" || slices.ContainsFunc(state, func(s string) bool { return slices.Contains(over, s) }) == wanted
		}
	}
}

// madeBy tests who made something. What the company began with is its first person's.
func madeBy(of func(company.Person) string) func(*call, []string) condition {
	return func(_ *call, values []string) condition {
		return func(r map[string]any) bool {
			maker := resource.TextOr(r["creator_user_name"], company.Humans()[0].Email)
			return slices.ContainsFunc(company.Humans(), func(p company.Person) bool { return p.Email == maker && slices.Contains(values, of(p)) })
		}
	}
}

// numberOf is a person's id, loginOf how they log in.
func numberOf(p company.Person) string {
	return strconv.Itoa(company.FirstUser + slices.IndexFunc(company.Humans(), func(other company.Person) bool { return other.ID == p.ID }))
}

func loginOf(p company.Person) string { return p.Email }

// untilUpdate keeps the updates of a pipeline from the newest back to the one that is named.
func untilUpdate(c *call, values []string) condition {
	in, id := c.route.target.Kind.Locate(c.values(c.route.target.Above), values[:1])
	it, ok := c.home.collections.Get(in + "/" + id)
	if !ok {
		return func(map[string]any) bool { return true } // there is nothing to stop at
	}
	return comparison("creation_time", ">=")(c, []string{resource.Text(it.Record["creation_time"])})
}
