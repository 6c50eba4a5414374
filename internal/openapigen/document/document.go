// Package document writes the API as OpenAPI 3.0.3 documents, annotated the StackQL way: a
// provider.yaml and one document a service, for the workspace and for the account.
//
// [Generate] reads the SDK's source and the overlays and gives the same bytes every time.
//
// # Conventions
//
// Every operation has a path of its own: where the SDK has one parameter for a whole resource
// name, the path has the name's parts. Where two of the SDK's operations are one request (the two
// versions of SCIM groups), one has a fragment behind its path, /Groups/{id}#groups, which keeps
// them apart in the document and is not sent.
//
// A request body with required: true is always sent, {} if nothing is given for it. The media
// type of the success response is what Accept asks for; application/json where there is none. Lists in queries are
// sent as repeated parameters. Integers are int32 or int64, as in the SDK; times are date-time; a
// duration is seconds with an s behind (300s); a field-mask is the paths joined by commas; a
// password is a secret.
//
// # Extensions
//
// On operations:
//
//	x-lakeql-name: {parameter: parent, template: 'projects/{project_id}'}
//	    The path's parameters may be given as one resource name, under parameter's name.
//	x-lakeql-allow: [docstring]
//	    Rules of package openapi's Lint that the operation's description breaks on purpose.
//	x-lakeql-select: true
//	    A POST that changes no resource: it reads, or makes a credential that expires. SELECT may
//	    make the call, with columns for the attributes of its body.
//	x-lakeql-body-from-path: [id]
//	x-lakeql-body-name: branch
//	    These parameters of the path are also sent as attributes of the body.
//	x-lakeql-paging: {kind: offset, request: startIndex, response: startIndex, items: Resources, first: 1, limit: count, limitValue: 10000, dedupe: id}
//	    The next request's position is the response's plus the number of items; an empty page is
//	    the end; limit is sent as limitValue unless given; items that come twice are told by id.
//	x-lakeql-paging: {kind: page, request: page, response: page, items: results, first: 1}
//	    The next request's position is the response's plus one; an empty page is the end.
//	x-lakeql-paging: {kind: next-request, response: next_page, items: events}
//	    The response holds the next request's body; its absence is the end.
//	x-lakeql-paging: {kind: merge, request: page_token, response: next_page_token, lists: [iterations|tasks, repair_history]}
//	    The response is one object, and these lists in it (paths, with dots) go on in the next. All
//	    else is as the first response says. Of a|b only that goes on which has items first.
//	    Lists that go on by a token have StackQL's config.pagination on the method instead, and
//	    lists without either come whole.
//	x-lakeql-operation: {poll: postgres_get_operation, bind: {name: name}, result: Branch}
//	    The response is an operation that goes on: poll asks for it, its parameters bound to
//	    attributes of the response, until done. Its response attribute is then a result (a schema).
//	x-lakeql-waiter: {poll: clusters_get, bind: {cluster_id: response.cluster_id}, state: state, message: state_message, success: [RUNNING], failure: [ERROR], timeout: 1200s}
//	    What the operation began is done when the poll's state (a path, with dots) is one of
//	    success. Values of bind are taken from the response or the request.
//	x-lakeql-completion: {get: jobs_get, bind: {job_id: job_id}, more: has_more, if: expand_tasks}
//	    An item of the list comes in part if its attribute more is true. Then the lists that get
//	    merges are taken from its answer, its parameters bound to attributes of the item. This holds
//	    if the parameter if is true.
//
// On a provider:
//
//	x-lakeql-tenant: {variable: deployment_name, list: databricks_account.provisioning.workspaces, column: deployment_name, label: workspace_name}
//	    The servers' variable names the tenant whose API is called. The resource lists the tenants.
//	x-lakeql-source: {name: github.com/databricks/databricks-sdk-go, version: v0.182.0, date: 2026-09-21}
//	    What the documents were made of.
//
// In former-names.yaml, which package openapi documents:
//
//	x-lakeql-former-names: [{name: secrets.acls.deleteacl, verb: delete, today: databricks_workspace.workspace.secret_acls.delete}]
//	    Names that methods had in earlier documents.
//
// On parameters and properties:
//
//	x-lakeql-from-config: account    the configuration supplies it where a statement does not: the account's id
//	x-lakeql-choice: expiration      at most one attribute of the choice is set, and an update mask has its name
//	x-lakeql-multi-segment: true     slashes of the value stay slashes in the path
//	x-lakeql-escaped: true           slashes and other marks of the value are sent as percent-escapes
//	x-lakeql-former: [old_name]      names of the attribute or parameter in earlier documents
//	x-lakeql-request-id: true        a fresh UUID is sent when none is given
//	x-lakeql-default: '0'            the SDK sends it if the caller supplies no value
//	x-lakeql-off-page: true          the examples of documentation pages leave the attribute out
//	x-lakeql-go-notation: true       the SDK sends what Go prints of the value, which no server reads
//	x-lakeql-name-template: 'projects/{project_id}'   the form of the resource name that it holds
package document

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/lakeql/lakeql/internal/openapigen/names"
	"github.com/lakeql/lakeql/internal/openapigen/overlay"
	"github.com/lakeql/lakeql/internal/openapigen/sdk"
)

