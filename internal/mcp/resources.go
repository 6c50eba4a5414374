package mcp

import (
	"context"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/lakeql/lakeql/provider"
)

// pages is where the documentation is: lakeql://docs/provider/guide, …/service and …/service/resource.
const (
	pages    = "lakeql://docs/"
	markdown = "text/markdown"
)

// addResources adds the pages of the documentation. They are written when they are read.
func (s *Server) addResources() {
	if s.options.Page == nil {
		return
	}
	for _, one := range []struct{ provider, what string }{{"databricks_workspace", "a workspace"}, {"databricks_account", "the account"}} {
		s.server.AddResource(&sdk.Resource{
			URI: pages + one.provider + "/guide", Name: one.provider + "_guide", Title: "Guide: " + one.provider, MIMEType: markdown,
			Description: "The rules that hold for every resource of " + one.what + ": credentials, workspaces, parameters, joins, writes, limits.",
		}, s.readPage)
	}
	s.server.AddResourceTemplate(&sdk.ResourceTemplate{
		URITemplate: pages + "{provider}/{service}", Name: "service", Title: "Page of a service", MIMEType: markdown,
		Description: "The resources of a service, such as " + pages + "databricks_workspace/postgres.",
	}, s.readPage)
	s.server.AddResourceTemplate(&sdk.ResourceTemplate{
		URITemplate: pages + "{provider}/{service}/{resource}", Name: "resource", Title: "Page of a resource", MIMEType: markdown,
		Description: "The columns, methods, parameters and example statements of a resource, such as " + pages + "databricks_workspace/postgres/postgres_branches.",
	}, s.readPage)
}

// readPage returns the page of a URI.
func (s *Server) readPage(_ context.Context, req *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
	path, ok := strings.CutPrefix(req.Params.URI, pages)
	names := strings.Split(path, "/")
	if !ok || len(names) < 2 || len(names) > 3 {
		return nil, sdk.ResourceNotFoundError(req.Params.URI)
	}
	for _, name := range names {
		if !isName(name) {
			return nil, sdk.ResourceNotFoundError(req.Params.URI)
		}
	}
	service, resource := names[1], ""
	if len(names) == 3 {
		resource = names[2]
	} else if service == "guide" {
		service = ""
	}
	text, err := s.options.Page(names[0], service, resource)
	if provider.CodeOf(err) == provider.Unknown {
		return nil, sdk.ResourceNotFoundError(req.Params.URI)
	}
	if err != nil {
		return nil, err
	}
	return &sdk.ReadResourceResult{Contents: []*sdk.ResourceContents{{URI: req.Params.URI, MIMEType: markdown, Text: text}}}, nil
}
