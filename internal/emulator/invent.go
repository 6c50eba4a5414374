package emulator

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/documents"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// inventor makes up values for attributes by their names and shapes: where nobody wrote down what
// the company has, but the documents say that there is something.
type inventor struct {
	co   *company
	draw *draw
}

// maxInvented is how deep values are made up: the resource, and what is directly in it.
const maxInvented = 3

// record makes up a resource.
func (v *inventor) record(s *documents.Shape) resource.Record {
	r := resource.Record{}
	if s == nil {
		return r
	}
	if s.Type != "object" {
		r[resource.ValueField], _ = v.value(s, "", 1, true)
		return r
	}
	for i := range s.Properties {
		name := s.Properties[i].Name
		if value, ok := v.value(s.Field(name), name, 1, slices.Contains(s.Required, name)); ok {
			r[name] = value
		}
	}
	return r
}

// value makes up one value. It is false where an attribute is better left out: deep down, or where
// the documents do not say what it is.
func (v *inventor) value(s *documents.Shape, name string, depth int, required bool) (any, bool) {
	if s == nil {
		return "", required
	}
	switch s.Type {
	case "string":
		return v.text(s, name), true
	case "integer":
		return v.integer(s, name), true
	case "number":
		return int64(1 + v.draw.below(9)), true
	case "boolean":
		return slices.Contains([]string{"active", "enabled", "is_enabled", "is_active"}, name), true
	case "array":
		if depth >= maxInvented && !required {
			return nil, false
		}
		item, ok := v.value(s.Elem(), strings.TrimSuffix(name, "s"), depth+1, required)
		if !ok || !required && s.Elem().Type == "object" {
			return []any{}, required
		}
		return []any{item}, true
	case "object":
		return v.object(s, depth, required)
	}
	return "0", required // anything will do
}

func (v *inventor) object(s *documents.Shape, depth int, required bool) (any, bool) {
	if len(s.Properties) == 0 {
		if f := s.Values(); s.Additional != nil && f != nil && f.Type == "string" && depth <= 2 {
			return resource.Record{"team": "roastery"}, true
		}
		return resource.Record{}, required
	}
	if !required && (depth >= maxInvented || depth > 1 && len(s.Properties) > 8) {
		return nil, false
	}
	if depth > 12 {
		return nil, false // a schema that requires itself
	}
	r := resource.Record{}
	for i := range s.Properties {
		p := s.Properties[i].Name
		needed := slices.Contains(s.Required, p)
		in := s.Field(p)
		if !needed && in != nil && (in.Type == "object" || in.Type == "array") {
			continue
		}
		if value, ok := v.value(in, p, depth+1, needed); ok {
			r[p] = value
		}
	}
	return r, true
}

// good are words of states in which things are as they should be, the best first.
var good = []string{
	"ACTIVE", "RUNNING", "READY", "AVAILABLE", "ONLINE", "HEALTHY", "SUCCEEDED", "SUCCESS", "COMPLETED", "DONE",
	"ENABLED", "OK", "IDLE", "PUBLISHED", "VALID", "ADDED", "CAN_VIEW", "CAN_USE", "CAN_MANAGE", "USER", "DATABRICKS", "AWS",
}

// choose takes one of an enum's words: the same one for states, any for what is not a state.
func (v *inventor) choose(enum []any) string {
	words := make([]string, 0, len(enum))
	for _, e := range enum {
		text, ok := e.(string)
		if !ok {
			continue
		}
		if slices.ContainsFunc(good, func(g string) bool { return strings.EqualFold(g, text) }) {
			return text
		}
		if !strings.Contains(text, "UNSPECIFIED") && !strings.Contains(text, "UNKNOWN") && !strings.Contains(text, "FAIL") &&
			!strings.Contains(text, "ERROR") && !strings.Contains(text, "DELET") {
			words = append(words, text)
		}
	}
	if len(words) == 0 {
		first, _ := enum[0].(string)
		return first
	}
	return words[v.draw.below(len(words))]
}

func (v *inventor) text(s *documents.Shape, name string) string {
	if len(s.Enum) > 0 {
		return v.choose(s.Enum)
	}
	made, changed := v.draw.times()
	switch s.Format {
	case "date-time":
		if strings.Contains(name, "updat") || strings.Contains(name, "modif") || strings.Contains(name, "end") {
			return changed.Format(time.RFC3339)
		}
		return made.Format(time.RFC3339)
	case "duration":
		return "300s"
	case "byte":
		return "aGFyYm9yIGZpbmNo"
	case "password":
		return "made-up-" + hex.EncodeToString([]byte(v.draw.label()))[:24]
	}
	if s.Pattern != "" {
		return v.word()
	}
	return v.named(name)
}

