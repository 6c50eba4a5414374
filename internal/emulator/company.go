package emulator

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// company works out what a workspace begins with: the Lakebase of Harbor Finch, a made-up roaster
// of coffee. Every value follows from the seed, the workspace and the resource's name, and few from
// the time, so nothing is kept and any part can be made without the rest.
type company struct {
	seed      uint64
	workspace string
	scale     int
	account   string // its id; empty: what follows from the seed
	host      string // of every endpoint; empty: each has a name of its own
	// clock tells the time, which the little depends on that cannot be in the past: when tokens expire.
	clock func() time.Time
	// deployments are the account's workspaces; nil in a workspace.
	deployments *deployments
}

// Names that every workspace has, or that rules depend on.
const (
	production   = "production"
	development  = "development"
	primary      = "primary"
	retired      = "legacy-shop" // deleted and not yet purged
	tenantPrefix = "tenant-"
	dayOne       = 1_735_722_000 // 2025-01-01T09:00:00Z, before which nothing was made
)

// person is somebody, or something, that works for the company.
type person struct {
	id       string // as a role's id
	email    string // as a role's name in Postgres: an address, a group's name, a client id
	identity string
}

// owner is who the personal access token belongs to.
func owner() person {
	return person{"ada-okafor", "ada.okafor@harbor-finch.example", "USER"}
}

func people() []person {
	return []person{ // by id
		owner(),
		{"bruno-keller", "bruno.keller@harbor-finch.example", "USER"},
		{"data-engineers", "data-engineers", "GROUP"},
		{"ingest-service", "5f0c1d6e-8b1a-4c39-9a77-2d4be0c6a913", "SERVICE_PRINCIPAL"},
		{"mei-tanaka", "mei.tanaka@harbor-finch.example", "USER"},
		{"reporting", "reporting", ""}, // logs in with a Postgres password
	}
}

// projects are the company's own in this workspace: four and a deleted one everywhere, two more
// that differ, so that an inventory of workspaces has something to tell.
func (co *company) projects() []string {
	others := []string{"fleet", "forecasting", "loyalty", "payroll", "roastery-sensors", "support-desk"}
	draw := co.draw("projects")
	first := draw.below(len(others))
	second := (first + 1 + draw.below(len(others)-1)) % len(others)
	names := []string{"inventory", retired, "orders", "p", "web-shop", others[first], others[second]}
	slices.Sort(names)
	return names
}

// ids lists the collections that the company has.
func (co *company) ids(collection string) resource.Sequence {
	s := strings.Split(collection, "/")
	if s[0] != "projects" {
		return resource.Sequence{}
	}
	all := resource.Sequence{Names: co.projects(), Prefix: tenantPrefix, Count: co.scale}
	if len(s) == 1 {
		return all
	}
	if !all.Has(s[1]) || s[1] == retired || len(s) < 3 || s[2] != "branches" {
		return resource.Sequence{}
	}
	branches := []string{development, production}
	if s[1] == "p" {
		branches = []string{"b", development, production}
	}
	if len(s) == 3 {
		return resource.Sequence{Names: branches}
	}
	if len(s) != 5 || !slices.Contains(branches, s[3]) {
		return resource.Sequence{}
	}
	return resource.Sequence{Names: co.belowBranch(s[1], s[3], s[4])}
}

func (co *company) belowBranch(project, branch, kind string) []string {
	switch kind {
	case "endpoints":
		switch {
		case project == "p" && branch == "b":
			return []string{"e"}
		case branch == production && (project == "orders" || project == "web-shop"):
			return []string{primary, "reports"} // reports only reads
		}
		return []string{primary}
	case "databases":
		if branch == production && !strings.HasPrefix(project, tenantPrefix) {
			return []string{"app-data", "databricks-postgres", "reporting"}
		}
		return []string{"app-data", "databricks-postgres"}
	case "roles":
		everybody := people()
		if branch != production {
			everybody = everybody[:3]
		}
		ids := make([]string, len(everybody))
		for i, p := range everybody {
			ids[i] = p.id
		}
		return ids
	}
	return nil
}

