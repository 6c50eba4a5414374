package emulator

import (
	"encoding/base64"
	"net/http"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// secretHandlers are the operations on secrets. Their scope must exist.
func secretHandlers() map[string]handler {
	const root = "/api/2.0/secrets/"
	table := map[string]handler{}
	for _, verbAndPath := range []string{
		"GET " + root + "get", "GET " + root + "list", "POST " + root + "put", "POST " + root + "delete",
		"GET " + root + "acls/get", "GET " + root + "acls/list", "POST " + root + "acls/put", "POST " + root + "acls/delete",
	} {
		table[verbAndPath] = inScope
	}
	return table
}

func inScope(req *apiRequest) (any, error) {
	scope := req.value("scope")
	if _, ok := req.home.collections.Get("/secrets/scopes/" + resource.Key(scope)); !ok {
		return nil, apierror.New(http.StatusNotFound, "RESOURCE_DOES_NOT_EXIST", "Scope %s does not exist!", apierror.Printable(scope))
	}
	return serve(req)
}

// finishSecret stores a new value in base64.
func finishSecret(req *apiRequest, r resource.Record) {
	if text, ok := r["string_value"]; ok {
		r["value"] = base64.StdEncoding.EncodeToString([]byte(resource.Text(text)))
	} else if given, ok := r["bytes_value"]; ok {
		r["value"] = given
	}
	delete(r, "string_value")
	delete(r, "bytes_value")
	r["scope"], r["key"], r["last_updated_timestamp"] = req.value("scope"), req.value("key"), req.now().UnixMilli()
}
