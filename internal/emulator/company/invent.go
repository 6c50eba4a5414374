package company

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/documents"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// Inventor makes up values of attributes from their names and shapes. References point to resources
// that the company has.
type Inventor struct {
	co   *Company
	draw *Draw
}

// Inventor starts the values that a name determines in this workspace.
func (co *Company) Inventor(name string) *Inventor { return &Inventor{co: co, draw: co.Draw(name)} }

// maxInvented is how deep values are made up: the resource, and the objects directly in it.
const maxInvented = 3

// Record makes up a resource of a shape.
func (v *Inventor) Record(s *documents.Shape) resource.Record {
	r := resource.Record{}
	if s == nil {
		return r
	}
	if s.Type != "object" {
		r[resource.ValueField], _ = v.Value(s, "", 1, true)
		return r
	}
	for i := range s.Properties {
		name := s.Properties[i].Name
		if value, ok := v.Value(s.Field(name), name, 1, slices.Contains(s.Required, name)); ok {
			r[name] = value
		}
	}
	return r
}

// Value makes up the value of an attribute at a depth below the resource, from 1 on. It is false if
// the attribute is to be left out: too deep, or of a type that the documents leave open.
func (v *Inventor) Value(s *documents.Shape, name string, depth int, required bool) (any, bool) {
	if s == nil {
		return "", required
	}
	switch s.Type {
	case "string":
		return v.text(s, name), true
	case "integer":
		return v.integer(s, name), true
	case "number":
		return int64(1 + v.draw.Below(9)), true
	case "boolean":
		return slices.Contains([]string{"active", "enabled", "is_enabled", "is_active"}, name), true
	case "array":
		if depth >= maxInvented && !required {
			return nil, false
		}
		item, ok := v.Value(s.Elem(), strings.TrimSuffix(name, "s"), depth+1, required)
		if !ok || !required && s.Elem().Type == "object" {
			return []any{}, required
		}
		return []any{item}, true
	case "object":
		return v.object(s, depth, required)
	}
	return "0", required // the documents leave the type open
}

func (v *Inventor) object(s *documents.Shape, depth int, required bool) (any, bool) {
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
		return nil, false // the schema requires itself
	}
	r := resource.Record{}
	for i := range s.Properties {
		p := s.Properties[i].Name
		needed := slices.Contains(s.Required, p)
		in := s.Field(p)
		if !needed && in != nil && (in.Type == "object" || in.Type == "array") {
			continue
		}
		if value, ok := v.Value(in, p, depth+1, needed); ok {
			r[p] = value
		}
	}
	return r, true
}

// good are words for states without problems, the best first.
var good = []string{
	"ACTIVE", "RUNNING", "READY", "AVAILABLE", "ONLINE", "HEALTHY", "SUCCEEDED", "SUCCESS", "COMPLETED", "DONE",
	"ENABLED", "OK", "IDLE", "PUBLISHED", "VALID", "ADDED", "CAN_VIEW", "CAN_USE", "CAN_MANAGE", "USER", "DATABRICKS", "AWS",
}

// choose returns one of an enum's words: a good one for states, any for others.
func (v *Inventor) choose(enum []any) string {
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
	return words[v.draw.Below(len(words))]
}

func (v *Inventor) text(s *documents.Shape, name string) string {
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

// named makes up text from an attribute's name.
func (v *Inventor) named(name string) string {
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
		return v.draw.UUID()
	case ends("email", "user_name", "username", "_by", "owner", "creator", "principal"):
		return v.person().Email
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
		return strconv.Itoa(1 + v.draw.Below(4))
	case ends("display_name", "displayname", "title"):
		return Title(v.word())
	}
	return v.word()
}

// known returns the values of attributes that refer to other resources of the workspace.
func (v *Inventor) known(name string) (string, bool) {
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
		return v.co.AccountID(), true
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

func (v *Inventor) integer(s *documents.Shape, name string) int64 {
	made, changed := v.draw.times()
	lower := strings.ToLower(name)
	switch {
	case name == "job_id":
		return v.co.jobNumber(0)
	case name == "workspace_id":
		return int64(v.co.WorkspaceID()) //nolint:gosec // has 16 digits
	case s.Format == "int32":
		return int64(1 + v.draw.Below(8))
	case strings.Contains(lower, "updat"), strings.Contains(lower, "modif"), strings.HasSuffix(lower, "end_time"):
		return changed.UnixMilli()
	case strings.HasSuffix(lower, "_time"), strings.HasSuffix(lower, "_at"), strings.Contains(lower, "timestamp"), strings.HasSuffix(lower, "_ms"):
		return made.UnixMilli()
	case strings.HasSuffix(lower, "_id"):
		return 100_000_000_000_000 + int64(v.draw.Below(1<<31-1))
	case strings.Contains(lower, "bytes"), strings.Contains(lower, "size"):
		return v.draw.bytes()
	}
	return int64(1 + v.draw.Below(40))
}

func (v *Inventor) person() Person {
	everybody := Humans()
	return everybody[v.draw.Below(len(everybody))]
}

// word makes up a name as people give them.
func (v *Inventor) word() string {
	what := []string{"orders", "returns", "stock", "beans", "shipping", "loyalty", "payroll", "sensors", "pricing", "suppliers", "cupping", "invoices"}
	kind := []string{"daily", "raw", "clean", "weekly", "live", "archive", "report", "model", "feed", "sample"}
	return what[v.draw.Below(len(what))] + "-" + kind[v.draw.Below(len(kind))]
}

func (v *Inventor) sentence() string {
	all := []string{
		"Kept by the data engineers.", "Fed by the shop's tills.", "What the roastery's sensors say.", "For the Monday report.",
		"Asked for by finance.", "Ready for the new warehouse.",
	}
	return all[v.draw.Below(len(all))]
}

// identity makes up one id. Unlike named, it returns different ids for attributes that usually
// refer to one resource of the company.
func (v *Inventor) identity(f *documents.Shape, param, field string) string {
	if f != nil && len(f.Enum) > 0 {
		return v.choose(f.Enum)
	}
	switch {
	case strings.HasSuffix(param, "name") && !strings.HasSuffix(field, "id"), field == "name", field == "path", strings.HasSuffix(param, "key"):
		return v.word()
	case param == "version":
		return strconv.Itoa(1 + v.draw.Below(9))
	case strings.HasSuffix(param, "arn"):
		return "arn:aws:iam::482910573321:instance-profile/" + v.word()
	}
	return v.draw.UUID()
}
