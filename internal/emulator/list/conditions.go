package list

import (
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/documents"
	"github.com/lakeql/lakeql/internal/emulator/resource"
	"github.com/lakeql/lakeql/provider"
)

// filter reads the conditions of the request: parameters with the name and value of an attribute,
// the same below filter_by, those of the table conditions, and the parameter filter. It refuses any
// other parameter that may choose items.
func (r *Request) filter() (func(resource.Item) bool, error) {
	var all []Condition
	for name, values := range r.Query {
		if name == "filter" || leavesItems(r.Kind, name) || slices.Contains(r.Above, name) || strings.Join(values, "") == "" {
			continue
		}
		fits, err := r.condition(name, values)
		if err != nil {
			return nil, err
		}
		all = append(all, fits)
	}
	for name, value := range r.Body {
		if read, ok := conditions[r.Kind.Name+"?"+name]; ok {
			all = append(all, read(r, resource.ValuesAt(value, nil)))
		}
	}
	fits, err := r.written()
	if err != nil {
		return nil, err
	}
	if fits != nil {
		all = append(all, fits)
	}
	return func(it resource.Item) bool {
		if it.Deleted {
			return false
		}
		settled := resource.Settled(it.Record, r.Now)
		return !slices.ContainsFunc(all, func(fits Condition) bool { return !fits(settled) })
	}, nil
}

// written reads the parameter filter in the language of the list. Without a filter it returns nil.
func (r *Request) written() (Condition, error) {
	text := r.Query.Get("filter")
	if said, ok := r.Body["filter"].(string); ok && text == "" {
		text = said
	}
	switch {
	case strings.TrimSpace(text) == "":
		return nil, nil //nolint:nilnil // no filter fits everything
	case r.Paging != nil && r.Paging.Kind == provider.ByOffset:
		return ParseSCIM(text, r.Kind.Leads)
	}
	return parseComparisons(text, r.Kind)
}

// condition reads one parameter.
func (r *Request) condition(name string, values []string) (Condition, error) {
	if read, ok := r.Conditions[r.Kind.Name+"?"+name]; ok {
		return read(values), nil
	}
	for _, key := range []string{r.Kind.Name + "?" + name, "?" + name} {
		if read, ok := conditions[key]; ok {
			return read(r, values), nil
		}
	}
	field := strings.TrimPrefix(name, "filter_by.")
	path := strings.Split(field, ".")
	if !r.Kind.Has(path[0]) && !slices.Contains(r.Kind.IDs, field) { // records hold ids that no answer shows
		return nil, apierror.Invalid("The emulator cannot choose what is in this list by %s. Leave it out, and choose among the rows.", apierror.Printable(name))
	}
	return equals(path, values), nil
}

// equals tests whether an attribute has one of the values. An attribute without a value is false.
func equals(path, values []string) Condition {
	return func(r resource.Record) bool {
		have := resource.ValuesAt(r, path)
		return len(have) == 0 && slices.Contains(values, "false") || slices.ContainsFunc(have, func(value string) bool { return slices.Contains(values, value) })
	}
}

// conditions are the conditions of parameters, and of attributes in the body of a search, that do
// not compare the attribute of their name. Keys are the kind's name with the parameter, or the
// parameter alone.
var conditions = map[string]func(r *Request, values []string) Condition{
	"?filter_by.cluster_states":  attribute("state"),
	"?filter_by.cluster_sources": attribute("cluster_source"),
	"?filter_by.statuses":        attribute("status"),
	"?filter_by.warehouse_ids":   attribute("warehouse_id"),
	"?filter_by.statement_ids":   attribute("query_id"),
	"?filter_by.user_ids":        attribute("user_id"),
	"?filter_by.is_pinned":       attribute(PinnedField),

	"?filter_by.query_start_time_range.start_time_ms": comparison("query_start_time_ms", ">="),
	"?filter_by.query_start_time_range.end_time_ms":   comparison("query_start_time_ms", "<="),

	"?search_keyword":           contains("name"),
	"?parent_recipient_name":    attribute("parent_recipient_name"),  // no made-up recipient has a parent
	"?filter_by_genie_space_id": attribute("objects.genie_space_id"), // no made-up share holds a Genie space

	"/git-credentials?principal_id": attribute("principal_id"), // those without it belong to the caller

	"/jobs?name": func(_ *Request, values []string) Condition {
		return matching("settings.name", values, strings.EqualFold)
	},
	"/jobs/runs?active_only":     finished(false),
	"/jobs/runs?completed_only":  finished(true),
	"/jobs/runs?start_time_from": comparison("start_time", ">="),
	"/jobs/runs?start_time_to":   comparison("start_time", "<="),

	"/pipelines/{}/updates?until_update_id": untilUpdate,
	"/preview/sql/dashboards?q":             contains("name"),
	"/preview/sql/queries?q":                contains("name"),
	"/repos?path_prefix": func(_ *Request, values []string) Condition {
		return matching("path", values, strings.HasPrefix)
	},

	"/feature-engineering/streams?parent":           inSchema,
	"/unity-catalog/connections?parent":             inSchema,
	"/unity-catalog/mcp-services?parent":            inSchema,
	"/unity-catalog/model-provider-services?parent": inSchema,
	"/unity-catalog/model-services?parent":          inSchema,

	"/unity-catalog/table-summaries?catalog_name":        partOfName(0),
	"/unity-catalog/table-summaries?schema_name_pattern": partOfName(1),
	"/unity-catalog/table-summaries?table_name_pattern":  partOfName(2),

	"/marketplace-consumer/listings?assets":       attribute("detail.assets"),
	"/marketplace-consumer/listings?categories":   attribute("summary.categories"),
	"/marketplace-consumer/listings?provider_ids": attribute("summary.provider_id"),
	"/marketplace-consumer/listings?tags": func(_ *Request, values []string) Condition {
		return matching("detail.tags.tag_values", values, func(have, value string) bool { return strings.Contains(value, have) }) // clients send tags as Go prints them
	},
	"/marketplace-consumer/listings?tags.tag_name":   attribute("detail.tags.tag_name"),
	"/marketplace-consumer/listings?tags.tag_values": attribute("detail.tags.tag_values"),
	"/marketplace-consumer/listings?query":           contains("summary.name"),
	"/marketplace-consumer/listings?is_staff_pick":   attribute("summary.is_staff_pick"), // no answer shows it, because no listing is one
	"/marketplace-consumer/listings?is_free": func(_ *Request, values []string) Condition {
		return func(r resource.Record) bool {
			return slices.Contains(resource.ValuesAt(r, []string{"detail", "cost"}), "FREE") == slices.Contains(values, "true")
		}
	},
	"/marketplace-consumer/listings?is_private_exchange": func(_ *Request, values []string) Condition {
		return func(r resource.Record) bool {
			return (len(resource.ValuesAt(r, []string{"summary", "exchange_ids"})) > 0) == slices.Contains(values, "true")
		}
	},

	"/mlflow/experiments?view_type":        lifecycle("lifecycle_stage"),
	"/mlflow/runs?run_view_type":           lifecycle("info.lifecycle_stage"),
	"/mlflow/runs?experiment_ids":          attribute("info.experiment_id"),
	"/mlflow/logged-models?experiment_ids": attribute("info.experiment_id"),
}

