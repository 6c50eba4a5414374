package lakebase

import (
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/company"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// rules are what differs between the kinds of resources.
type rules struct {
	idParam string // the parameter that holds the id of a new resource
	// newID makes an id if a request has none; nil: requests must have one.
	newID func(spec resource.Record) string
	// check refuses a specification that breaks a rule. With an update mask, spec has the
	// attributes that the mask names.
	check func(s *Service, name string, spec resource.Record, creating bool) error
	// make creates a resource and the resources that come with it.
	make func(s *Service, m *maker, name string, body resource.Record)
	// replace applies the specification of a request with replace_existing to the status of a
	// resource that exists; nil: attributes that the specification lacks stay as they are.
	replace func(name string, spec resource.Record) resource.Record
	// taken makes the error of a resource that exists already; nil: 409 ALREADY_EXISTS.
	taken func() error
	// refuse refuses the deletion of a resource; nil: every resource can be deleted.
	refuse func(s *Service, req *Request, name string, held resource.Record) error
	// flat is true if the body has no spec: its attributes are the resource's, and the id is a name
	// in PostgreSQL.
	flat bool
}

// create creates a resource in the collection of the request.
func (k rules) create(s *Service, req *Request) (any, error) {
	s.changing.Lock()
	defer s.changing.Unlock()
	in := req.Name
	if parent := resource.Parent(in); parent != "" && !s.alive(parent) {
		return nil, s.missing(parent)
	}
	body := req.Body
	spec := resource.Object(body, "spec")
	if k.flat {
		spec = body
	}
	id := req.Query.Get(k.idParam)
	if id == "" && k.newID != nil {
		id = k.newID(spec)
	}
	name := in + "/" + id
	if in != "synced_tables" && in != "catalogs" && !k.flat { // their ids are names of Unity Catalog
		if err := checkIDs(name); err != nil {
			return nil, err
		}
	}
	it, taken := s.Collections.Get(name)
	switch {
	case taken && it.Deleted:
		return nil, apierror.New(http.StatusConflict, "ALREADY_EXISTS", "%s %q was deleted and is not purged yet; undelete it, or delete it with purge.", company.Title(singular(resource.ID(in))), apierror.Printable(name))
	case taken && req.Query.Get("replace_existing") != "true":
		if k.taken != nil {
			return nil, k.taken()
		}
		return nil, apierror.New(http.StatusConflict, "ALREADY_EXISTS", "%s %q already exists.", company.Title(singular(resource.ID(in))), apierror.Printable(name))
	}
	if err := k.check(s, name, spec, true); err != nil {
		return nil, err
	}
	if req.Fail {
		return s.beginFailing(name), nil
	}
	if taken {
		return s.begin(name, k.replaced(s, name, spec)), nil
	}
	k.make(s, s.maker(), name, body)
	it, _ = s.Collections.Get(name)
	return s.begin(name, it.Data), nil
}

// replaced updates a resource that exists, as replace_existing asks. Its uid, its time of creation
// and the resources below it stay.
func (k rules) replaced(s *Service, name string, spec resource.Record) []byte {
	r, _ := s.held(name)
	now := s.Clock().UTC()
	if k.replace != nil {
		spec = k.replace(name, spec)
	}
	r["status"] = applied(resource.Object(r, "status"), spec, now)
	r["update_time"] = now.Format(time.RFC3339Nano)
	s.Collections.PutJSON(name, resource.JSON(r))
	return resource.JSON(r)
}

// managedByParent makes the error of a resource that goes with its parent only. Clients that
// declare resources read the metadata, and take such a deletion as done.
func managedByParent(format string, args ...any) error {
	e := apierror.New(http.StatusBadRequest, "BAD_REQUEST", format, args...)
	e.Reason, e.Metadata = "RESOURCE_CONFLICT", map[string]string{"declarative_context": "MANAGED_BY_PARENT"}
	return e
}

func (s *Service) maker() *maker {
	return &maker{collections: s.Collections, company: *s.Company, now: s.Clock().UTC()}
}

// existing finds the resource that a request names.
func (s *Service) existing(req *Request) (name string, r resource.Record, err error) {
	name = req.Name
	r, ok := s.held(name)
	if !ok {
		return "", nil, s.missing(name)
	}
	return name, r, nil
}

// update changes the attributes that the update mask names.
func (k rules) update(s *Service, req *Request) (any, error) {
	s.changing.Lock()
	defer s.changing.Unlock()
	name, r, err := s.existing(req)
	if err != nil {
		return nil, err
	}
	spec, err := masked(req, resource.Object(req.Body, "spec"))
	if err != nil {
		return nil, err
	}
	if err := k.check(s, name, spec, false); err != nil {
		return nil, err
	}
	if req.Fail {
		return s.beginFailing(name), nil
	}
	now := s.Clock().UTC()
	r["status"] = applied(resource.Object(r, "status"), spec, now)
	r["update_time"] = now.Format(time.RFC3339Nano)
	s.becomesDefault(name, spec)
	s.Collections.PutJSON(name, resource.JSON(r))
	return s.begin(name, resource.JSON(r)), nil
}

// becomesDefault marks the default branch of a project, if a specification names one.
func (s *Service) becomesDefault(name string, spec resource.Record) {
	to := resource.Text(spec["default_branch"])
	if to == "" {
		return
	}
	for _, it := range s.Collections.List(name+"/branches", "", resource.MaxItems, false) {
		branchName := name + "/branches/" + it.ID
		b, ok := s.held(branchName)
		if !ok {
			continue
		}
		status := maps.Clone(resource.Object(b, "status"))
		status["default"] = branchName == to
		b["status"] = status
		s.Collections.PutJSON(branchName, resource.JSON(b))
	}
}

// delete deletes a resource and all resources below it.
func (k rules) delete(s *Service, req *Request) (any, error) {
	s.changing.Lock()
	defer s.changing.Unlock()
	name, r, err := s.existing(req)
	if err != nil {
		return nil, err
	}
	if k.refuse != nil {
		if err := k.refuse(s, req, name, r); err != nil {
			return nil, err
		}
	}
	if req.Fail {
		return s.beginFailing(name), nil
	}
	s.clear(name)
	return s.begin(name, Empty()), nil
}

// clear removes a resource and all resources below it.
func (s *Service) clear(name string) {
	below := map[string][]string{
		"projects": {"branches", "snapshots"}, "branches": {"endpoints", "databases", "roles"},
		"databases": {"cdf-configs"}, "cdf-configs": {"cdf-statuses"},
	}
	for _, kind := range below[resource.ID(resource.Parent(name))] {
		in := name + "/" + kind
		for _, it := range s.Collections.List(in, "", resource.MaxItems, true) {
			s.clear(in + "/" + it.ID)
		}
	}
	for _, only := range []string{"/snapshot-schedule", "/data-api"} { // there is one of each at most
		if _, ok := s.Collections.Get(name + only); ok {
			s.Collections.Remove(name + only)
		}
	}
	s.Collections.Remove(name)
}

// keptFor is how long a client can undelete a project.
const keptFor = 7 * 24 * time.Hour

// deleteSoftly marks a project or branch as deleted. With purge it removes it.
func (k rules) deleteSoftly(s *Service, req *Request) (any, error) {
	s.changing.Lock()
	defer s.changing.Unlock()
	name := req.Name
	it, ok := s.Collections.Get(name)
	purge := req.Query.Get("purge") == "true"
	if in := resource.Parent(resource.Parent(name)); !ok || it.Deleted && !purge || in != "" && !s.alive(in) {
		return nil, s.missing(name)
	}
	r, alive := s.held(name)
	if alive && k.refuse != nil {
		if err := k.refuse(s, req, name, r); err != nil {
			return nil, err
		}
	}
	if req.Fail {
		return s.beginFailing(name), nil
	}
	if purge {
		s.clear(name)
		return s.begin(name, Empty()), nil
	}
	now := s.Clock().UTC()
	r["update_time"] = now.Format(time.RFC3339Nano)
	in := r // the times of a branch are in its status
	if resource.ID(resource.Parent(name)) == "branches" {
		in = maps.Clone(resource.Object(r, "status"))
		r["status"] = in
	}
	in["delete_time"], in["purge_time"] = now.Format(time.RFC3339Nano), now.Add(keptFor).Format(time.RFC3339Nano)
	s.Collections.Change(name, resource.Item{Data: resource.JSON(r), Deleted: true})
	return s.begin(name, Empty()), nil
}

// undelete takes back the deletion of a project or branch that is not purged.
func (s *Service) undelete(req *Request) (any, error) {
	s.changing.Lock()
	defer s.changing.Unlock()
	name := strings.TrimSuffix(req.Name, "/undelete")
	it, ok := s.Collections.Get(name)
	if in := resource.Parent(resource.Parent(name)); !ok || in != "" && !s.alive(in) {
		return nil, s.missing(name)
	}
	kind := resource.ID(resource.Parent(name))
	if !it.Deleted {
		return nil, apierror.New(http.StatusBadRequest, "FAILED_PRECONDITION", "%s %q is not deleted.", company.Title(singular(kind)), apierror.Printable(name))
	}
	if req.Fail {
		return s.beginFailing(name), nil
	}
	value, err := resource.Decode(it.Data)
	r, isObject := value.(resource.Record)
	if err != nil || !isObject {
		return nil, err
	}
	in := r
	if kind == "branches" {
		in = maps.Clone(resource.Object(r, "status"))
		r["status"] = in
	}
	delete(in, "delete_time")
	delete(in, "purge_time")
	r["update_time"] = s.Clock().UTC().Format(time.RFC3339Nano)
	s.Collections.PutJSON(name, resource.JSON(r))
	if root := name + "/branches/" + company.Production; kind == "projects" && len(s.Collections.List(name+"/branches", "", 1, true)) == 0 { // the company's deleted project has none
		m := s.maker()
		m.root(root)
		s.newEndpoint(m, root+"/endpoints/"+company.Primary, company.ReadWrite)
	}
	return s.begin(name, resource.JSON(r)), nil
}

// slug makes an id from a name in PostgreSQL.
func slug(name string) string {
	id := strings.Map(func(r rune) rune {
		if strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789-", r) {
			return r
		}
		return '-'
	}, strings.ToLower(name))
	id = strings.TrimLeft(strings.Trim(id, "-"), "0123456789-")
	return id[:min(len(id), 63)]
}

