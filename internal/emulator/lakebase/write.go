package lakebase

import (
	"encoding/json"
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
	if it, taken := s.Collections.Get(name); taken {
		if it.Deleted {
			return nil, apierror.New(http.StatusConflict, "ALREADY_EXISTS", "%s %q was deleted and is not purged yet; undelete it, or delete it with purge.", company.Title(singular(resource.ID(in))), apierror.Printable(name))
		}
		if req.Query.Get("replace_existing") != "true" {
			return nil, apierror.New(http.StatusConflict, "ALREADY_EXISTS", "%s %q already exists.", company.Title(singular(resource.ID(in))), apierror.Printable(name))
		}
	}
	if err := k.check(s, name, spec, true); err != nil {
		return nil, err
	}
	if req.Fail {
		return s.beginFailing(name), nil
	}
	if _, taken := s.Collections.Get(name); taken {
		s.clear(name)
	}
	k.make(s, s.maker(), name, body)
	it, _ := s.Collections.Get(name)
	return s.begin(name, it.Data), nil
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
	return s.begin(name, json.RawMessage("{}")), nil
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
		return s.begin(name, json.RawMessage("{}")), nil
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
	return s.begin(name, json.RawMessage("{}")), nil
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
	if kind == "projects" && len(s.Collections.List(name+"/branches", "", 1, true)) == 0 { // the company's deleted project has none
		s.maker().branch(name + "/branches/" + company.Production)
	}
	s.Collections.PutJSON(name, resource.JSON(r))
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

// maker creates resources with the values that the company would have, except the times.
type maker struct {
	collections *resource.Collections
	company     company.Company
	now         time.Time
}

func (m *maker) project(name string) {
	p := m.company.Project(name, false)
	p.CreateTime, p.UpdateTime = m.now, m.now
	p.Status.Owner, p.Status.SyntheticStorageSize, p.Status.CustomTags = company.Owner().Email, 0, nil
	m.collections.PutJSON(name, resource.JSON(p))
	m.branch(p.Status.DefaultBranch)
	m.endpoint(p.Status.DefaultBranch+"/endpoints/"+company.Primary, company.ReadWrite)
}

func (m *maker) branch(name string) {
	b := m.company.Branch(name, resource.Parent(resource.Parent(name)))
	b.CreateTime, b.UpdateTime, b.Status.StateChangeTime = m.now, m.now, m.now
	if b.Status.SourceBranch != "" {
		b.Status.SourceBranchTime = m.now
	}
	m.collections.PutJSON(name, resource.JSON(b))

	r := m.company.Role(name+"/roles/"+company.Owner().ID, name)
	r.CreateTime, r.UpdateTime = m.now, m.now
	m.collections.PutJSON(r.Name, resource.JSON(r))

	d := m.company.Database(name+"/databases/databricks-postgres", name)
	d.CreateTime, d.UpdateTime = m.now, m.now
	m.collections.PutJSON(d.Name, resource.JSON(d))
}

func (m *maker) endpoint(name, kind string) {
	e := m.company.Endpoint(name, resource.Parent(resource.Parent(name)), kind)
	e.CreateTime, e.UpdateTime = m.now, m.now
	e.Status.CurrentState = company.StateActive
	m.collections.PutJSON(name, resource.JSON(e))
}