// named makes up text by an attribute's name. References are to what the company has.
func (v *inventor) named(name string) string {
	if text, ok := v.known(name); ok {
		return text
	}
	made, changed := v.draw.times()
	lower := strings.ToLower(name)
	ends := func(suffixes ...string) bool {
		return slices.ContainsFunc(suffixes, func(suffix string) bool { return strings.HasSuffix(lower, suffix) })
	}
	switch {
	case lower == "id", ends("_id", "uuid", "_uid"):
		return v.draw.uuid()
	case ends("email", "user_name", "username", "_by", "owner", "creator", "principal"):
		return v.person().email
	case ends("update_time", "updated_at", "modified_time", "last_modified"):
		return changed.Format(time.RFC3339)
	case ends("_time", "_at", "timestamp"):
		return made.Format(time.RFC3339)
	case ends("url", "uri"):
		return "https://harbor-finch.example/" + v.word()
	case ends("arn"):
		return "arn:aws:iam::482910573321:role/" + v.word()
	case ends("path"):
		return "/Workspace/Shared/" + v.word()
	case ends("location", "root"):
		return "s3://harbor-finch-lake/" + v.word()
	case ends("comment", "description"):
		return v.sentence()
	case ends("message", "reason", "error", "etag"):
		return ""
	case ends("version"):
		return strconv.Itoa(1 + v.draw.below(4))
	case ends("display_name", "displayname", "title"):
		return title(v.word())
	}
	return v.word()
}

// known gives the values of attributes that refer to something else in the workspace.
func (v *inventor) known(name string) (string, bool) {
	switch name {
	case "warehouse_id":
		return v.co.warehouseID(0), true
	case "cluster_id", "existing_cluster_id":
		return v.co.clusterID(0), true
	case "pipeline_id":
		return v.co.pipelineID(0), true
	case "metastore_id", "default_metastore_id":
		return v.co.metastoreID(), true
	case "account_id":
		return v.co.accountID(), true
	case "catalog", "catalog_name":
		return mainCatalog, true
	case "schema", "schema_name":
		return "shop", true
	case "table_name", "full_name", "source_table", "securable_full_name":
		return mainCatalog + ".shop.orders", true
	case "instance_name", "database_instance_name":
		return "orders", true
	case "region", "aws_region", "cloud_region":
		return "us-west-2", true
	case "cloud":
		return "aws", true
	case "timezone_id":
		return "America/Los_Angeles", true
	case "currency_code":
		return "USD", true
	}
	return "", false
}

func (v *inventor) integer(s *documents.Shape, name string) int64 {
	made, changed := v.draw.times()
	lower := strings.ToLower(name)
	switch {
	case name == "job_id":
		return v.co.jobNumber(0)
	case name == "workspace_id":
		return int64(v.co.workspaceID()) //nolint:gosec // has 16 digits
	case s.Format == "int32":
		return int64(1 + v.draw.below(8))
	case strings.Contains(lower, "updat"), strings.Contains(lower, "modif"), strings.HasSuffix(lower, "end_time"):
		return changed.UnixMilli()
	case strings.HasSuffix(lower, "_time"), strings.HasSuffix(lower, "_at"), strings.Contains(lower, "timestamp"), strings.HasSuffix(lower, "_ms"):
		return made.UnixMilli()
	case strings.HasSuffix(lower, "_id"):
		return 100_000_000_000_000 + int64(v.draw.below(1<<31-1))
	case strings.Contains(lower, "bytes"), strings.Contains(lower, "size"):
		return v.draw.bytes()
	}
	return int64(1 + v.draw.below(40))
}

func (v *inventor) person() person {
	everybody := humans()
	return everybody[v.draw.below(len(everybody))]
}

// word is a name as people give them.
func (v *inventor) word() string {
	what := []string{"orders", "returns", "stock", "beans", "shipping", "loyalty", "payroll", "sensors", "pricing", "suppliers", "cupping", "invoices"}
	kind := []string{"daily", "raw", "clean", "weekly", "live", "archive", "report", "model", "feed", "sample"}
	return what[v.draw.below(len(what))] + "-" + kind[v.draw.below(len(kind))]
}

func (v *inventor) sentence() string {
	all := []string{
		"Kept by the data engineers.", "Fed by the shop's tills.", "What the roastery's sensors say.", "For the Monday report.",
		"Asked for by finance.", "Ready for the new warehouse.",
	}
	return all[v.draw.below(len(all))]
}
