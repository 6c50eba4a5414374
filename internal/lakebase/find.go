package lakebase

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/lakeql/lakeql/provider"
)

// Find finds the endpoint that a name means:
//
//   - a branch means its only endpoint, or the one that writes;
//   - a project means its default branch;
//   - a bare word means the project or the instance of the database service with that name;
//   - no name means the only project or instance of the workspace.
//
// It is an error if several endpoints fit. The error lists them.
func (c *Client) Find(ctx context.Context, n Name) (Info, error) {
	var project map[string]any
	switch {
	case n.Bare != "":
		var instance map[string]any
		var err error
		if project, instance, err = c.either(ctx, n.Bare); err != nil {
			return Info{}, err
		}
		if instance != nil {
			return instanceInfo(instance), nil
		}
		n = Name{Project: n.Bare}
	case n == Name{}:
		var err error
		if n, err = c.only(ctx); err != nil {
			return Info{}, err
		}
	}
	if n.IsWhole() {
		return c.describe(ctx, n)
	}
	if n.Branch == "" {
		var err error
		if n.Branch, err = c.defaultBranch(ctx, n, project); err != nil {
			return Info{}, err
		}
	}
	found, err := c.endpointsOf(ctx, n)
	if err != nil {
		return Info{}, err
	}
	if len(found) == 1 {
		return found[0], nil
	}
	for _, e := range found {
		if !e.ReadOnly { // a branch has one
			return e, nil
		}
	}
	if len(found) == 0 {
		return Info{}, provider.Usagef("%s has no endpoint", n).Because(ErrNotOpen).
			Hintf(`make one: lakeql exec "INSERT INTO %s (parent, endpoint_id, spec) VALUES ('%s', 'primary', '{\"endpoint_type\": \"ENDPOINT_TYPE_READ_WRITE\"}')"`, endpoints, n)
	}
	names := make([]string, len(found))
	for i, e := range found {
		names[i] = e.Name
	}
	return Info{}, several(n.String()+" has several endpoints", names)
}

// describe gets an endpoint whose name is whole.
func (c *Client) describe(ctx context.Context, n Name) (Info, error) {
	if n.Instance != "" {
		row, err := c.one(ctx, instances+".get", map[string]any{"name": n.Instance}, nil)
		if err != nil {
			return Info{}, missing(err, instances, "")
		}
		return instanceInfo(row), nil
	}
	row, err := c.one(ctx, endpoints+".get", map[string]any{"project_id": n.Project, "branch_id": n.Branch, "endpoint_id": n.Endpoint}, nil)
	if err != nil {
		n.Endpoint = ""
		return Info{}, missing(err, endpoints, n.String())
	}
	return endpointInfo(row)
}

// missing adds the statement that lists what there is to an error of a resource that is not there.
func missing(err error, resource, parent string) error {
	return provider.Change(err, func(e *provider.Error) {
		if !e.Absent || e.Hint != "" {
			return
		}
		where := ""
		if parent != "" {
			where = fmt.Sprintf(" WHERE parent = '%s'", parent)
		}
		e.Hint = fmt.Sprintf(`list the names: lakeql exec "SELECT name FROM %s%s"`, resource, where)
	})
}

func endpointInfo(row map[string]any) (Info, error) {
	var status struct {
		State string `json:"current_state"`
		Type  string `json:"endpoint_type"`
		Off   bool   `json:"disabled"`
		Hosts struct {
			Host           string `json:"host"`
			Pooled         string `json:"read_write_pooled_host"`
			ReadOnlyPooled string `json:"read_only_pooled_host"`
		} `json:"hosts"`
	}
	if err := object(row, "status", &status); err != nil {
		return Info{}, err
	}
	e := Info{
		Name: text(row, "name"), Host: status.Hosts.Host, PooledHost: status.Hosts.Pooled, State: status.State,
		ReadOnly: status.Type == "ENDPOINT_TYPE_READ_ONLY", Disabled: status.Off,
	}
	if e.ReadOnly {
		e.PooledHost = status.Hosts.ReadOnlyPooled
	}
	return e, nil
}

func instanceInfo(row map[string]any) Info {
	stopped, _ := row["effective_stopped"].(bool) // absent: false
	state := text(row, "state")
	return Info{
		Name: Name{Instance: text(row, "name")}.String(), Host: text(row, "read_write_dns"), State: state,
		Disabled: stopped || state == "STOPPED",
	}
}