// maker creates resources. Ids, hosts and positions in the log are the company's; times are now;
// all else is what the service sets if a request leaves it out.
type maker struct {
	collections *resource.Collections
	company     company.Company
	now         time.Time
}

// Defaults of new resources.
const (
	defaultVersion = 17
	defaultHistory = "604800s"
	defaultCU      = 1
	defaultSuspend = "86400s"
)

// project creates a project with its root branch.
func (m *maker) project(name string) {
	p := m.company.Project(name, false)
	p.CreateTime, p.UpdateTime = m.now, m.now
	p.Status = company.ProjectStatus{
		ProjectID: p.ProjectID, DisplayName: p.ProjectID, Owner: company.Owner().Email, PgVersion: defaultVersion, DefaultBranch: p.Status.DefaultBranch,
		DefaultEndpointSettings:  company.EndpointSettings{MinCU: defaultCU, MaxCU: defaultCU, SuspendTimeout: defaultSuspend},
		HistoryRetentionDuration: defaultHistory, BranchLogicalSizeLimit: p.Status.BranchLogicalSizeLimit,
	}
	m.collections.PutJSON(name, resource.JSON(p))
}

// root creates the root branch of a project, with the owner's role and the database that every
// branch begins with.
func (m *maker) root(name string) {
	m.branch(name, "", 0)
	r := m.company.Role(name+"/roles/"+company.Owner().ID, name)
	r.CreateTime, r.UpdateTime = m.now, m.now
	m.collections.PutJSON(r.Name, resource.JSON(r))

	d := m.company.Database(name+"/databases/databricks-postgres", name)
	d.CreateTime, d.UpdateTime = m.now, m.now
	m.collections.PutJSON(d.Name, resource.JSON(d))
}

