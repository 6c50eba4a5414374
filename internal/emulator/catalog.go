package emulator

import (
	"net/http"
	"strings"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/company"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// finishCatalog sets the type of a new catalog: of the metastore, of a share or of a connection.
func finishCatalog(_ *apiRequest, r resource.Record) {
	switch {
	case resource.Text(r["share_name"]) != "":
		r["catalog_type"] = "DELTASHARING_CATALOG"
	case resource.Text(r["connection_name"]) != "":
		r["catalog_type"] = "FOREIGN_CATALOG"
	default:
		r["catalog_type"] = company.ManagedCatalog
	}
}

// finishSchema copies the type of the catalog to a new schema.
func finishSchema(req *apiRequest, r resource.Record) {
	in, id := req.emulator.kinds()["/unity-catalog/catalogs"].Locate(nil, []string{resource.Text(r["catalog_name"])})
	if it, ok := req.home.collections.Get(in + "/" + id); ok {
		r["catalog_type"] = it.Record["catalog_type"]
	}
}

// checkCatalog refuses a request below a catalog or a schema that does not exist.
func (req *apiRequest) checkCatalog(above []string) error {
	catalogs, schemas := req.emulator.kinds()["/unity-catalog/catalogs"], req.emulator.kinds()["/unity-catalog/schemas"]
	if catalogs == nil || schemas == nil {
		return nil
	}
	if _, ok := req.home.collections.Get(catalogs.Collection(nil) + "/" + resource.Key(above[0])); !ok {
		return apierror.New(http.StatusNotFound, "CATALOG_DOES_NOT_EXIST", "Catalog '%s' does not exist.", apierror.Printable(above[0]))
	}
	if len(above) > 1 {
		if _, ok := req.home.collections.Get(schemas.Collection(above[:1]) + "/" + resource.Key(above[1])); !ok {
			return apierror.New(http.StatusNotFound, "SCHEMA_DOES_NOT_EXIST", "Schema '%s' does not exist.", apierror.Printable(strings.Join(above, ".")))
		}
	}
	return nil
}
