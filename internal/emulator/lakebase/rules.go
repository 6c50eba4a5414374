package lakebase

import (
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/company"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// The limits of Lakebase.
const (
	minSuspend, maxSuspend = 60 * time.Second, 604_800 * time.Second
	minHistory, maxHistory = 172_800 * time.Second, 3_024_000 * time.Second
	minCU, maxCU, spanCU   = 0.5, 64.0, 16.0
	minDatabaseID          = 4
	minRoleID              = 4
	maxDatabaseName        = 63 // bytes of an identifier of PostgreSQL
)

// within refuses a duration that is out of range.
func within(spec resource.Record, name string, lowest, highest time.Duration) error {
	text, ok := spec[name].(string)
	if !ok {
		return nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < lowest || d > highest {
		return apierror.Invalid("spec.%s must be from %ds to %ds, not %s.", name, int(lowest.Seconds()), int(highest.Seconds()), apierror.Printable(text))
	}
	return nil
}

// checkCU refuses sizes that are out of range or too far apart. A size that the specification lacks
// is that of the status.
func checkCU(spec, status resource.Record) error {
	low, high := numberIn(spec, status, "autoscaling_limit_min_cu"), numberIn(spec, status, "autoscaling_limit_max_cu")
	for name, n := range map[string]float64{"autoscaling_limit_min_cu": low, "autoscaling_limit_max_cu": high} {
		if n != 0 && (n < minCU || n > maxCU) {
			return apierror.Invalid("spec.%s must be from %v to %v, not %v.", name, minCU, maxCU, n)
		}
	}
	if low != 0 && high != 0 && (high < low || high-low > spanCU) {
		return apierror.Invalid("spec.autoscaling_limit_max_cu must be at least autoscaling_limit_min_cu and at most %v above it; they are %v and %v.", spanCU, high, low)
	}
	return nil
}

func numberIn(spec, status resource.Record, name string) float64 {
	value := spec[name]
	if value == nil {
		value = status[name]
	}
	n, err := strconv.ParseFloat(resource.Text(value), 64)
	if err != nil {
		return 0
	}
	return n
}

func checkSuspension(spec resource.Record) error {
	if countOf(spec, oneofs["suspension"]) > 1 {
		return apierror.Invalid("spec has both suspend_timeout_duration and no_suspension; it may have one of them.")
	}
	return within(spec, "suspend_timeout_duration", minSuspend, maxSuspend)
}

// putWith applies a specification to the status of a resource.
func (s *Service) putWith(name string, spec resource.Record) {
	r, ok := s.held(name)
	if !ok {
		return
	}
	r["status"] = applied(resource.Object(r, "status"), spec, s.Clock().UTC())
	s.Collections.PutJSON(name, resource.JSON(r))
}

func projectRules() rules {
	return rules{
		idParam: "project_id",
		check: func(s *Service, name string, spec resource.Record, creating bool) error {
			if v := spec["pg_version"]; v != nil && resource.Text(v) != "16" && resource.Text(v) != "17" {
				return apierror.Invalid("spec.pg_version must be 16 or 17, not %s.", resource.Text(v))
			}
			if err := within(spec, "history_retention_duration", minHistory, maxHistory); err != nil {
				return err
			}
			if b := resource.Text(spec["default_branch"]); b != "" && (creating || resource.Parent(b) != name+"/branches" || !s.alive(b)) {
				return apierror.Invalid("spec.default_branch %q is no branch of %s.", apierror.Printable(b), apierror.Printable(name))
			}
			settings := resource.Object(spec, "default_endpoint_settings")
			if err := checkSuspension(settings); err != nil {
				return err
			}
			return checkCU(settings, resource.Object(s.statusOf(name), "default_endpoint_settings"))
		},
		make: func(s *Service, m *maker, name string, body resource.Record) {
			s.newProject(m, name)
			spec := maps.Clone(resource.Object(body, "spec"))
			if resource.Text(spec["display_name"]) == "" {
				spec["display_name"] = resource.ID(name)
			}
			s.putWith(name, spec)
			settings := endpointSettings(resource.Object(spec, "default_endpoint_settings"))
			if group := resource.Object(resource.Object(body, "initial_endpoint_spec"), "group"); len(group) > 0 {
				settings["group"] = group
			}
			s.putWith(name+"/branches/"+company.Production+"/endpoints/"+company.Primary, settings)
		},
		refuse: func(s *Service, _ *Request, name string, _ resource.Record) error {
			for _, it := range s.Collections.List(name+"/branches", "", resource.MaxItems, false) {
				if branch := name + "/branches/" + it.ID; s.statusOf(branch)["is_protected"] == true {
					return apierror.New(http.StatusBadRequest, "BAD_REQUEST", "Cannot delete project %q: its branch %q is protected.", apierror.Printable(name), apierror.Printable(branch))
				}
			}
			return nil
		},
	}
}

func branchRules() rules {
	return rules{
		idParam: "branch_id",
		check: func(s *Service, name string, spec resource.Record, creating bool) error {
			n := countOf(spec, oneofs["expiration"])
			if creating && n != 1 || !creating && anyOf(spec, oneofs["expiration"]) && n != 1 {
				return apierror.Invalid("spec must have exactly one of ttl, expire_time and no_expiry; it has %d.", n)
			}
			if ttl, ok := spec["ttl"].(string); ok {
				if d, err := time.ParseDuration(ttl); err != nil || d <= 0 {
					return apierror.Invalid("spec.ttl must be more than 0s, not %s.", apierror.Printable(ttl))
				}
			}
			if at, ok := spec["expire_time"].(string); ok {
				if t, err := time.Parse(time.RFC3339, at); err != nil || !t.After(s.Clock()) {
					return apierror.Invalid("spec.expire_time must be in the future, not %s.", apierror.Printable(at))
				}
			}
			if from := resource.Text(spec["source_branch"]); from != "" && (resource.Parent(from) != resource.Parent(name) || !s.alive(from)) {
				return apierror.Invalid("spec.source_branch %q is no branch of %s.", apierror.Printable(from), apierror.Printable(resource.Parent(resource.Parent(name))))
			}
			if from := resource.Text(spec["source_snapshot"]); from != "" && (resource.Parent(from) != resource.Parent(resource.Parent(name))+"/snapshots" || !s.alive(from)) {
				return apierror.Invalid("spec.source_snapshot %q is no snapshot of %s.", apierror.Printable(from), apierror.Printable(resource.Parent(resource.Parent(name))))
			}
			return nil
		},
		make: func(s *Service, m *maker, name string, body resource.Record) {
			spec := resource.Object(body, "spec")
			source := resource.TextOr(spec["source_branch"], s.defaultBranch(resource.Parent(resource.Parent(name))))
			if from := resource.Text(spec["source_snapshot"]); from != "" {
				source = resource.TextOr(s.statusOf(from)["source_branch"], source)
			}
			s.newBranch(m, name, source)
			s.newEndpoint(m, name+"/endpoints/"+company.Primary, company.ReadWrite)
			s.putWith(name, spec)
		},
		refuse: func(s *Service, req *Request, name string, r resource.Record) error {
			status := resource.Object(r, "status")
			switch {
			case status["is_protected"] == true:
				return apierror.New(http.StatusBadRequest, "BAD_REQUEST", "Cannot delete protected branch %q; update spec.is_protected first.", apierror.Printable(name))
			case resource.Text(status["source_branch"]) == "":
				return managedByParent("Cannot delete root branch '%s'. Root branches cannot be deleted independently.", apierror.Printable(name))
			case status["default"] == true:
				return apierror.New(http.StatusBadRequest, "FAILED_PRECONDITION", "Branch %q is the project's default branch.", apierror.Printable(name))
			}
			for _, it := range s.Collections.List(resource.Parent(name), "", resource.MaxItems, false) {
				if other := resource.Parent(name) + "/" + it.ID; resource.Text(s.statusOf(other)["source_branch"]) == name {
					return apierror.New(http.StatusBadRequest, "FAILED_PRECONDITION", "Branch %q has the child %q.", apierror.Printable(name), apierror.Printable(other))
				}
			}
			return nil
		},
	}
}

func endpointRules() rules {
	return rules{
		idParam: "endpoint_id",
		check: func(s *Service, name string, spec resource.Record, creating bool) error {
			if err := checkSuspension(spec); err != nil {
				return err
			}
			if group := resource.Object(spec, "group"); len(group) > 0 {
				if low, high := numberIn(group, nil, "min"), numberIn(group, nil, "max"); low < 1 || high < low {
					return apierror.Invalid("spec.group must have 1 ≤ min ≤ max; they are %v and %v.", low, high)
				}
			}
			if creating && resource.Text(spec["endpoint_type"]) == "" {
				return apierror.Invalid("spec.endpoint_type is required.")
			}
			if spec["endpoint_type"] == company.ReadWrite {
				for _, it := range s.Collections.List(resource.Parent(name), "", resource.MaxItems, false) {
					if other := resource.Parent(name) + "/" + it.ID; other != name && s.statusOf(other)["endpoint_type"] == company.ReadWrite {
						return apierror.New(http.StatusBadRequest, "FAILED_PRECONDITION", "Branch %q has an endpoint that writes already: %q.", apierror.Printable(resource.Parent(resource.Parent(name))), apierror.Printable(other))
					}
				}
			}
			return checkCU(spec, s.statusOf(name))
		},
		make: func(s *Service, m *maker, name string, body resource.Record) {
			spec := resource.Object(body, "spec")
			s.newEndpoint(m, name, resource.Text(spec["endpoint_type"]))
			s.putWith(name, spec)
		},
		refuse: func(s *Service, _ *Request, name string, r resource.Record) error {
			if resource.Object(r, "status")["endpoint_type"] == company.ReadWrite {
				return managedByParent("Cannot delete read-write endpoint '%s'. Read-write endpoints cannot be deleted.", apierror.Printable(name))
			}
			if branch := resource.Parent(resource.Parent(name)); s.statusOf(branch)["is_protected"] == true {
				return apierror.New(http.StatusBadRequest, "BAD_REQUEST", "Cannot delete endpoint %q: its branch is protected.", apierror.Printable(name))
			}
			return nil
		},
	}
}

func databaseRules() rules {
	return rules{
		idParam: "database_id",
		newID: func(spec resource.Record) string {
			if id := slug(resource.Text(spec["postgres_database"])); len(id) >= minDatabaseID {
				return id
			}
			return "db-" + resource.NewID()[:8]
		},
		taken: func() error { return nameTaken("database") },
		check: func(s *Service, name string, spec resource.Record, creating bool) error {
			if creating && len(resource.ID(name)) < minDatabaseID {
				return apierror.Invalid("database_id %q is too short: it must have 4 to 63 characters.", apierror.Printable(resource.ID(name)))
			}
			role, said := spec["role"]
			owner := resource.Text(role)
			switch {
			case owner == "" && (creating || said): // a database always has an owner
				return apierror.Invalid(`Field 'database.spec.role' is required, expected non-default value (not "")!`)
			case owner == "":
			case resource.Parent(owner) != resource.Parent(resource.Parent(name))+"/roles":
				return apierror.Invalid("spec.role %q is no role of the branch.", apierror.Printable(owner))
			case !s.alive(owner):
				return s.missing(owner)
			}
			wanted := resource.Text(spec["postgres_database"])
			if len(wanted) > maxDatabaseName || strings.ContainsRune(wanted, 0) {
				return apierror.Invalid("spec.postgres_database %q cannot be the name of a database: it must have at most %d bytes, and no NUL.", apierror.Printable(wanted), maxDatabaseName)
			}
			for _, it := range s.Collections.List(resource.Parent(name), "", resource.MaxItems, false) {
				if other := resource.Parent(name) + "/" + it.ID; wanted != "" && other != name && resource.Text(s.statusOf(other)["postgres_database"]) == wanted {
					return nameTaken("database")
				}
			}
			return nil
		},
		make: func(s *Service, m *maker, name string, body resource.Record) {
			d := m.company.Database(name, resource.Parent(resource.Parent(name)))
			d.CreateTime, d.UpdateTime = m.now, m.now
			m.collections.PutJSON(name, resource.JSON(d))
			s.putWith(name, resource.Object(body, "spec"))
		},
	}
}

func roleRules() rules {
	return rules{
		idParam: "role_id",
		newID: func(spec resource.Record) string {
			name, _, _ := strings.Cut(resource.Text(spec["postgres_role"]), "@")
			if id := slug(name); len(id) >= minRoleID {
				return id
			}
			return "role-" + resource.NewID()[:8]
		},
		taken: func() error { return nameTaken("role") },
		check: func(s *Service, name string, spec resource.Record, creating bool) error {
			if creating && len(resource.ID(name)) < minRoleID {
				return apierror.Invalid("role_id %q is too short: it must have 4 to 63 characters.", apierror.Printable(resource.ID(name)))
			}
			wanted := resource.Text(spec["postgres_role"])
			for _, it := range s.Collections.List(resource.Parent(name), "", resource.MaxItems, false) {
				if other := resource.Parent(name) + "/" + it.ID; wanted != "" && other != name && resource.Text(s.statusOf(other)["postgres_role"]) == wanted {
					return nameTaken("role")
				}
			}
			return nil
		},
		make: func(s *Service, m *maker, name string, body resource.Record) {
			m.collections.PutJSON(name, resource.JSON(company.Role{
				Name: name, RoleID: resource.ID(name), Parent: resource.Parent(resource.Parent(name)), CreateTime: m.now, UpdateTime: m.now,
				Status: company.RoleStatus{RoleID: resource.ID(name)},
			}))
			s.putWith(name, wholeRole(name, resource.Object(body, "spec")))
		},
		replace: wholeRole,
		refuse: func(s *Service, req *Request, name string, _ resource.Record) error {
			to := req.Query.Get("reassign_owned_to")
			if to != "" && (to == name || resource.Parent(to) != resource.Parent(name) || !s.alive(to)) {
				return apierror.Invalid("reassign_owned_to %q is no other role of the branch.", apierror.Printable(to))
			}
			in := resource.Parent(resource.Parent(name)) + "/databases"
			for _, it := range s.Collections.List(in, "", resource.MaxItems, false) {
				if resource.Text(s.statusOf(in + "/" + it.ID)["role"]) != name {
					continue
				}
				if to == "" {
					return apierror.New(http.StatusBadRequest, "FAILED_PRECONDITION", "Role %q owns database %q; say reassign_owned_to.", apierror.Printable(name), apierror.Printable(it.ID))
				}
				s.putWith(in+"/"+it.ID, resource.Record{"role": to})
			}
			return nil
		},
	}
}

// wholeRole completes the specification of a role with what the service sets if it is left out.
func wholeRole(name string, spec resource.Record) resource.Record {
	whole := resource.Record{
		"postgres_role": resource.ID(name), "identity_type": company.NoIdentity, "auth_method": company.PasswordAuth,
		"attributes": resource.Record{"bypassrls": false, "createdb": false, "createrole": false}, "membership_roles": nil,
	}
	for field, value := range spec {
		switch {
		case value == nil || value == "":
		case field == "attributes":
			maps.Copy(resource.Object(whole, field), resource.Object(spec, field))
		default:
			whole[field] = value
		}
	}
	if spec["auth_method"] == nil && whole["identity_type"] != company.NoIdentity {
		whole["auth_method"] = company.OAuth
	}
	return whole
}

// nameTaken makes the error of a role or database that exists already. The service does not answer
// 409 here.
func nameTaken(kind string) error {
	return apierror.New(http.StatusBadRequest, "BAD_REQUEST", "%s with that name already exists", kind)
}

// putNew creates a resource of a kind that the company does not have.
func (s *Service) putNew(m *maker, name string, status resource.Record) {
	d := m.company.Draw(name)
	now := m.now.Format(time.RFC3339Nano)
	r := resource.Record{"name": name, "uid": d.UUID(), "create_time": now, "status": status}
	maps.DeleteFunc(status, func(_ string, value any) bool { return value == nil || value == "" })
	r[singular(resource.Parent(name))+"_id"] = resource.ID(name)
	if resource.Parent(name) == "catalogs" {
		r["update_time"] = now
	}
	s.Collections.PutJSON(name, resource.JSON(r))
}

func (s *Service) checkBranch(spec resource.Record) error {
	if b := resource.Text(spec["branch"]); b != "" && !s.alive(b) {
		return apierror.Invalid("spec.branch %q does not exist.", apierror.Printable(b))
	}
	return nil
}

func catalogRules() rules {
	return rules{
		idParam: "catalog_id",
		check:   func(s *Service, _ string, spec resource.Record, _ bool) error { return s.checkBranch(spec) },
		make: func(s *Service, m *maker, name string, body resource.Record) {
			spec := resource.Object(body, "spec")
			branchName := resource.Text(spec["branch"])
			s.putNew(m, name, resource.Record{
				"branch": branchName, "postgres_database": spec["postgres_database"],
				"project": strings.Join(strings.SplitN(branchName, "/", 3)[:min(2, strings.Count(branchName, "/")+1)], "/"),
			})
		},
	}
}

func syncedTableRules() rules {
	return rules{
		idParam: "synced_table_id",
		check: func(s *Service, name string, spec resource.Record, _ bool) error {
			if parts := strings.Split(resource.ID(name), "."); len(parts) != 3 || parts[0] == "" || parts[1] == "" || parts[2] == "" {
				return apierror.Invalid("synced_table_id %q is not of the form catalog.schema.table.", apierror.Printable(resource.ID(name)))
			}
			return s.checkBranch(spec)
		},
		make: func(s *Service, m *maker, name string, body resource.Record) {
			spec := resource.Object(body, "spec")
			branchName := resource.Text(spec["branch"])
			status := resource.Record{
				"detailed_state": "SYNCED_TABLE_ONLINE", "message": "", "pipeline_id": m.company.SecondID(name),
				"unity_catalog_provisioning_state": "ACTIVE", "last_sync_time": m.now.Format(time.RFC3339Nano),
			}
			if branchName != "" {
				status["project"] = strings.Join(strings.SplitN(branchName, "/", 3)[:2], "/")
			}
			s.putNew(m, name, status)
		},
	}
}
