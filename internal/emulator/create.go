package emulator

import (
	"time"

	"github.com/lakeql/lakeql/internal/emulator/company"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// maker puts new Lakebase resources into a store. Their values are the company's, but for the
// times: what is made now was not made last year.
type maker struct {
	store   *resource.Collections
	company company.Company
	now     time.Time
}

func (m *maker) project(name string) {
	p := m.company.Project(name, false)
	p.CreateTime, p.UpdateTime = m.now, m.now
	p.Status.Owner, p.Status.SyntheticStorageSize, p.Status.CustomTags = company.Owner().Email, 0, nil
	m.store.PutJSON(name, resource.JSON(p))
	m.branch(p.Status.DefaultBranch)
	m.endpoint(p.Status.DefaultBranch+"/endpoints/"+company.Primary, company.ReadWrite)
}

func (m *maker) branch(name string) {
	b := m.company.Branch(name, resource.Parent(resource.Parent(name)))
	b.CreateTime, b.UpdateTime, b.Status.StateChangeTime = m.now, m.now, m.now
	if b.Status.SourceBranch != "" {
		b.Status.SourceBranchTime = m.now
	}
	m.store.PutJSON(name, resource.JSON(b))

	r := m.company.Role(name+"/roles/"+company.Owner().ID, name)
	r.CreateTime, r.UpdateTime = m.now, m.now
	m.store.PutJSON(r.Name, resource.JSON(r))

	d := m.company.Database(name+"/databases/databricks-postgres", name)
	d.CreateTime, d.UpdateTime = m.now, m.now
	m.store.PutJSON(d.Name, resource.JSON(d))
}

func (m *maker) endpoint(name, kind string) {
	e := m.company.Endpoint(name, resource.Parent(resource.Parent(name)), kind)
	e.CreateTime, e.UpdateTime = m.now, m.now
	e.Status.CurrentState = company.StateActive
	m.store.PutJSON(name, resource.JSON(e))
}
