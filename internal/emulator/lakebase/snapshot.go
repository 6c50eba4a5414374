package lakebase

import (
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// snapshotRules are those of copies of a branch that a project keeps.
func snapshotRules() rules {
	return rules{
		idParam: "snapshot_id",
		check: func(s *Service, name string, spec resource.Record, _ bool) error {
			from := resource.Text(spec["source_branch"])
			if from == "" {
				return apierror.Invalid("spec.source_branch is required.")
			}
			if project := resource.Parent(resource.Parent(name)); resource.Parent(from) != project+"/branches" || !s.alive(from) {
				return apierror.Invalid("spec.source_branch %q is no branch of %s.", apierror.Printable(from), apierror.Printable(project))
			}
			if n := countOf(spec, oneofs["expiration"]); n > 1 {
				return apierror.Invalid("spec may have one of ttl, expire_time and no_expiry; it has %d.", n)
			}
			if countOf(spec, []string{"source_branch_lsn", "source_branch_time"}) > 1 {
				return apierror.Invalid("spec has both source_branch_lsn and source_branch_time; it may have one of them.")
			}
			return nil
		},
		make: func(s *Service, m *maker, name string, body resource.Record) {
			spec := resource.Object(body, "spec")
			from := resource.Text(spec["source_branch"])
			status := applied(resource.Record{"source_branch": from, "full_size_bytes": s.statusOf(from)["logical_size_bytes"]}, pick(spec, oneofs["expiration"]), m.now)
			if spec["no_expiry"] == true {
				status["no_expiry"] = true
			}
			d := m.company.Draw(name)
			s.Collections.PutJSON(name, resource.JSON(resource.Record{
				"name": name, "snapshot_id": resource.ID(name), "uid": d.UUID(), "create_time": m.now.Format(time.RFC3339Nano), "status": status,
			}))
		},
	}
}

// pick returns the attributes of some names. What is neither set nor true is left out.
func pick(spec resource.Record, names []string) resource.Record {
	r := resource.Record{}
	for _, name := range names {
		if value := spec[name]; value != nil && value != false {
			r[name] = value
		}
	}
	return r
}

// scheduleOf returns the snapshot schedule of a branch, which is empty if nobody set it.
func (s *Service) scheduleOf(name string) (resource.Record, error) {
	if branch := resource.Parent(name); !s.alive(branch) {
		return nil, s.missing(branch)
	}
	if r, ok := s.held(name); ok {
		return r, nil
	}
	return resource.Record{"name": name}, nil
}

func (s *Service) getSchedule(req *Request) (any, error) { return s.scheduleOf(req.Name) }

// updateSchedule replaces the cadences of a branch's snapshots.
func (s *Service) updateSchedule(req *Request) (any, error) {
	s.changing.Lock()
	defer s.changing.Unlock()
	r, err := s.scheduleOf(req.Name)
	if err != nil {
		return nil, err
	}
	for _, path := range req.Mask {
		if strings.TrimSpace(path) != "schedule" {
			return nil, apierror.Invalid("update_mask names %q, which is nothing that can be changed here; there is schedule.", apierror.Printable(path))
		}
	}
	if req.Fail {
		return s.beginFailing(req.Name), nil
	}
	delete(r, "schedule")
	if cadences, ok := req.Body["schedule"].([]any); ok && len(cadences) > 0 {
		r["schedule"] = cadences
	}
	s.Collections.PutJSON(req.Name, resource.JSON(r))
	return s.begin(req.Name, resource.JSON(r)), nil
}
