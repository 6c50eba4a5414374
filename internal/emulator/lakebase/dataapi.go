package lakebase

import (
	"net/http"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// dataAPIRules are those of the HTTP interface of a database, of which it has one at most.
func dataAPIRules() rules {
	return rules{
		check: func(_ *Service, _ string, spec resource.Record, _ bool) error {
			if n, said := spec["db_max_rows"]; said && n != nil && numberIn(spec, nil, "db_max_rows") < 1 {
				return apierror.Invalid("spec.db_max_rows must be positive, not %s.", resource.Text(n))
			}
			return nil
		},
	}
}

func (s *Service) getDataAPI(req *Request) (any, error) {
	r, ok := s.held(req.Name)
	if !ok {
		return nil, s.missingDataAPI(req.Name)
	}
	return r, nil
}

func (s *Service) missingDataAPI(name string) error {
	if database := resource.Parent(name); !s.alive(database) {
		return s.missing(database)
	}
	return apierror.NotFound("Database %q has no Data API.", apierror.Printable(resource.Parent(name)))
}

// createDataAPI makes the Data API of a database, with the defaults that the documents tell.
func (s *Service) createDataAPI(req *Request) (any, error) {
	s.changing.Lock()
	defer s.changing.Unlock()
	name, database := req.Name, resource.Parent(req.Name)
	if !s.alive(database) {
		return nil, s.missing(database)
	}
	if _, taken := s.Collections.Get(name); taken {
		return nil, apierror.New(http.StatusConflict, "ALREADY_EXISTS", "Database %q has a Data API already.", apierror.Printable(database))
	}
	spec := resource.Object(req.Body, "spec")
	if err := dataAPIRules().check(s, name, spec, true); err != nil {
		return nil, err
	}
	if req.Fail {
		return s.beginFailing(name), nil
	}
	now := s.Clock().UTC()
	status := resource.Record{
		"available_schemas": []any{"public"}, "db_schemas": []any{"public"}, "db_aggregates_enabled": true, "jwt_role_claim_key": ".sub",
	}
	r := resource.JSON(resource.Record{
		"name": name, "parent": database, "create_time": now.Format(time.RFC3339Nano), "update_time": now.Format(time.RFC3339Nano),
		"status": applied(status, spec, now),
	})
	s.Collections.PutJSON(name, r)
	return s.begin(name, r), nil
}