// item makes a resource of one of the collections above.
func (co *company) item(collection, id string) resource.Item {
	name := collection + "/" + id
	parent := resource.Parent(collection)
	it := resource.Item{ID: id, Deleted: name == "projects/"+retired}
	switch resource.ID(collection) {
	case "projects":
		it.Data = resource.JSON(co.project(name, it.Deleted))
	case "branches":
		it.Data = resource.JSON(co.branch(name, parent))
	case "endpoints":
		kind := readWrite
		if id == "reports" {
			kind = readOnly
		}
		it.Data = resource.JSON(co.endpoint(name, parent, kind))
	case "databases":
		it.Data = resource.JSON(co.database(name, parent))
	case "roles":
		it.Data = resource.JSON(co.role(name, parent))
	}
	return it
}

func (co *company) project(name string, deleted bool) project {
	draw := co.draw(name)
	everybody := []string{people()[0].email, people()[1].email, people()[4].email}
	made, changed := draw.times()
	id := resource.ID(name)
	p := project{
		Name: name, UID: draw.uuid(), CreateTime: made, UpdateTime: changed,
		Status: projectStatus{
			ProjectID: id, DisplayName: title(id), Owner: everybody[draw.below(len(everybody))],
			PgVersion: 16 + draw.below(2), DefaultBranch: name + "/branches/" + production,
			DefaultEndpointSettings:  defaultSettings{MinCU: 1, MaxCU: float64(int(2) << draw.below(3)), SuspendTimeout: "300s"},
			EnablePgNativeLogin:      true,
			HistoryRetentionDuration: strconv.Itoa(86_400*(2+draw.below(13))) + "s",
			BranchLogicalSizeLimit:   8 << 40,
			SyntheticStorageSize:     draw.bytes(),
			CustomTags:               []customTag{{Key: "cost-center", Value: "cc-" + strconv.Itoa(100+draw.below(20))}},
		},
	}
	if deleted {
		p.UpdateTime = changed.AddDate(0, 1, 0)
		p.DeleteTime = p.UpdateTime
		p.PurgeTime = p.DeleteTime.AddDate(5, 0, 0) // far off, so that it stays deleted and not purged
	}
	return p
}

func (co *company) branch(name, parent string) branch {
	draw := co.draw(name)
	made, changed := draw.times()
	b := branch{
		Name: name, Parent: parent, UID: "br-" + draw.label(), CreateTime: made, UpdateTime: changed,
		Status: branchStatus{BranchID: resource.ID(name), CurrentState: stateReady, StateChangeTime: made, LogicalSize: draw.bytes()},
	}
	if resource.ID(name) == production {
		b.Status.Default, b.Status.IsProtected = true, true
		return b
	}
	b.Status.SourceBranch = parent + "/branches/" + production
	b.Status.SourceBranchLSN = "0/" + strings.ToUpper(strconv.FormatInt(int64(0x1000000+draw.below(0xfffffff)), 16))
	b.Status.SourceBranchTime = made
	return b
}

func (co *company) endpoint(name, parent, kind string) endpoint {
	draw := co.draw(name)
	made, changed := draw.times()
	uid := "ep-" + draw.label()
	state := stateActive
	if resource.ID(parent) != production && draw.below(2) == 0 {
		state = stateIdle
	}
	e := endpoint{
		Name: name, Parent: parent, UID: uid, CreateTime: made, UpdateTime: changed,
		Status: endpointStatus{
			EndpointID: resource.ID(name), CurrentState: state, EndpointType: kind,
			Hosts: endpointHosts{Host: cmp.Or(co.host, uid+databaseDomain)},
			MinCU: 1, MaxCU: float64(int(2) << draw.below(3)), SuspendTimeout: "300s", Group: endpointGroup{Min: 1, Max: 1},
		},
	}
	if kind == readOnly {
		e.Status.Hosts.ReadOnlyHost = e.Status.Hosts.Host
	}
	return e
}

