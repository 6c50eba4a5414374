package emulator

import (
	"github.com/lakeql/lakeql/internal/emulator/company"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// finishCatalog is a catalog as it is made: of the metastore's own, or of what it is a window to.
func finishCatalog(_ *call, r resource.Record) {
	switch {
	case resource.Text(r["share_name"]) != "":
		r["catalog_type"] = "DELTASHARING_CATALOG"
	case resource.Text(r["connection_name"]) != "":
		r["catalog_type"] = "FOREIGN_CATALOG"
	default:
		r["catalog_type"] = company.ManagedCatalog
	}
}

// finishSchema takes over what a schema says of its catalog.
func finishSchema(c *call, r resource.Record) {
	in, id := c.emulator.kinds()["/unity-catalog/catalogs"].Locate(nil, []string{resource.Text(r["catalog_name"])})
	if it, ok := c.home.collections.Get(in + "/" + id); ok {
		r["catalog_type"] = it.Record["catalog_type"]
	}
}