// leavesItems reports whether a parameter chooses no items: it orders them, selects attributes, or
// names the collection.
func leavesItems(k *documents.Kind, name string) bool {
	first, _, _ := strings.Cut(name, ".")
	return isPaging(name) || strings.HasPrefix(name, "include_") || strings.HasPrefix(name, "omit_") || strings.HasPrefix(name, "debug_") ||
		slices.Contains([]string{"sort_by", "sort_spec", "sort_column", "sort_order", "view", "expand_tasks"}, first) || neutral[k.Name+"?"+first]
}

// neutral are parameters of single lists that choose no items.
var neutral = map[string]bool{
	"/sql/warehouses?run_as_user_id":                       true, // the user who reads the list
	"/lakeview/dashboards?show_trashed":                    true, // a dashboard in the trash is removed here
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

// attribute compares an attribute whose name is not the parameter's.
func attribute(path string) func(*Request, []string) Condition {
	return func(_ *Request, values []string) Condition { return equals(strings.Split(path, "."), values) }
}

// comparison compares a number.
func comparison(path, op string) func(*Request, []string) Condition {
	return func(_ *Request, values []string) Condition {
		bound := literal{text: values[0]}
		return func(r resource.Record) bool {
			return slices.ContainsFunc(resource.ValuesAt(r, strings.Split(path, ".")), func(have string) bool { return operators[op](bound.compare(have)) })
		}
	}
}

// matching tests an attribute against the parameter's value.
func matching(path string, values []string, test func(have, value string) bool) Condition {
	return func(r resource.Record) bool {
		return slices.ContainsFunc(resource.ValuesAt(r, strings.Split(path, ".")), func(have string) bool { return test(have, values[0]) })
	}
}

// contains looks for text in an attribute without regard to case.
func contains(path string) func(*Request, []string) Condition {
	return func(_ *Request, values []string) Condition {
		return matching(path, values, func(have, value string) bool { return strings.Contains(strings.ToLower(have), strings.ToLower(value)) })
	}
}

// inSchema tests whether the name of an item, as in mcp-services/main.shop.orders, is in a schema:
// schemas/main.shop, or main.shop.
func inSchema(_ *Request, values []string) Condition {
	schema := strings.TrimPrefix(values[0], "schemas/") + "."
	return func(r resource.Record) bool {
		return slices.ContainsFunc([]string{"full_name", "name"}, func(attribute string) bool {
			name := resource.Text(r[attribute])
			return strings.HasPrefix(name[strings.LastIndexByte(name, '/')+1:], schema)
		})
	}
}

// partOfName tests a part of a table's full name against a pattern of LIKE.
func partOfName(part int) func(*Request, []string) Condition {
	return func(_ *Request, values []string) Condition {
		pattern := like(values[0], true)
		return matching("full_name", values, func(have, _ string) bool {
			parts := strings.SplitN(have, ".", 3)
			return len(parts) == 3 && pattern.MatchString(parts[part])
		})
	}
}

// lifecycle tests a view: active items, deleted items, or all.
func lifecycle(path string) func(*Request, []string) Condition {
	return func(_ *Request, values []string) Condition {
		return matching(path, values, func(have, view string) bool {
			return view == "ALL" || (have == "deleted") == (view == "DELETED_ONLY")
		})
	}
}

// finished tests whether runs are over.
func finished(wanted bool) func(*Request, []string) Condition {
	return func(_ *Request, values []string) Condition {
		over := []string{"TERMINATED", "SKIPPED", "INTERNAL_ERROR"}
		return func(r resource.Record) bool {
			state := resource.ValuesAt(r, []string{"state", "life_cycle_state"})
			return values[0] != "true" || slices.ContainsFunc(state, func(s string) bool { return slices.Contains(over, s) }) == wanted
		}
	}
}

// untilUpdate keeps the updates of a pipeline from the newest back to a given one.
func untilUpdate(r *Request, values []string) Condition {
	it, ok := r.Collections.Get(r.In + "/" + resource.Key(values[0]))
	if !ok {
		return func(resource.Record) bool { return true } // there is no such update
	}
	return comparison("creation_time", ">=")(r, []string{resource.Text(it.Record["creation_time"])})
}