func (c *Client) endpointsOf(ctx context.Context, branch Name) ([]Info, error) {
	rows, err := c.call(ctx, endpoints+".list", map[string]any{"project_id": branch.Project, "branch_id": branch.Branch}, nil)
	if err != nil {
		branch.Branch = ""
		return nil, missing(err, branches, branch.String())
	}
	found := make([]Info, len(rows))
	for i, row := range rows {
		if found[i], err = endpointInfo(row); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// defaultBranch returns the id of a project's default branch, or of its only one. project is the row of the
// project; nil: it is to be asked for.
func (c *Client) defaultBranch(ctx context.Context, n Name, project map[string]any) (string, error) {
	if project == nil {
		var err error
		if project, err = c.one(ctx, projects+".get", map[string]any{"project_id": n.Project}, nil); err != nil {
			return "", missing(err, projects, "")
		}
	}
	var status struct {
		Default string `json:"default_branch"`
	}
	if err := object(project, "status", &status); err != nil {
		return "", err
	}
	prefix := n.String() + "/branches/"
	if id, ok := strings.CutPrefix(status.Default, prefix); ok {
		return id, nil
	}
	names, err := c.names(ctx, branches+".list", map[string]any{"project_id": n.Project})
	if err != nil {
		return "", err
	}
	if len(names) != 1 {
		return "", several(n.String()+" says no default branch", names)
	}
	return strings.TrimPrefix(names[0], prefix), nil
}

// names lists the names of resources.
func (c *Client) names(ctx context.Context, method string, args map[string]any) ([]string, error) {
	rows, err := c.call(ctx, method, args, nil)
	names := make([]string, len(rows))
	for i, row := range rows {
		names[i] = text(row, "name")
	}
	return names, err
}

// only returns the only project or instance of the workspace.
func (c *Client) only(ctx context.Context) (Name, error) {
	var projectNames, instanceNames []string
	calls, ctx := errgroup.WithContext(ctx)
	calls.Go(func() (err error) { projectNames, err = c.names(ctx, projects+".list", nil); return err })
	calls.Go(func() (err error) {
		instanceNames, err = c.names(ctx, instances+".list", nil)
		if isRefused(err) { // instances that nobody may list are no candidates
			err = nil
		}
		return err
	})
	if err := calls.Wait(); err != nil {
		return Name{}, provider.Change(err, func(e *provider.Error) {
			if e.Hint == "" {
				e.Hint = "name the endpoint"
			}
		})
	}
	for _, name := range instanceNames {
		projectNames = append(projectNames, Name{Instance: name}.String())
	}
	switch len(projectNames) {
	case 0:
		return Name{}, provider.Usagef("the workspace has no endpoint").
			Hintf(`make a project: lakeql exec "INSERT INTO %s (project_id) VALUES ('p')"`, projects)
	case 1:
		return ParseName(projectNames[0])
	}
	return Name{}, several("no endpoint is named, and the workspace has several", projectNames)
}

// either gets the project or the instance that a word names. The other one is nil.
func (c *Client) either(ctx context.Context, word string) (project, instance map[string]any, err error) {
	var noProject, noInstance error
	var calls errgroup.Group
	calls.Go(func() error {
		project, noProject = c.one(ctx, projects+".get", map[string]any{"project_id": word}, nil)
		return nil
	})
	calls.Go(func() error {
		instance, noInstance = c.one(ctx, instances+".get", map[string]any{"name": word}, nil)
		return nil
	})
	_ = calls.Wait() // both errors are looked at below
	switch {
	case noProject == nil && noInstance == nil:
		names := []string{Name{Project: word}.String(), Name{Instance: word}.String()}
		return nil, nil, several(provider.Quote(word)+" is a project and an instance", names)
	case noProject == nil && isRefused(noInstance): // an instance that one may not see is no candidate
		return project, nil, nil
	case noInstance == nil && isAbsent(noProject):
		return nil, instance, nil
	case isAbsent(noProject) && isRefused(noInstance):
		return nil, nil, missing(noProject, projects, "")
	case noProject != nil && !isAbsent(noProject):
		return nil, nil, noProject
	}
	return nil, nil, noInstance
}

func isAbsent(err error) bool {
	e, ok := errors.AsType[*provider.Error](err)
	return ok && e.Absent
}

// isRefused reports whether the API answered, and denied the call or knows no such thing.
func isRefused(err error) bool {
	e, ok := errors.AsType[*provider.Error](err)
	return ok && (e.Absent || e.Status == 400 || e.Status == 403 || e.Status == 404 || e.Status == 501)
}

// several is the error of a name that several things have.
func several(what string, names []string) error {
	const shown = 20
	more := ""
	if len(names) > shown {
		more = fmt.Sprintf(", and %d more", len(names)-shown)
		names = names[:shown]
	}
	for i := range names {
		names[i] = provider.Printable(names[i])
	}
	return provider.Usagef("%s: %s%s", what, strings.Join(names, ", "), more).Because(ErrNotOpen).Hintf("name one of them")
}
