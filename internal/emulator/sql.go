package emulator

import (
	"maps"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// sqlHandlers are the operations of SQL warehouses and of the statements that they run.
func sqlHandlers() map[string]handler {
	const warehouses = "POST /api/2.0/sql/warehouses/{}/"
	return map[string]handler{
		warehouses + "start": changeOne(startedWarehouse),
		warehouses + "stop":  changeOne(stoppedWarehouse),
		warehouses + "edit":  changeOne(editedWarehouse),

		"POST /api/2.0/sql/statements": executeStatement,
		"POST /api/2.0/sql/statements/{}/cancel": changeOne(func(_ *apiRequest, r resource.Record) (resource.Record, error) {
			return merged(r, resource.Record{"status": resource.Record{"state": "CANCELED"}}, nil), nil
		}),
	}
}

// executeStatement answers any statement with one made-up row. It does not read the SQL.
func executeStatement(req *apiRequest) (any, error) {
	warehouse := resource.Text(req.object()["warehouse_id"])
	if k := req.emulator.kinds()["/sql/warehouses"]; k != nil {
		if _, ok := req.home.collections.Get(k.Collection(nil) + "/" + resource.Key(warehouse)); !ok {
			return nil, apierror.New(404, "RESOURCE_DOES_NOT_EXIST", "Warehouse %q does not exist.", apierror.Printable(warehouse))
		}
	}
	id := resource.NewID()
	r := resource.Record{
		"statement_id": id, "status": resource.Record{"state": "SUCCEEDED"},
		"manifest": resource.Record{
			"format": "JSON_ARRAY", "total_row_count": int64(1), "total_chunk_count": int64(1), "truncated": false,
			"schema": resource.Record{"column_count": int64(1), "columns": []any{resource.Record{"name": "1", "position": int64(0), "type_name": "INT", "type_text": "INT"}}},
			"chunks": []any{resource.Record{"chunk_index": int64(0), "row_offset": int64(0), "row_count": int64(1)}},
		},
		"result": resource.Record{"chunk_index": int64(0), "row_offset": int64(0), "row_count": int64(1), "data_array": []any{[]any{"1"}}},
	}
	req.home.collections.Put("/sql/statements/"+id, r)
	return req.answer(r), nil
}

func startedWarehouse(req *apiRequest, r resource.Record) (resource.Record, error) {
	if resource.Text(r["state"]) == "RUNNING" {
		return r, nil
	}
	r = maps.Clone(r)
	req.goes("/sql/warehouses", r)
	return r, nil
}

func stoppedWarehouse(req *apiRequest, r resource.Record) (resource.Record, error) {
	r = maps.Clone(r)
	req.become(r, resource.Record{"state": "STOPPING"}, resource.Record{"state": "STOPPED", "num_clusters": int64(0), "num_active_sessions": int64(0)})
	return r, nil
}

func editedWarehouse(req *apiRequest, r resource.Record) (resource.Record, error) {
	r = maps.Clone(r)
	maps.Copy(r, req.object())
	if resource.Text(r["state"]) == "RUNNING" {
		req.become(r, resource.Record{"state": "STARTING"}, resource.Record{"state": "RUNNING"})
	}
	return r, nil
}

func nameWarehouse(_ *apiRequest, r resource.Record) {
	r["name"], r["health"] = resource.TextOr(r["name"], "warehouse"), resource.Record{"status": "HEALTHY"}
}
