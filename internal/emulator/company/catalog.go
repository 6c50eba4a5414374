package company

import (
	"slices"
	"strconv"
	"strings"

	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// catalogData is the company's data in Unity Catalog. A metastore belongs to the account, so all
// workspaces of a seed have the same catalogs.
var catalogData = map[string]dataset{
	"/unity-catalog/catalogs":                     {ids: catalogIDs, make: catalogRecord},
	"/unity-catalog/schemas":                      {ids: schemaIDs, make: schemaRecord},
	"/unity-catalog/tables":                       {ids: tableIDs, make: tableRecord},
	"/unity-catalog/volumes":                      {ids: volumeIDs, make: volumeRecord},
	"/unity-catalog/metastores":                   {ids: metastoreIDs, make: metastoreRecord},
	"/unity-catalog/current-metastore-assignment": {ids: alone, make: assignmentRecord},
	"/unity-catalog/metastore_summary":            {ids: alone, make: metastoreRecord},
	"@/metastores":                                {ids: metastoreIDs, make: metastoreRecord},
	"@/workspaces/{}/metastore":                   {ids: alone, make: assignmentRecord},
}

const (
	mainCatalog   = "main"
	systemCatalog = "system"
	moreTables    = "orders_day_" // then numberWidth digits
	archive       = "archive"     // the schema of the tables that the scale adds
)

// lake has catalogs, their schemas, their tables and the columns of each table.
func lake() map[string]map[string]map[string]string {
	return map[string]map[string]map[string]string{
		mainCatalog: {
			"shop": {
				"customers":   "customer_id bigint, name string, email string, city string, joined date",
				"order_lines": "order_id bigint, line int, product_id bigint, quantity int, price decimal(10,2)",
				"orders":      "order_id bigint, customer_id bigint, ordered_at timestamp, status string, total decimal(10,2)",
				"products":    "product_id bigint, name string, origin string, roast string, price decimal(10,2)",
			},
			"roastery": {
				"batches": "batch_id bigint, product_id bigint, roasted_at timestamp, kilograms double, batch_loss double",
				"sensors": "sensor_id string, batch_id bigint, measured_at timestamp, celsius double",
			},
			"finance": {
				"daily_sales": "day date, city string, orders bigint, total decimal(18,2)",
				"invoices":    "invoice_id bigint, supplier string, due date, amount decimal(18,2), paid boolean",
			},
			archive: {},
		},
		"raw": {
			"landing": {
				"sensor_events": "payload string, received_at timestamp",
				"till_events":   "payload string, received_at timestamp",
			},
		},
		"ml": {
			"features": {
				"customer_loyalty": "customer_id bigint, orders_90d int, spend_90d double, churn_risk double",
			},
			"forecasts": {
				"demand": "day date, product_id bigint, predicted double",
			},
		},
		systemCatalog: {
			"billing": {"usage": "record_id string, workspace_id string, sku_name string, usage_date date, usage_quantity decimal(38,18)"},
		},
	}
}

// views are the queries of the tables that are views.
var views = map[string]string{
	"main.finance.daily_sales": "SELECT date(ordered_at) AS day, c.city, count(*) AS orders, sum(total) AS total FROM main.shop.orders o JOIN main.shop.customers c USING (customer_id) GROUP BY ALL",
}

func (co *Company) metastoreID() string {
	whole := Company{Seed: co.Seed}
	d := whole.Draw("metastore")
	return d.UUID()
}

func keysOf[V any](all map[string]V) resource.Sequence {
	ids := make([]string, 0, len(all))
	for id := range all {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return resource.Sequence{Names: ids}
}

func catalogIDs(*Company, []string) resource.Sequence { return keysOf(lake()) }

func schemaIDs(_ *Company, above []string) resource.Sequence {
	if len(above) != 1 {
		return resource.Sequence{}
	}
	ids := keysOf(lake()[above[0]])
	if len(ids.Names) > 0 {
		ids.Names = append(ids.Names, "default")
		slices.Sort(ids.Names)
	}
	return ids
}

func tableIDs(co *Company, above []string) resource.Sequence {
	if len(above) != 2 {
		return resource.Sequence{}
	}
	ids := keysOf(lake()[above[0]][above[1]])
	if above[0] == mainCatalog && above[1] == archive {
		ids.Prefix, ids.Count = moreTables, co.Scale
	}
	return ids
}

func volumeIDs(_ *Company, above []string) resource.Sequence {
	switch strings.Join(above, ".") {
	case "main.shop":
		return resource.Sequence{Names: []string{"exports", "product_images"}}
	case "raw.landing":
		return resource.Sequence{Names: []string{"sensors", "tills"}}
	}
	return resource.Sequence{}
}

func metastoreIDs(co *Company, _ []string) resource.Sequence {
	return resource.Sequence{Names: []string{co.metastoreID()}}
}

// owned has the attributes of all securables of Unity Catalog: names, owner, and who changed it
// when.
func (co *Company) owned(kindName, fullName string) resource.Record {
	whole := Company{Seed: co.Seed}
	d := whole.Draw(kindName + "/" + fullName)
	made, changed := d.times()
	by := Humans()[d.Below(4)].Email
	return resource.Record{
		"full_name": fullName, "name": fullName[strings.LastIndexByte(fullName, '.')+1:], "owner": "data-engineers", "metastore_id": co.metastoreID(),
		"created_at": made.UnixMilli(), "created_by": by, "updated_at": changed.UnixMilli(), "updated_by": by, "browse_only": false,
	}
}

// SecondID is the UUID of an object that has a name too.
func (co *Company) SecondID(fullName string) string {
	whole := Company{Seed: co.Seed}
	d := whole.Draw("uuid of " + fullName)
	return d.UUID()
}

// catalogType is the type of one of the company's catalogs.
func catalogType(name string) string {
	if name == systemCatalog {
		return "SYSTEM_CATALOG"
	}
	return ManagedCatalog
}

// ManagedCatalog is the type of a catalog that belongs to the metastore.
const ManagedCatalog = "MANAGED_CATALOG"

func catalogRecord(co *Company, _ []string, id string) resource.Record {
	r := co.owned("/unity-catalog/catalogs", id)
	r["catalog_type"] = catalogType(id)
	if id == systemCatalog {
		r["owner"] = "System user"
	}
	comments := map[string]string{mainCatalog: "What the company works with.", "raw": "As it came in.", "ml": "Features and forecasts.", systemCatalog: "System tables."}
	r["comment"], r["isolation_mode"], r["securable_type"] = comments[id], "OPEN", "CATALOG"
	r["storage_root"] = "s3://harbor-finch-lake/" + id
	r["properties"] = resource.Record{}
	return r
}

func schemaRecord(co *Company, above []string, id string) resource.Record {
	r := co.owned("/unity-catalog/schemas", above[0]+"."+id)
	r["catalog_name"], r["catalog_type"], r["schema_id"] = above[0], catalogType(above[0]), co.SecondID(above[0]+"."+id)
	r["comment"], r["properties"] = Title(id)+" of Harbor Finch.", resource.Record{}
	return r
}

func tableRecord(co *Company, above []string, id string) resource.Record {
	full := strings.Join(append(slices.Clone(above), id), ".")
	r := co.owned("/unity-catalog/tables", full)
	r["catalog_name"], r["schema_name"], r["table_id"] = above[0], above[1], co.SecondID(full)
	r["table_type"], r["data_source_format"] = "MANAGED", "DELTA"
	r["storage_location"] = "s3://harbor-finch-lake/" + strings.ReplaceAll(full, ".", "/")
	if query, ok := views[full]; ok {
		r["table_type"], r["view_definition"] = "VIEW", query
		delete(r, "data_source_format")
		delete(r, "storage_location")
	}
	columns, ok := lake()[above[0]][above[1]][id]
	if !ok {
		columns = lake()[mainCatalog]["shop"]["orders"]
	}
	r["columns"], r["properties"] = columnRecords(columns), resource.Record{"delta.minReaderVersion": "1", "delta.minWriterVersion": "2"}
	r["comment"] = Title(strings.ReplaceAll(id, "_", " ")) + " of Harbor Finch."
	return r
}

// columnRecords reads "name type, name type"; a type may have commas in brackets.
func columnRecords(text string) []any {
	names := map[string]string{
		"bigint": "LONG", "string": "STRING", "date": "DATE", "int": "INT", "timestamp": "TIMESTAMP", "double": "DOUBLE", "boolean": "BOOLEAN",
	}
	parts := strings.Split(text, ", ")
	columns := make([]any, len(parts))
	for i, part := range parts {
		name, typeText, _ := strings.Cut(part, " ")
		column := resource.Record{
			"name": name, "type_text": typeText, "position": int64(i), "nullable": i > 0, "type_name": names[typeText],
			"type_precision": int64(0), "type_scale": int64(0),
		}
		if strings.HasPrefix(typeText, "decimal") {
			column["type_name"] = "DECIMAL"
		}
		columns[i] = column
	}
	return columns
}

func volumeRecord(co *Company, above []string, id string) resource.Record {
	full := strings.Join(append(slices.Clone(above), id), ".")
	r := co.owned("/unity-catalog/volumes", full)
	r["catalog_name"], r["schema_name"], r["volume_id"], r["volume_type"] = above[0], above[1], co.SecondID(full), "MANAGED"
	r["storage_location"] = "s3://harbor-finch-lake/volumes/" + strings.ReplaceAll(full, ".", "/")
	r["comment"] = "Files of " + Title(strings.ReplaceAll(id, "_", " ")) + "."
	return r
}

func metastoreRecord(co *Company, _ []string, _ string) resource.Record {
	r := co.owned("/unity-catalog/metastores", "harbor-finch")
	r["name"], r["id"], r["region"], r["cloud"] = "harbor-finch", co.metastoreID(), "us-west-2", "aws"
	r["global_metastore_id"], r["storage_root"] = "aws:us-west-2:"+co.metastoreID(), "s3://harbor-finch-lake"
	r["delta_sharing_scope"], r["privilege_model_version"], r["default_data_access_config_id"] = "INTERNAL", "1.0", co.SecondID("data access")
	delete(r, "full_name")
	return r
}

func assignmentRecord(co *Company, above []string, _ string) resource.Record {
	r := resource.Record{"metastore_id": co.metastoreID(), "default_catalog_name": mainCatalog, "workspace_id": int64(co.WorkspaceID())} //nolint:gosec // has 16 digits
	if len(above) == 1 {
		if n, err := strconv.ParseInt(above[0], 10, 64); err == nil {
			r["workspace_id"] = n
		}
	}
	return r
}