// version of the documents, in StackQL's form for documents that are not released by date.
const version = "v00.00.00000"

// heading is the first line of every file.
const heading = "Code generated by go generate ./openapi from the Databricks SDK for Go. DO NOT EDIT."

// Result holds the documents that Generate writes, and its findings.
type Result struct {
	// Files are the documents by their path below openapi: databricks_workspace/v00.00.00000/provider.yaml.
	Files map[string][]byte
	// Pending lists the decisions that a person has to make before the documents may be published. The
	// documents contain the proposals.
	Pending []Pending
}

// Generate makes the documents of an API with the overlays (the content of openapi/overlays). The
// error lists everything that cannot be read or named; then there are no documents.
func Generate(api *sdk.API, overlays fs.FS) (*Result, error) {
	g := &generator{api: api, files: map[string][]byte{}, operations: map[names.Key]*operation{}}
	var err error
	if g.overlays, err = overlay.Read(overlays); err != nil {
		return nil, fmt.Errorf("read overlays: %w", err)
	}
	stale := g.overlays.Extend(api)
	unfit, err := g.overlays.Check(api)
	if err != nil {
		g.fail(fmt.Errorf("overlays do not fit the SDK:\n%w", err))
	}
	stale = append(stale, unfit...)
	if g.table, err = names.Read(overlays); err != nil {
		return nil, fmt.Errorf("read overlays: %w", err)
	}
	assigned, proposed, err := g.table.Assign(api)
	if err != nil {
		return nil, errors.Join(append(g.errs, err)...)
	}
	g.names = assigned
	g.documents()
	stale = append(stale, g.formerNames()...)
	if len(g.errs) > 0 {
		return nil, errors.Join(g.errs...)
	}
	return &Result{Files: g.files, Pending: g.pending(proposed, stale)}, nil
}

// generator holds the inputs of all documents.
type generator struct {
	api        *sdk.API
	overlays   *overlay.Overlays
	table      *names.Table
	names      map[names.Key]names.Name
	operations map[names.Key]*operation
	files      map[string][]byte
	errs       []error
}

func (g *generator) fail(err error) { g.errs = append(g.errs, err) }

// write adds a document.
func (g *generator) write(name string, node *object) {
	data, err := encode(node)
	if err != nil {
		g.fail(err)
		return
	}
	g.files[name] = data
}

// documents makes the documents of both providers.
func (g *generator) documents() {
	for _, provider := range []string{names.Account, names.Workspace} {
		var services []*service
		for _, s := range g.api.Services {
			if doc := g.service(provider, s); doc != nil {
				services = append(services, doc)
			}
		}
		root := path.Join(provider, version)
		g.write(path.Join(root, "provider.yaml"), g.providerNode(provider, services))
		for _, s := range services {
			node, err := s.node()
			if err != nil {
				g.fail(err)
				continue
			}
			g.write(path.Join(root, "services", s.sdk.Name+".yaml"), node)
		}
	}
}