func (co *company) database(name, parent string) database {
	made, changed := co.draw(name).times()
	return database{
		Name: name, Parent: parent, CreateTime: made, UpdateTime: changed,
		Status: databaseStatus{
			DatabaseID: resource.ID(name), PostgresDatabase: strings.ReplaceAll(resource.ID(name), "-", "_"),
			Role: parent + "/roles/" + owner().id,
		},
	}
}

func (co *company) role(name, parent string) role {
	made, changed := co.draw(name).times()
	r := role{
		Name: name, Parent: parent, CreateTime: made, UpdateTime: changed,
		Status: roleStatus{RoleID: resource.ID(name), PostgresRole: resource.ID(name), AuthMethod: "PG_PASSWORD_SCRAM_SHA_256"},
	}
	for _, p := range people() {
		if p.id != r.Status.RoleID || p.identity == "" {
			continue
		}
		r.Status.PostgresRole, r.Status.IdentityType, r.Status.AuthMethod = p.email, p.identity, "LAKEBASE_OAUTH_V1"
	}
	if r.Status.RoleID == owner().id {
		r.Status.Attributes = roleAttributes{CreateDB: true, CreateRole: true}
		r.Status.MembershipRoles = []string{"DATABRICKS_SUPERUSER"}
	}
	return r
}

// accountID is the same for every workspace of a seed, workspaceID another for each.
func (co *company) accountID() string {
	if co.account != "" {
		return co.account
	}
	whole := company{seed: co.seed}
	draw := whole.draw("account")
	return draw.uuid()
}

func (co *company) workspaceID() uint64 {
	draw := co.draw("workspace")
	return 1_000_000_000_000_000 + draw.number()%9_000_000_000_000_000
}

// draw starts the values of one resource.
func (co *company) draw(name string) *draw {
	key := binary.BigEndian.AppendUint64(nil, co.seed)
	key = append(append(append(key, co.workspace...), 0), name...)
	return &draw{state: sha256.Sum256(key)}
}

// draw gives values that look random and follow from where it started.
type draw struct {
	state [sha256.Size]byte
	used  int
}

func (d *draw) number() uint64 {
	if d.used+8 > len(d.state) {
		d.state, d.used = sha256.Sum256(d.state[:]), 0
	}
	n := binary.BigEndian.Uint64(d.state[d.used:])
	d.used += 8
	return n
}

// below gives a number from 0 to n-1; n is at most 2³¹.
func (d *draw) below(n int) int {
	return int(d.number() >> 33 % uint64(n)) //nolint:gosec // both fit: n is positive and the number has 31 bits
}

func (d *draw) uuid() string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], d.number())
	binary.BigEndian.PutUint64(b[8:], d.number())
	return resource.FormatUUID(b)
}

// label is a name as the system gives them: two words and a number that nobody else has.
func (d *draw) label() string {
	manner := []string{"amber", "bold", "calm", "dusty", "early", "fresh", "gentle", "hazel", "keen", "lively", "mellow", "quiet", "round", "smoky", "still", "warm"}
	thing := []string{"bean", "brook", "cedar", "crema", "dune", "finch", "fjord", "grove", "harbor", "kettle", "lantern", "meadow", "quay", "ridge", "tide", "willow"}
	unique := binary.BigEndian.AppendUint64(nil, d.number())[:4]
	return manner[d.below(len(manner))] + "-" + thing[d.below(len(thing))] + "-" + hex.EncodeToString(unique)
}

// bytes is a size from 8 MiB to about 64 GiB, small ones more often.
func (d *draw) bytes() int64 { return int64(8<<20+d.below(8<<20)) << d.below(13) }

// times are when something was made, in 2025, and last changed, within 90 days of that.
func (d *draw) times() (made, changed time.Time) {
	made = time.Unix(dayOne+int64(d.below(300*86_400)), 0).UTC()
	return made, made.Add(time.Duration(d.below(90*86_400)) * time.Second)
}

// title words an id for people: web-shop becomes Web shop.
func title(id string) string {
	words := strings.ReplaceAll(id, "-", " ")
	return strings.ToUpper(words[:1]) + words[1:]
}
