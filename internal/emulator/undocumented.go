package emulator

import (
	"github.com/lakeql/lakeql/provider"
)

// The official CLI uses routes and parameters that the documents do not have. This file adds them.

// importFilePath is the route by which the CLI writes files and notebooks of the workspace.
const importFilePath = "/api/2.0/workspace-files/import-file/{path}"

// permissionsPath begins the paths of permissions of any type of object. Types may have two segments:
// sql/warehouses.
const permissionsPath = "/api/2.0/permissions/{request_object_type}/"

// undocumentedMethods lists operations of the API that the documents lack. A catalogue serves those of
// the services that it has.
func undocumentedMethods() map[string][]*provider.Method {
	text, flag := &provider.Schema{Type: "string"}, &provider.Schema{Type: "boolean"}
	return map[string][]*provider.Method{
		"workspace": {{
			Resource: "databricks_workspace.workspace.workspace", Name: "import_file", Verb: "POST", Path: importFilePath,
			Params: []provider.Parameter{
				{Name: "path", In: provider.InPath, Required: true, MultiSegment: true, Schema: text},
				{Name: "overwrite", In: provider.InQuery, Schema: flag},
			},
			Body: &provider.Body{MediaType: "application/octet-stream"},
		}},
	}
}

// undocumentedParams are parameters of documented operations that the documents lack, by verb and
// path.
func undocumentedParams(verbAndPath string) []string {
	switch verbAndPath {
	case "GET /api/2.0/workspace/get-status":
		return []string{"return_export_info", "return_git_info"}
	case "GET /api/2.0/workspace/export":
		return []string{"direct_download"}
	case "GET /api/2.0/sql/warehouses":
		return []string{"skip_cannot_use"}
	}
	return nil
}

// withUndocumented returns a method with the parameters that the documents lack. The catalogue's
// own method stays as it is.
func withUndocumented(m *provider.Method) *provider.Method {
	names := undocumentedParams(m.Verb + " " + m.Path)
	if len(names) == 0 {
		return m
	}
	whole := *m
	whole.Params = append([]provider.Parameter{}, m.Params...)
	for _, name := range names {
		whole.Params = append(whole.Params, provider.Parameter{Name: name, In: provider.InQuery, Schema: &provider.Schema{Type: "boolean"}})
	}
	return &whole
}