// branch creates a branch, with nothing below it. A root branch has no source.
func (m *maker) branch(name, source string, size int64) {
	b := m.company.Branch(name, resource.Parent(resource.Parent(name)))
	b.CreateTime, b.UpdateTime, b.Status.StateChangeTime, b.Status.LogicalSize = m.now, m.now, m.now, size
	b.Status.Default, b.Status.SourceBranch = source == "", source
	if source != "" {
		b.Status.SourceBranchTime = m.now
	}
	m.collections.PutJSON(name, resource.JSON(b))
}

func (m *maker) endpoint(name, kind string) {
	e := m.company.Endpoint(name, resource.Parent(resource.Parent(name)), kind)
	e.CreateTime, e.UpdateTime = m.now, m.now
	e.Status.CurrentState, e.Status.MinCU, e.Status.MaxCU, e.Status.SuspendTimeout = company.StateActive, defaultCU, defaultCU, ""
	m.collections.PutJSON(name, resource.JSON(e))
}

// newProject creates a project with its root branch and the branch's endpoint.
func (s *Service) newProject(m *maker, name string) {
	m.project(name)
	root := name + "/branches/" + company.Production
	m.root(root)
	s.newEndpoint(m, root+"/endpoints/"+company.Primary, company.ReadWrite)
}

// newBranch creates a branch with copies of the roles and databases of its source.
func (s *Service) newBranch(m *maker, name, source string) {
	size, _ := resource.Int(s.statusOf(source)["logical_size_bytes"])
	m.branch(name, source, size)
	for _, kind := range []string{"/roles", "/databases"} {
		for _, it := range s.Collections.List(source+kind, "", resource.MaxItems, false) {
			r, ok := s.held(source + kind + "/" + it.ID)
			if !ok {
				continue
			}
			now := m.now.Format(time.RFC3339Nano)
			r["name"], r["parent"], r["create_time"], r["update_time"] = name+kind+"/"+it.ID, name, now, now
			if owner, ok := strings.CutPrefix(resource.Text(resource.Object(r, "status")["role"]), source+"/"); ok {
				resource.Object(r, "status")["role"] = name + "/" + owner
			}
			s.Collections.PutJSON(name+kind+"/"+it.ID, resource.JSON(r))
		}
	}
}

// newEndpoint creates an endpoint with the settings that its project has for endpoints.
func (s *Service) newEndpoint(m *maker, name, kind string) {
	m.endpoint(name, kind)
	project := strings.Join(strings.Split(name, "/")[:2], "/")
	s.putWith(name, endpointSettings(resource.Object(s.statusOf(project), "default_endpoint_settings")))
}

// endpointSettings turns a project's settings for endpoints into the specification of an endpoint.
func endpointSettings(ofProject resource.Record) resource.Record {
	spec := maps.Clone(ofProject)
	if pg, ok := spec["pg_settings"]; ok {
		spec["settings"] = map[string]any{"pg_settings": pg}
		delete(spec, "pg_settings")
	}
	return spec
}
