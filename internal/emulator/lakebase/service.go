// Package lakebase carries out the API of Lakebase for one workspace. It hides the rules of
// projects, branches, endpoints, databases, roles, snapshots, Data APIs, replication, catalogs and
// synced tables: what a specification may say, the states that follow from it, what an update mask changes, what a deletion takes with
// it and which credentials there are.
//
// [Handlers] has the operations by verb and path. Each of them takes a [Request] that is valid by
// the documents. Operations that change something answer with a long-running operation; see
// [Operations].
package lakebase

import (
	"encoding/json"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/company"
	"github.com/lakeql/lakeql/internal/emulator/documents"
	"github.com/lakeql/lakeql/internal/emulator/list"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// Root is the beginning of Lakebase's paths. No other service's paths begin with it.
const Root = "/api/2.0/postgres/"

// Options describe the Lakebase of a workspace.
type Options struct {
	Company     *company.Company      // what the workspace began with
	Collections *resource.Collections // of the workspace
	Operations  *Operations           // of the workspace
	Tokens      *list.Tokens
	Clock       func() time.Time
	// CreateOnUse creates an endpoint that does not exist, with its project and branch, when a
	// client asks for a credential for it.
	CreateOnUse bool
}

// Service is the Lakebase of one workspace. It may be used by several goroutines.
type Service struct {
	Options

	changing sync.Mutex // serialises changes, which read before they write
}

// New makes the Lakebase of a workspace.
func New(o Options) *Service { return &Service{Options: o} }

// Request is a request for an operation of Lakebase.
type Request struct {
	Name  string // the path after [Root]: a resource name, or a collection's
	Query url.Values
	Body  resource.Record
	JSON  []byte           // the body as it was sent
	Mask  []string         // paths of the update mask; none: the request has no mask
	Shape *documents.Shape // of the body; nil: the operation has no body
	Fail  bool             // the operation that the request begins is to fail
	// Mint makes the token of a credential.
	Mint func(Grant) (token string, expires time.Time, err error)
}

// Handler carries out one operation. Its result is sent as JSON.
type Handler func(*Service, *Request) (any, error)

// maxProjects is how many projects a page may hold according to the API's reference. The reference
// states no maximum for other lists.
const maxProjects = 100

// Handlers returns the operations by verb and path, with parameters written as {}.
func Handlers() map[string]Handler {
	const (
		project  = Root + "projects/{}"
		branch   = project + "/branches/{}"
		database = branch + "/databases/{}"
	)
	snapshots, configs := snapshotRules(), cdfConfigRules()
	projects, branches, catalogs, tables := projectRules(), branchRules(), catalogRules(), syncedTableRules()
	table := map[string]Handler{
		"GET " + Root + "projects":      listOf("projects", maxProjects),
		"POST " + Root + "projects":     projects.create,
		"GET " + project:                (*Service).get,
		"PATCH " + project:              projects.update,
		"DELETE " + project:             projects.deleteSoftly,
		"POST " + project + "/undelete": (*Service).undelete,

		"GET " + project + "/branches":  listOf("branches", 0),
		"POST " + project + "/branches": branches.create,
		"GET " + branch:                 (*Service).get,
		"PATCH " + branch:               branches.update,
		"DELETE " + branch:              branches.deleteSoftly,
		"POST " + branch + "/undelete":  (*Service).undelete,

		"GET " + branch + "/snapshot-schedule":   (*Service).getSchedule,
		"PATCH " + branch + "/snapshot-schedule": (*Service).updateSchedule,
		"GET " + project + "/snapshots":          listOf("snapshots", 0),
		"POST " + project + "/snapshots":         snapshots.create,
		"GET " + project + "/snapshots/{}":       (*Service).get,
		"DELETE " + project + "/snapshots/{}":    snapshots.delete,

		"GET " + database + "/data-api":    (*Service).getDataAPI,
		"POST " + database + "/data-api":   (*Service).createDataAPI,
		"PATCH " + database + "/data-api":  dataAPIRules().update,
		"DELETE " + database + "/data-api": dataAPIRules().delete,

		"GET " + database + "/cdf-configs":                    listOf("cdf_configs", 0),
		"POST " + database + "/cdf-configs":                   configs.create,
		"GET " + database + "/cdf-configs/{}":                 (*Service).get,
		"DELETE " + database + "/cdf-configs/{}":              configs.delete,
		"GET " + database + "/cdf-configs/{}/cdf-statuses":    listOf("cdf_statuses", 0),
		"GET " + database + "/cdf-configs/{}/cdf-statuses/{}": (*Service).get,

		"POST " + Root + "catalogs":           catalogs.create,
		"GET " + Root + "catalogs/{}":         (*Service).get,
		"DELETE " + Root + "catalogs/{}":      catalogs.delete,
		"POST " + Root + "synced_tables":      tables.create,
		"GET " + Root + "synced_tables/{}":    (*Service).get,
		"DELETE " + Root + "synced_tables/{}": tables.delete,
		"POST " + Root + "credentials":        (*Service).generateCredential,
		"GET " + Root + "{}":                  (*Service).getOperation,
	}
	for kind, k := range map[string]rules{"endpoints": endpointRules(), "databases": databaseRules(), "roles": roleRules()} {
		table["GET "+branch+"/"+kind] = listOf(kind, 0)
		table["POST "+branch+"/"+kind] = k.create
		table["GET "+branch+"/"+kind+"/{}"] = (*Service).get
		table["PATCH "+branch+"/"+kind+"/{}"] = k.update
		table["DELETE "+branch+"/"+kind+"/{}"] = k.delete
	}
	return table
}

func (s *Service) get(req *Request) (any, error) {
	it, ok := s.Collections.Get(req.Name)
	if parent := resource.Parent(resource.Parent(req.Name)); !ok || parent != "" && !s.alive(parent) {
		return nil, s.missing(req.Name)
	}
	return it.Data, nil
}

// listOf lists a collection. Its items are in the attribute key.
func listOf(key string, maximum int) Handler {
	return func(s *Service, req *Request) (any, error) {
		in := req.Name
		if parent := resource.Parent(in); parent != "" && !s.alive(parent) {
			return nil, s.missing(parent)
		}
		withDeleted := req.Query.Get("show_deleted") == "true"
		name := s.Company.Workspace + "/" + in
		if withDeleted {
			name += "?show_deleted" // another list, so tokens of one are not good in the other
		}
		window, err := s.Tokens.Read(req.Query, name, maximum)
		if err != nil {
			return nil, err
		}
		items := s.Collections.List(in, window.After, window.Size+1, withDeleted) // one more shows whether another page follows
		next := ""
		if len(items) > window.Size {
			items = items[:window.Size]
			next = s.Tokens.Token(name, items[len(items)-1].ID)
		}
		return writePage(key, items, next), nil
	}
}

// writePage writes a page of items that are JSON. Like the API, it leaves out an empty list and the
// token after the last page.
func writePage(key string, items []resource.Item, next string) json.RawMessage {
	size := len(key) + len(next) + 64
	for _, it := range items {
		size += len(it.Data) + 1
	}
	b := append(make([]byte, 0, size), '{')
	if len(items) > 0 {
		b = append(append(b, resource.JSON(key)...), ':', '[')
		for i, it := range items {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, it.Data...)
		}
		b = append(b, ']')
	}
	if next != "" {
		b = append(append(b, `,"next_page_token":`...), resource.JSON(next)...)
	}
	return append(b, '}')
}

