package engine

import (
	"github.com/lakeql/lakeql/internal/describe"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/internal/vtab"
	"github.com/lakeql/lakeql/provider"
)

func (p *planner) planDescribe(d *statement.Describe) (*plan, error) {
	if d.Method {
		return p.planDescribeMethod(d)
	}
	if len(d.Name) < 3 { //nolint:mnd // provider.service.resource
		return p.planDescribeStored(d)
	}
	r, err := p.names.reached(d.Name, provider.Select)
	if err != nil {
		return nil, err
	}
	fields, err := p.fields(r, d.Name[2].Pos)
	if err != nil {
		return nil, err
	}
	cols := columns(d.Extended, "name type | description")
	var rows [][]any
	for _, f := range fields {
		rows = append(rows, []any{f.Name, describe.TypeName(f.Type, f.Format), f.Description}[:len(cols)])
	}
	return fixed(cols, rows), nil
}

// planDescribeStored describes a table or view of the user, by a query of it that does not run.
func (p *planner) planDescribeStored(d *statement.Describe) (*plan, error) {
	query, err := p.planText(d.Name[0].Pos, func(*vtab.Program) (string, error) { return "SELECT * FROM " + d.Name.SQL(), nil })
	if err != nil {
		return nil, err
	}
	defer query.discard()
	cols := columns(d.Extended, "name type | description")
	var rows [][]any
	for _, c := range query.program.Columns {
		rows = append(rows, []any{c.Name, describe.TypeName(c.Type, c.Format), c.Description}[:len(cols)])
	}
	return fixed(cols, rows), nil
}

// fields returns the columns of a resource's rows: those of a view, or of its first SELECT method.
func (p *planner) fields(r *provider.Resource, pos provider.Position) ([]provider.Column, error) {
	if r.View != nil {
		var fields []provider.Column
		for _, f := range r.View.Fields {
			fields = append(fields, provider.Column{Name: f.Name, Type: f.Type, Description: f.Description})
		}
		return fields, nil
	}
	methods := r.SelectMethods()
	if len(methods) == 0 {
		return nil, provider.Usagef("%s has no rows to describe: no SELECT reaches it", r.FullName()).
			At(pos).
			Hintf("see SHOW METHODS IN %s, and DESCRIBE METHOD %s.<method>", r.FullName(), r.FullName())
	}
	return p.session.Client.Columns(methods[0])
}

func (p *planner) planDescribeMethod(d *statement.Describe) (*plan, error) {
	m, err := p.names.method(d.Name)
	if err != nil {
		return nil, err
	}
	described, err := describe.Method(p.session.Catalogue, m)
	if err != nil {
		return nil, err
	}
	cols := columns(d.Extended, "name type param_type shape | description")
	var rows [][]any
	for _, r := range described {
		rows = append(rows, []any{r.Name, r.Type, r.ParamType, r.Shape, r.Description}[:len(cols)])
	}
	return fixed(cols, rows), nil
}

// ResourceColumns lists the columns that DESCRIBE has for a resource, and the methods that a SELECT of it may
// call.
func (s *Session) ResourceColumns(r *provider.Resource) (columns []provider.Column, methods []*provider.Method, err error) {
	defer s.recover(&err)
	if r.View == nil {
		if methods, err = s.env().SelectMethods(r); err != nil {
			return nil, nil, err
		}
	}
	columns, err = s.planner().fields(r, provider.Position{})
	return columns, methods, err
}
