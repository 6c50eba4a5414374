package engine

import (
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// formerRow is a row of a SHOW whose former name matches LIKE.
type formerRow struct {
	row      []any
	sentence string // what has the former name today
}

// former lists the rows of a SHOW that LIKE finds by a former name. A pattern that matches every name
// looks for none.
func (l lister) former(show *statement.Show) ([]formerRow, error) {
	if strings.Trim(show.Like, "%") == "" {
		return nil, nil
	}
	switch show.What {
	case "SERVICES":
		return l.formerServices(show)
	case "RESOURCES":
		if len(show.In) < 2 { //nolint:mnd // provider.service
			return nil, nil
		}
		return l.formerResources(show)
	case "METHODS":
		return l.formerMethods(show)
	}
	return nil, nil
}

// like reports whether the pattern matches the last part of a name, or all of it.
func like(pattern, name string) bool {
	return statement.Like(pattern, name) || statement.Like(pattern, name[strings.LastIndexByte(name, '.')+1:])
}

// parent takes n parts off the end of a name.
func parent(name string, n int) string {
	parts := strings.Split(name, ".")
	return strings.Join(parts[:len(parts)-n], ".")
}

func (l lister) formerServices(show *statement.Show) ([]formerRow, error) {
	found, names, err := l.formerNames(show.In[:1])
	if err != nil {
		return nil, err
	}
	var rows []formerRow
	for _, f := range names {
		former := parent(found.Provider.Name+"."+f.Name, 2)
		i := slices.IndexFunc(found.Provider.Services, func(s *provider.ServiceInfo) bool {
			return found.Provider.Name+"."+s.Name == parent(f.Today, 2)
		})
		if i < 0 || former == parent(f.Today, 2) || !like(show.Like, former) {
			continue
		}
		rows = append(rows, formerRow{serviceRow(found.Provider.Services[i]), former + " is " + parent(f.Today, 2) + " today"})
	}
	return rows, nil
}

// formerResources reads the former names of the service, and those of its present resources.
func (l lister) formerResources(show *statement.Show) ([]formerRow, error) {
	found, names, err := l.formerNames(show.In[:2])
	if err != nil {
		return nil, err
	}
	place := found.Provider.Name + "." + found.Service.Name
	var rows []formerRow
	for _, f := range names {
		former, today := parent(found.Provider.Name+"."+f.Name, 1), parent(f.Today, 1)
		if former == today || parent(former, 1) != place && parent(today, 1) != place || !like(show.Like, former) {
			continue
		}
		r, err := l.session.Catalogue.ResourceOf(today)
		if err != nil {
			return nil, err
		}
		rows = append(rows, formerRow{resourceRow(r), former + " is " + today + " today"})
	}
	return rows, nil
}

// formerMethods reads the former names of the resource, and those of its present methods.
func (l lister) formerMethods(show *statement.Show) ([]formerRow, error) {
	found, names, err := l.formerNames(show.In[:3])
	if err != nil {
		return nil, err
	}
	place := found.Resource.FullName()
	var rows []formerRow
	for _, f := range names {
		former := found.Provider.Name + "." + f.Name
		if former == f.Today || parent(former, 1) != place && parent(f.Today, 1) != place || !like(show.Like, former) {
			continue
		}
		m, err := l.session.Catalogue.MethodOf(f.Today)
		if err != nil {
			return nil, err
		}
		rows = append(rows, formerRow{methodRow(m, m.SQLVerb), former + " is " + f.Today + " today"})
	}
	return rows, nil
}

// formerNames resolves a name. It also returns the former names of its provider that have a present
// name.
func (l lister) formerNames(name statement.Name) (provider.Named, []provider.FormerName, error) {
	found, err := l.names.lookup(name)
	if err != nil {
		return found, nil, err
	}
	all, err := l.session.Catalogue.FormerNames(found.Provider)
	if err != nil {
		return found, nil, err
	}
	var names []provider.FormerName
	for _, f := range all {
		if f.Today != "" {
			names = append(names, f)
		}
	}
	return found, names, nil
}
