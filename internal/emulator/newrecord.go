package emulator

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/documents"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// newRecord makes the record of a new resource: attributes that the service sets, then those of the
// request.
func (req *apiRequest) newRecord(k *documents.Kind, content resource.Record) resource.Record {
	now := req.now().UTC()
	r := resource.Record{}
	asked := req.contentShape()
	for _, s := range []*documents.Shape{k.Listed(), k.Item()} {
		if s == nil {
			continue
		}
		made := req.home.company().Inventor(resource.NewID()).Record(s)
		for name, value := range made {
			f := s.Field(name)
			_, said := content[name]
			switch {
			case said:
			case asked.Has(name) && !slices.Contains(s.Required, name): // it was for the request to say
			case isTimeName(name) && !isFirstTime(name):
			case isTimeName(name) && f.Type == "integer":
				r[name] = now.UnixMilli()
			case isTimeName(name) && f.Type == "string":
				r[name] = now.Format(time.RFC3339)
			case isPersonName(name):
				r[name] = req.subject
			case slices.Contains(s.Required, name), isSetByService(name, k):
				r[name] = value
			}
		}
	}
	maps.Copy(r, content)
	for name, value := range req.params { // the path has precedence over the body
		if name == "account_id" {
			value = req.emulator.opts.AccountID
		}
		if k.Has(name) && !slices.Contains(k.IDs, name) {
			r[name] = k.TypedID(name, value)
		}
	}
	return r
}

// contentShape returns the shape of a new resource in a request.
func (req *apiRequest) contentShape() *documents.Shape {
	if req.method.Body == nil {
		return nil
	}
	whole := req.shapes.Body(req.method)
	for i := range whole.Properties {
		if f := whole.Field(whole.Properties[i].Name); req.kind != nil && (f.Same(req.kind.Item()) || f.Same(req.kind.Listed())) {
			return f
		}
	}
	return whole
}

// isSetByService reports whether the service chooses an attribute of every new resource. All other
// attributes are those of the request, or absent.
func isSetByService(name string, k *documents.Kind) bool {
	switch name {
	case "id", "uid", "uuid", "etag", "status", "state", "metastore_id", "object_id", "resource_id":
		return true
	}
	return name == strings.ReplaceAll(documents.Noun(k.Name), " ", "_")+"_id" || slices.Contains(k.IDs, name) ||
		strings.HasSuffix(name, "_state") || strings.HasSuffix(name, "_status")
}

// isFirstTime reports whether a time belongs to a resource from the beginning: when it was created
// and last changed.
func isFirstTime(name string) bool {
	lower := strings.ToLower(name)
	return strings.Contains(lower, "creat") || strings.Contains(lower, "updat") || strings.Contains(lower, "modif") || strings.Contains(lower, "edited") || lower == "timestamp"
}

func isTimeName(name string) bool {
	lower := strings.ToLower(name)
	return strings.HasSuffix(lower, "_time") || strings.HasSuffix(lower, "_at") || strings.Contains(lower, "timestamp")
}

func isPersonName(name string) bool {
	return slices.Contains([]string{"owner", "creator", "created_by", "updated_by", "creator_user_name", "creator_name", "owner_user_name", "last_modifier_user_name", "run_as_user_name"}, name)
}

// newIDs returns the ids of a new resource, from the request or new ones, and sets them in the
// record.
func (req *apiRequest) newIDs(k *documents.Kind, r resource.Record) []string {
	content := req.content()
	ids := make([]string, len(k.IDs))
	for i, field := range k.Fields() {
		switch {
		case field == "full_name" && fullName(content) != "":
			ids[i] = fullName(content)
		case req.query.Get(k.IDs[i]) != "":
			ids[i] = req.query.Get(k.IDs[i])
			if schema, ok := strings.CutPrefix(req.query.Get("parent"), "schemas/"); ok && schema != "" {
				ids[i] = schema + "." + ids[i] // the id is the last part of a full name
			}
		case req.mayName(field) && resource.Text(content[field]) != "":
			ids[i] = resource.Text(content[field])
		case req.mayName(k.IDs[i]) && resource.Text(content[k.IDs[i]]) != "":
			ids[i] = resource.Text(content[k.IDs[i]])
		case req.params[k.IDs[i]] != "":
			ids[i] = req.params[k.IDs[i]]
		case isPersonName(field):
			ids[i] = req.subject
		default:
			ids[i] = req.home.newID(k)
		}
		if k.Numbered() {
			n, _ := strconv.ParseInt(ids[i], 10, 64)
			r[field] = n
		} else {
			r[field] = ids[i]
		}
		r[k.IDs[i]] = r[field]
	}
	if template := k.NameTemplate(); template != "" {
		r["name"] = req.fillTemplate(template, k, ids)
	}
	return ids
}

// fullName makes the full name of an object of Unity Catalog from its parts.
func fullName(r resource.Record) string {
	name := resource.Text(r["name"])
	if name == "" {
		return ""
	}
	parts := []string{name}
	for _, above := range []string{"schema_name", "catalog_name"} {
		if text := resource.Text(r[above]); text != "" {
			parts = append([]string{text}, parts...)
		}
	}
	return strings.Join(parts, ".")
}

// fillTemplate makes the resource name of an item from a template.
func (req *apiRequest) fillTemplate(template string, k *documents.Kind, ids []string) string {
	return documents.FillTemplate(template, func(name string) (string, bool) {
		if at := slices.Index(k.IDs, name); at >= 0 {
			return ids[at], true
		}
		return req.value(name), true
	})
}

// finishRecord applies the rules of the kind to a new resource.
func (req *apiRequest) finishRecord(k *documents.Kind, r resource.Record) {
	if finish, ok := finishers[k.Name]; ok {
		finish(req, r)
	}
	req.goes(k.Name, r)
}
