package emulator

import (
	"encoding/base64"
	"net/http"
	"strconv"
)

// secretHandlers are the operations on secrets, which are below a scope that has to exist.
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

func inScope(c *call) (any, error) {
	scope := c.value("scope")
	if _, ok := c.state.store.get("/secrets/scopes/" + keyOf(scope)); !ok {
		return nil, newError(http.StatusNotFound, "RESOURCE_DOES_NOT_EXIST", "Scope %s does not exist!", printable(scope))
	}
	return c.route.plan.serve(c)
}

// finishSecret takes a new value over, which is read back in base64, and forgets how it was given.
func finishSecret(c *call, r record) {
	if text, ok := r["string_value"]; ok {
		r["value"] = base64.StdEncoding.EncodeToString([]byte(plain(text)))
	} else if given, ok := r["bytes_value"]; ok {
		r["value"] = given
	}
	delete(r, "string_value")
	delete(r, "bytes_value")
	r["scope"], r["key"], r["last_updated_timestamp"] = c.value("scope"), c.value("key"), c.emulator.opts.Clock().UnixMilli()
}

// finishToken makes the token itself, which only the answer to its creation shows.
func finishToken(c *call, r record) {
	now := c.emulator.opts.Clock()
	r["token_value"] = "dapi" + randomHex()
	r["created_by_username"], r["creation_time"], r["expiry_time"] = c.subject, now.UnixMilli(), int64(-1)
	if n, ok := toInt(c.object()["lifetime_seconds"]); ok && n > 0 {
		r["expiry_time"] = now.UnixMilli() + n*1000
	}
}

func toInt(value any) (int64, bool) {
	n, err := strconv.ParseInt(plain(value), 10, 64)
	return n, err == nil
}
