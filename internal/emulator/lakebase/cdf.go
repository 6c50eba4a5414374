package lakebase

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// cdfConfigRules are those of the replication of a schema of PostgreSQL to Unity Catalog.
func cdfConfigRules() rules {
	return rules{
		flat:    true,
		idParam: "cdf_config_id",
		newID:   func(body resource.Record) string { return resource.Text(body["postgres_schema"]) },
		check: func(s *Service, name string, body resource.Record, _ bool) error {
			if id := resource.ID(name); id == "" || strings.Count(name, "/") != strings.Count(resource.Parent(name), "/")+1 {
				return apierror.Invalid("cdf_config_id %q is not an id.", apierror.Printable(id))
			}
			in := resource.Parent(name)
			same := slices.IndexFunc(s.Collections.List(in, "", resource.MaxItems, false), func(it resource.Item) bool {
				r, ok := s.held(in + "/" + it.ID)
				return ok && in+"/"+it.ID != name && r["postgres_schema"] == body["postgres_schema"]
			})
			if same >= 0 {
				return apierror.New(http.StatusConflict, "ALREADY_EXISTS", "The schema %q is replicated already.", apierror.Printable(resource.Text(body["postgres_schema"])))
			}
			return nil
		},
		make: func(s *Service, m *maker, name string, body resource.Record) {
			now := m.now.Format(time.RFC3339Nano)
			s.Collections.PutJSON(name, resource.JSON(resource.Record{
				"name": name, "cdf_config_id": resource.ID(name), "create_time": now,
				"catalog": body["catalog"], "schema": body["schema"], "postgres_schema": body["postgres_schema"],
			}))
			const table = "orders" // what a schema is taken to have
			s.Collections.PutJSON(name+"/cdf-statuses/"+table, resource.JSON(resource.Record{
				"name": name + "/cdf-statuses/" + table, "create_time": now, "last_sync_time": now, "postgres_table": table,
				"uc_table": resource.Text(body["catalog"]) + "." + resource.Text(body["schema"]) + "." + table,
			}))
		},
	}
}