// providerNode is provider.yaml.
func (g *generator) providerNode(provider string, services []*service) *object {
	about := g.overlays.Providers[provider]
	listed := newObject()
	for _, s := range services {
		name, title := s.sdk.Name, g.heading(s.sdk.Name)
		listed.set(name, newObject().
			set("id", name+":"+version).
			set("name", name).
			set("title", title.Title).
			set("version", version).
			set("preferred", true).
			set("description", title.Description).
			set("service", ref(path.Join(provider, version, "services", name+".yaml"))))
	}
	auth := newObject().
		set("type", "oauth2").
		set("grant_type", "client_credentials").
		set("client_id_env_var", "DATABRICKS_CLIENT_ID").
		set("client_secret_env_var", "DATABRICKS_CLIENT_SECRET").
		set("token_url", "https://accounts.cloud.databricks.com/oidc/accounts/<<__env__DATABRICKS_ACCOUNT_ID>>/v1/token").
		set("scopes", []string{"all-apis"})
	node := newObject().
		set("id", provider).
		set("name", provider).
		set("title", about.Title).
		set("version", version).
		set("protocolType", "http").
		set("description", about.Description).
		set("providerServices", listed).
		set("config", newObject().set("auth", auth))
	if provider == names.Workspace {
		node.set("x-lakeql-tenant", newObject().
			set("variable", "deployment_name").
			set("list", names.Account+".provisioning.workspaces").
			set("column", "deployment_name").
			set("label", "workspace_name").
			flow())
	}
	if g.api.Version != "" {
		node.set("x-lakeql-source", newObject().
			set("name", "github.com/databricks/databricks-sdk-go").
			set("version", g.api.Version).
			set("date", g.api.Date).
			flow())
	}
	return node
}

// service is one document.
type service struct {
	*generator
	provider     string
	sdk          *sdk.Service
	facts        *overlay.Facts
	descriptions *overlay.Descriptions
	operations   []*operation // by path and verb
	schemas      *schemas
	parameters   *parameters
}

// service collects the operations of a provider's service; it is nil if there are none.
func (g *generator) service(provider string, s *sdk.Service) *service {
	doc := &service{
		generator: g, provider: provider, sdk: s,
		facts: g.overlays.FactsOf(s.Name), descriptions: g.overlays.DescriptionsOf(s.Name),
	}
	for _, o := range s.Operations {
		if names.ProviderOf(o) != provider {
			continue
		}
		made, err := doc.operation(o)
		if err != nil {
			g.fail(err)
			continue
		}
		g.operations[names.KeyOf(o)] = made
		doc.operations = append(doc.operations, made)
	}
	if len(doc.operations) == 0 {
		return nil
	}
	if err := arrange(g.table, doc.operations); err != nil {
		g.fail(err)
	}
	doc.schemas = newSchemas(doc)
	doc.parameters = newParameters(doc)
	return doc
}

// node is the service's document.
func (s *service) node() (*object, error) {
	about := s.heading(s.sdk.Name)
	paths := newObject()
	for group := range byPath(s.operations) {
		item := newObject()
		for _, o := range group {
			node, err := s.operationNode(o)
			if err != nil {
				return nil, err
			}
			item.set(o.verb, node)
		}
		paths.set(group[0].path, item)
	}
	resources, err := s.resourcesNode()
	if err != nil {
		return nil, err
	}
	components := newObject().
		set("securitySchemes", newObject().set("bearer", newObject().set("type", "http").set("scheme", "bearer"))).
		setUnlessEmpty("parameters", s.parameters.node()).
		setUnlessEmpty("schemas", s.schemas.node()).
		set("x-stackQL-resources", resources)
	return newObject().
		set("openapi", "3.0.3").
		set("info", newObject().set("title", about.Title).set("version", version).set("description", about.Description)).
		set("servers", []*object{s.server()}).
		set("security", []*object{newObject().set("bearer", []string{})}).
		set("paths", paths).
		set("components", components), nil
}

// server is where the provider's operations are served.
func (s *service) server() *object {
	if s.provider == names.Account {
		return newObject().set("url", "https://accounts.cloud.databricks.com")
	}
	return newObject().
		set("url", "https://{deployment_name}.cloud.databricks.com").
		set("variables", newObject().set("deployment_name", newObject().
			set("description", "The Databricks Workspace Deployment Name").
			set("default", "dbc-abcd0123-a1bc")))
}

// byPath iterates over runs of operations with the same path.
func byPath(operations []*operation) func(yield func([]*operation) bool) {
	return func(yield func([]*operation) bool) {
		for start := 0; start < len(operations); {
			end := start + 1
			for end < len(operations) && operations[end].path == operations[start].path {
				end++
			}
			if !yield(slices.Clip(operations[start:end])) {
				return
			}
			start = end
		}
	}
}