// exists reports whether there is a resource that is not deleted.
func (s *Service) exists(name string) bool {
	it, ok := s.Collections.Get(name)
	return ok && !it.Deleted
}

// alive reports whether a resource and all resources above it exist and are not deleted.
func (s *Service) alive(name string) bool {
	segments := strings.Split(name, "/")
	for i := 2; i <= len(segments); i += 2 {
		if !s.exists(strings.Join(segments[:i], "/")) {
			return false
		}
	}
	return len(segments) >= 2
}

// held reads a resource that is alive, for a change.
func (s *Service) held(name string) (resource.Record, bool) {
	it, ok := s.Collections.Get(name)
	if !ok || !s.alive(name) {
		return nil, false
	}
	value, err := resource.Decode(it.Data)
	object, isObject := value.(resource.Record)
	return object, err == nil && isObject
}

// statusOf returns the status of a resource, which is empty if there is no such resource.
func (s *Service) statusOf(name string) resource.Record {
	r, ok := s.held(name)
	if !ok {
		return resource.Record{}
	}
	return resource.Object(r, "status")
}

// missing makes the error of a resource that does not exist. It names the first part of the name
// that does not exist, and what exists in its place.
func (s *Service) missing(name string) *apierror.Error {
	segments := strings.Split(name, "/")
	for i := 2; i < len(segments); i += 2 {
		if parent := strings.Join(segments[:i], "/"); !s.exists(parent) {
			name = parent
			break
		}
	}
	in := resource.Parent(name)
	where := "workspace " + s.Company.Workspace
	if parent := resource.Parent(in); parent != "" {
		where = singular(resource.ID(resource.Parent(parent))) + " " + parent
	}
	kind := singular(resource.ID(in))
	if kind == "role" { // the service's own words, and more
		return apierror.NotFound("role not found; role_id:%q. %s has %s.", apierror.Printable(resource.ID(name)), company.Title(apierror.Printable(where)), s.contents(in))
	}
	return apierror.NotFound("%s %q does not exist; %s has %s.", kind, apierror.Printable(name), apierror.Printable(where), s.contents(in))
}

// defaultBranch names the default branch of a project.
func (s *Service) defaultBranch(project string) string {
	return resource.TextOr(s.statusOf(project)["default_branch"], project+"/branches/"+company.Production)
}

// contents describes what a collection has.
func (s *Service) contents(in string) string {
	const most = 10
	items := s.Collections.List(in, "", most+1, false)
	if len(items) == 0 {
		return "no " + resource.ID(in)
	}
	ids := make([]string, 0, most)
	for _, it := range items[:min(most, len(items))] {
		ids = append(ids, it.ID)
	}
	text := resource.ID(in) + " " + strings.Join(ids, ", ")
	if len(items) > most {
		text += ", …"
	}
	return text
}

func singular(collection string) string {
	switch collection {
	case "branches":
		return "branch"
	case "cdf-statuses":
		return "cdf-status"
	}
	return strings.TrimSuffix(collection, "s")
}

// checkIDs refuses a name whose ids are not well-formed. The documents' pattern for names leaves
// ids open.
func checkIDs(name string) error {
	for i, segment := range strings.Split(name, "/") {
		if i%2 == 1 && !isResourceID(segment) {
			return apierror.Invalid("%q in %q is not an id: 1 to 63 characters, a lower-case letter first, then letters, digits and hyphens.", apierror.Printable(segment), apierror.Printable(name))
		}
	}
	return nil
}

func isResourceID(id string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	return id != "" && len(id) <= 63 && strings.Contains(letters, id[:1]) && strings.Trim(id, letters+"0123456789-") == ""
}
