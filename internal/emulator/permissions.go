package emulator

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/emulator/company"
	"github.com/lakeql/lakeql/internal/emulator/documents"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

const permissionRoot = "/permissions/"

// permissionHandler returns the handler of a path below /permissions, and nil for other paths. The
// permissions of all types of objects have the same shape and differ in their levels. An object's
// owner and the admins have permissions from the beginning.
func permissionHandler(rt *route) handler {
	path := documents.Path(rt.method)
	if !strings.HasPrefix(path, permissionRoot) {
		return nil
	}
	if strings.HasSuffix(path, "/permissionLevels") {
		return permissionLevels
	}
	switch rt.method.Verb {
	case "GET":
		return getPermissions
	case "PUT", "PATCH":
		return changePermissions
	}
	return nil
}

// levelsOf returns the levels that a type of object has.
func levelsOf(req *apiRequest, whole *documents.Shape) []string {
	if strings.Contains(req.method.Path, "{request_object_type}") {
		return []string{"CAN_EDIT", "CAN_MANAGE", "CAN_READ", "CAN_RUN"} // of notebooks, folders and the like
	}
	var found []string
	var walk func(s *documents.Shape, depth int)
	walk = func(s *documents.Shape, depth int) {
		if s == nil || depth > 4 || found != nil {
			return
		}
		if f := s.Field("permission_level"); f != nil {
			for _, e := range f.Enum {
				if text, ok := e.(string); ok {
					found = append(found, text)
				}
			}
			return
		}
		for i := range s.Properties {
			if f := s.Field(s.Properties[i].Name); f != nil && f.Type == "array" {
				walk(f.Elem(), depth+1)
			}
		}
	}
	walk(whole, 0)
	return found
}

func permissionLevels(req *apiRequest) (any, error) {
	m := req.method
	whole := req.shapes.Response(m)
	var all []any
	for _, level := range levelsOf(req, whole) {
		all = append(all, resource.Record{"permission_level": level, "description": company.Title(strings.ToLower(strings.ReplaceAll(level, "_", "-"))) + "."})
	}
	return json.RawMessage(whole.AppendTo(nil, resource.Record{"permission_levels": all})), nil
}

// objectOf returns the object of the permissions and its type: /jobs/123 and job.
func objectOf(req *apiRequest) (id, kind string) {
	path := strings.Join(req.segments, "/")
	_, object, _ := strings.Cut(path, "permissions/")
	kind = resource.ID(resource.Parent(object))
	return "/" + object, strings.TrimSuffix(kind, "s")
}

// permissionsOf names the record of an object's permissions. Warehouses and the like have them by
// two paths: warehouses/1 and sql/warehouses/1.
func permissionsOf(id string) string {
	return permissionRoot + resource.Key("/"+strings.TrimPrefix(strings.TrimPrefix(id, "/"), "sql/"))
}

func heldPermissions(req *apiRequest) resource.Record {
	id, kind := objectOf(req)
	if it, ok := req.home.collections.Get(permissionsOf(id)); ok {
		return it.Record
	}
	m := req.method
	levels := levelsOf(req, req.shapes.Response(m))
	own := "CAN_MANAGE"
	if slices.Contains(levels, "IS_OWNER") {
		own = "IS_OWNER"
	} else if !slices.Contains(levels, own) && len(levels) > 0 {
		own = levels[0]
	}
	admins := own
	if slices.Contains(levels, "CAN_MANAGE") {
		admins = "CAN_MANAGE"
	}
	return resource.Record{"object_id": id, "object_type": kind, "access_control_list": []any{
		resource.Record{"user_name": company.Owner().Email, "display_name": "Ada Okafor", "all_permissions": []any{resource.Record{"permission_level": own, "inherited": false}}},
		resource.Record{"group_name": "admins", "all_permissions": []any{resource.Record{"permission_level": admins, "inherited": true, "inherited_from_object": []any{"/" + kind + "s/"}}}},
	}}
}

func getPermissions(req *apiRequest) (any, error) {
	return req.shaped(heldPermissions(req)), nil
}

// changePermissions sets the direct permissions of the principals in the request. PUT removes those
// of all other principals. Inherited permissions stay.
func changePermissions(req *apiRequest) (any, error) {
	req.home.changing.Lock()
	defer req.home.changing.Unlock()
	r := heldPermissions(req)
	id, _ := objectOf(req)
	wanted, _ := req.object()["access_control_list"].([]any)
	granted := map[string]any{}
	var order []string
	for _, w := range wanted {
		entry, _ := w.(map[string]any)
		entryRecord := resource.Record{"all_permissions": []any{resource.Record{"permission_level": entry["permission_level"], "inherited": false}}}
		for _, who := range []string{"user_name", "group_name", "service_principal_name"} {
			if entry[who] != nil {
				entryRecord[who] = entry[who]
			}
		}
		key := whoOf(entry)
		if granted[key] == nil {
			order = append(order, key)
		}
		granted[key] = entryRecord
	}
	var list []any
	held, _ := r["access_control_list"].([]any)
	for _, h := range held {
		entry, _ := h.(resource.Record)
		inherited := strings.Contains(string(resource.JSON(entry)), `"inherited":true`)
		if _, again := granted[whoOf(entry)]; inherited || req.method.Verb == "PATCH" && !again {
			list = append(list, entry)
		}
	}
	for _, key := range order {
		list = append(list, granted[key])
	}
	changed := resource.Record{"object_id": r["object_id"], "object_type": r["object_type"], "access_control_list": list}
	req.home.collections.Put(permissionsOf(id), changed)
	return req.shaped(changed), nil
}

func whoOf(entry map[string]any) string {
	return resource.Text(entry["user_name"]) + "\x00" + resource.Text(entry["group_name"]) + "\x00" + resource.Text(entry["service_principal_name"])
}
