package emulator

import (
	"github.com/lakeql/lakeql/internal/emulator/company"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// finishToken makes the value of a new token, which only the answer to its creation shows. The
// owner is the caller, or the service principal on whose behalf the caller creates it.
func finishToken(req *apiRequest, r resource.Record) {
	now := req.now()
	id, name := callerOf(req)
	r["token_value"] = "dapi" + randomHex()
	r["created_by_id"], r["created_by_username"], r["owner_id"] = id, name, id
	if application := resource.Text(req.object()["application_id"]); application != "" {
		if principal, ok := principalOf(req, application); ok {
			r["owner_id"] = principal
		}
	}
	r["creation_time"], r["expiry_time"] = now.UnixMilli(), int64(-1)
	if n, ok := resource.Int(req.object()["lifetime_seconds"]); ok && n > 0 {
		r["expiry_time"] = now.UnixMilli() + n*1000
	}
}

// finishRecipient makes the first token of a recipient that has tokens. It ends when the request says so, or
// never.
func finishRecipient(req *apiRequest, r resource.Record) {
	if resource.Text(r["authentication_type"]) != "TOKEN" {
		return
	}
	token := resource.Record{"id": randomHex(), "created_at": req.now().UnixMilli(), "created_by": company.Owner().Email}
	if end, ok := resource.Int(req.object()["expiration_time"]); ok && end > 0 {
		token["expiration_time"] = end
	}
	r["tokens"] = []any{token}
}

// callerOf returns the caller's id and name as lists of users and service principals have them. An
// OAuth client that is not one of the workspace's service principals acts for the user of Me.
func callerOf(req *apiRequest) (id int64, name string) {
	if id, ok := principalOf(req, req.subject); ok {
		return id, req.subject
	}
	return company.FirstUser, company.Owner().Email
}

// principalOf finds the id of a service principal by its application, or of one of the company's
// users by the login name.
func principalOf(req *apiRequest, name string) (int64, bool) {
	for i, p := range company.Humans() {
		if p.Email == name {
			return company.FirstUser + int64(i), true
		}
	}
	for _, it := range req.home.collections.List("/preview/scim/v2/ServicePrincipals", "", resource.MaxItems, false) {
		if resource.Text(it.Record["applicationId"]) == name {
			return resource.Int(it.ID)
		}
	}
	return 0, false
}
