package main

import "strings"

// kind is the documented kind of a call's answer.
type kind int

const (
	list      kind = iota // an object with the items in one attribute
	bare                  // an array of items
	object                // one resource
	empty                 // nothing that anybody reads: {}
	operation             // the beginning of work that goes on
	poll                  // how that work is going on
)

// answer is a good one. <num> and <text> in it are values that faults replace.
type answer struct {
	kind  kind
	key   string   // list: the attribute that holds the items
	items []string // list, bare: the items; otherwise the one object
	rest  string   // list: further attributes, with a comma before each
	token string   // list: the attribute with the token of the next page; empty: it goes on in another way, if at all
}

// text is the body of the answer.
func (a answer) text() string {
	switch a.kind {
	case list:
		return a.with(a.items)
	case bare:
		return "[" + strings.Join(a.items, ",") + "]"
	case object, empty, operation, poll:
	}
	return a.items[0]
}

// with is the body with other items.
func (a answer) with(items []string) string {
	if a.kind == bare {
		return "[" + strings.Join(items, ",") + "]"
	}
	return `{"` + a.key + `": [` + strings.Join(items, ",") + `]` + a.rest + `}`
}

// call is a request that a statement makes, and its answer.
type call struct {
	method, path string
	host         string // empty: any
	has, lacks   string // what the query and the body hold
	answer       answer
}

// matches reports whether a request is the call. Without a body only the head is looked at.
func (c *call) matches(r request, whole bool) bool {
	if c.method != r.method || c.path != r.path || c.host != "" && c.host != r.host {
		return false
	}
	rest := r.target + r.body
	if !whole && c.method == "POST" {
		return true
	}
	return strings.Contains(rest, c.has) && (c.lacks == "" || !strings.Contains(rest, c.lacks))
}

// absence is the result of a statement if the resource of the attacked call does not exist.
type absence int

const (
	isError      absence = iota // nothing was named that could be missing, or a change failed
	noRow                       // a row was asked for by its name
	noRowOrError                // a part of a resource was asked for: its list, its further pages
)

// surface is a statement, the API's data for it, and the call that faults change.
type surface struct {
	name      string
	statement string
	flags     []string
	account   bool // an account is configured
	pipeline  bool // the statement is the query of a pipeline
	planned   bool // of a pipeline: the attacked call finds its workspaces

	calls  []call
	target int
	once   bool // only the first request of the target is attacked: it is a poll, and would go on for ever

	right string // the rows, as JSON
	// none are the rows where the attacked answer holds no item, or says that the resource does not exist.
	// Empty: that cannot be, and is an error.
	none    string
	missing absence // what it means that the resource does not exist
	hollow  string  // the rows where the attacked answer is an object without attributes; empty: that is an error
	partial bool    // a failed call leaves the rows of none and exit status 3
}

// writes reports whether the attacked call changes something, so that it may not be sent twice.
func (s *surface) writes() bool { return s.calls[s.target].method != "GET" }

// kind is that of the attacked answer.
func (s *surface) kind() kind { return s.calls[s.target].answer.kind }

const (
	clustersPath = "/api/2.1/clusters/list"
	clusterPath  = "/api/2.1/clusters/get"
	catalogsPath = "/api/2.1/unity-catalog/catalogs"
	schemasPath  = "/api/2.1/unity-catalog/schemas"
	accountPath  = "/api/2.0/accounts/0a/workspaces"
	usersPath    = "/api/2.0/preview/scim/v2/Users"
	projectsPath = "/api/2.0/postgres/projects"
	begunPath    = projectsPath + "/p1/operations/o1"

	red   = `{"cluster_id": "c1", "cluster_name": "<text>", "autotermination_minutes": <num>}`
	blue  = `{"cluster_id": "c2", "cluster_name": "blue", "autotermination_minutes": 20}`
	green = `{"cluster_id": "c3", "cluster_name": "green", "autotermination_minutes": 30}`

	redRow   = `{"cluster_id": "c1", "cluster_name": "<text>", "n": <num>}`
	blueRow  = `{"cluster_id": "c2", "cluster_name": "blue", "n": 20}`
	greenRow = `{"cluster_id": "c3", "cluster_name": "green", "n": 30}`

	columns = `cluster_id, cluster_name, autotermination_minutes AS n`
)

func clusters(token string, items ...string) answer {
	rest := ""
	if token != "" {
		rest = `, "next_page_token": "` + token + `"`
	}
	return answer{kind: list, key: "clusters", items: items, rest: rest, token: "next_page_token"}
}

func getCluster(id, item string) call {
	return call{method: "GET", path: clusterPath, has: "cluster_id=" + id, answer: answer{kind: object, items: []string{item}}}
}

func listClusters(host string, a answer) call {
	return call{method: "GET", path: clustersPath, host: host, answer: a}
}

func workspaces(names ...string) call {
	a := answer{kind: bare}
	for i, name := range names {
		a.items = append(a.items, `{"workspace_id": `+string(rune('1'+i))+`, "workspace_name": "`+name+`", "deployment_name": "`+name+`", "workspace_status": "RUNNING"}`)
	}
	return call{method: "GET", path: accountPath, answer: a}
}

func schemas(of string, items ...string) call {
	return call{method: "GET", path: schemasPath, has: "catalog_name=" + of, answer: answer{kind: list, key: "schemas", items: items, token: "next_page_token"}}
}

// surfaces are the statements of the matrix.
func surfaces() []*surface {
	all := append(reads(), lists()...)
	all = append(all, joins()...)
	all = append(all, everywhere()...)
	all = append(all, changes()...)
	return append(all, pipelines()...)
}

func reads() []*surface {
	return []*surface{
		{
			name:      "EXEC",
			statement: `EXEC databricks_workspace.postgres.postgres_credentials.generate @endpoint = 'projects/p/branches/b/endpoints/e'`,
			calls: []call{{method: "POST", path: "/api/2.0/postgres/credentials", answer: answer{
				kind: object, items: []string{`{"token": "<text>", "expire_time": "2030-01-01T00:00:00Z"}`},
			}}},
			right:  `[{"expire_time": "2030-01-01T00:00:00Z", "token": "<text>"}]`,
			hollow: `[{"expire_time": null, "token": null}]`,
		},
		{
			name:      "SELECT of a POST",
			statement: `SELECT token, expire_time FROM databricks_workspace.postgres.postgres_credentials WHERE endpoint = 'projects/p/branches/b/endpoints/e'`,
			calls: []call{{method: "POST", path: "/api/2.0/postgres/credentials", answer: answer{
				kind: object, items: []string{`{"token": "<text>", "expire_time": "2030-01-01T00:00:00Z"}`},
			}}},
			right:  `[{"expire_time": "2030-01-01T00:00:00Z", "token": "<text>"}]`,
			hollow: `[{"expire_time": null, "token": null}]`,
		},
		{
			name:      "EXEC without rows",
			statement: `EXEC databricks_workspace.compute.clusters.start @cluster_id = 'c1'`,
			calls:     []call{{method: "POST", path: "/api/2.1/clusters/start", answer: answer{kind: empty, items: []string{`{}`}}}},
			right:     `[]`, none: `[]`,
		},
		{
			name:      "SELECT list",
			statement: `SELECT ` + columns + ` FROM databricks_workspace.compute.clusters`,
			calls:     []call{listClusters("", clusters("", red, blue))},
			right:     `[` + redRow + `, ` + blueRow + `]`, none: `[]`,
		},
		{
			name:      "SELECT get",
			statement: `SELECT ` + columns + ` FROM databricks_workspace.compute.clusters WHERE cluster_id = 'c1'`,
			calls:     []call{getCluster("c1", red)},
			right:     `[` + redRow + `]`, none: `[]`, missing: noRow,
			hollow: `[{"cluster_id": "c1", "cluster_name": null, "n": null}]`,
		},
		{
			name:      "SELECT count",
			statement: `SELECT count(*) AS n FROM databricks_workspace.compute.clusters`,
			calls:     []call{listClusters("", clusters("", blue, green))},
			right:     `[{"n": 2}]`, none: `[{"n": 0}]`,
		},
		{
			name:      "merged pages of a get",
			statement: `SELECT job_id, json_array_length(settings, '$.tasks') AS n FROM databricks_workspace.jobs.jobs WHERE job_id = 1`,
			calls: []call{
				{method: "GET", path: "/api/2.2/jobs/get", lacks: "page_token", answer: answer{
					kind: object, items: []string{`{"job_id": 1, "settings": {"tasks": [{"task_key": "a"}]}, "next_page_token": "p2"}`},
				}},
				{method: "GET", path: "/api/2.2/jobs/get", has: "page_token=p2", answer: answer{
					kind: object, items: []string{`{"job_id": 1, "settings": {"tasks": [{"task_key": "b"}]}}`},
				}},
			},
			target: 1,
			right:  `[{"job_id": 1, "n": 2}]`, none: `[]`, missing: noRowOrError, hollow: `[{"job_id": 1, "n": 1}]`,
		},
	}
}

func lists() []*surface {
	pages := func(target int) []call {
		return []call{
			{method: "GET", path: clustersPath, lacks: "page_token", answer: clusters("p2", pick(target == 0, red, blue))},
			{method: "GET", path: clustersPath, has: "page_token=p2", answer: clusters("p3", pick(target == 1, red, green))},
			{method: "GET", path: clustersPath, has: "page_token=p3", answer: clusters("", pick(target == 2, red, `{"cluster_id": "c4", "cluster_name": "grey", "autotermination_minutes": 40}`))},
		}
	}
	const greyRow = `{"cluster_id": "c4", "cluster_name": "grey", "n": 40}`
	const statement = `SELECT ` + columns + ` FROM databricks_workspace.compute.clusters`
	return []*surface{
		{
			name: "page 1 of 3", statement: statement, calls: pages(0),
			right: `[` + redRow + `, ` + greenRow + `, ` + greyRow + `]`, none: `[]`,
		},
		{
			name: "page 2 of 3", statement: statement, calls: pages(1), target: 1,
			right: `[` + blueRow + `, ` + redRow + `, ` + greyRow + `]`, none: `[` + blueRow + `]`,
		},
		{
			name: "page 3 of 3", statement: statement, calls: pages(2), target: 2,
			right: `[` + blueRow + `, ` + greenRow + `, ` + redRow + `]`, none: `[` + blueRow + `, ` + greenRow + `]`,
		},
		{
			name:      "page 2 by position", // it says how many there are, so it cannot end before
			statement: `SELECT id, displayName FROM databricks_workspace.iam.users ORDER BY id`,
			calls: []call{
				{method: "GET", path: usersPath, has: "startIndex=1", answer: answer{
					kind: list, key: "Resources", rest: `, "startIndex": 1, "itemsPerPage": 1, "totalResults": 2`, items: []string{`{"id": "1", "displayName": "Ann"}`},
				}},
				{method: "GET", path: usersPath, has: "startIndex=2", answer: answer{
					kind: list, key: "Resources", rest: `, "startIndex": 2, "itemsPerPage": 1, "totalResults": 2`, items: []string{`{"id": "2", "displayName": "<text>"}`},
				}},
				{method: "GET", path: usersPath, has: "startIndex=3", answer: answer{
					kind: list, key: "Resources", rest: `, "startIndex": 3, "itemsPerPage": 0, "totalResults": 2`,
				}},
			},
			target: 1,
			right:  `[{"id": "1", "displayName": "Ann"}, {"id": "2", "displayName": "<text>"}]`,
		},
		{
			name:      "page 2 by next request",
			statement: `EXEC databricks_workspace.compute.clusters.events @cluster_id = 'c1'`,
			calls: []call{
				{method: "POST", path: "/api/2.1/clusters/events", lacks: "offset", answer: answer{
					kind: list, key: "events", rest: `, "next_page": {"cluster_id": "c1", "offset": 1}, "total_count": 2`,
					items: []string{`{"cluster_id": "c1", "timestamp": 1, "type": "CREATING"}`},
				}},
				{method: "POST", path: "/api/2.1/clusters/events", has: "offset", answer: answer{
					kind: list, key: "events", rest: `, "total_count": 2`, items: []string{`{"cluster_id": "c1", "timestamp": 2, "type": "<text>"}`},
				}},
			},
			target: 1,
			right: `[{"cluster_id": "c1", "data_plane_event_details": null, "details": null, "timestamp": 1, "type": "CREATING"},
				{"cluster_id": "c1", "data_plane_event_details": null, "details": null, "timestamp": 2, "type": "<text>"}]`,
		},
		{
			name:      "page 2 by number",
			statement: `SELECT id, name FROM databricks_workspace.sql.queries_legacy`,
			calls: []call{
				{method: "GET", path: "/api/2.0/preview/sql/queries", has: "page=1", answer: answer{
					kind: list, key: "results", rest: `, "page": 1, "page_size": 1, "count": 2`, items: []string{`{"id": "1", "name": "Ann"}`},
				}},
				{method: "GET", path: "/api/2.0/preview/sql/queries", has: "page=2", answer: answer{
					kind: list, key: "results", rest: `, "page": 2, "page_size": 1, "count": 2`, items: []string{`{"id": "2", "name": "<text>"}`},
				}},
				{method: "GET", path: "/api/2.0/preview/sql/queries", has: "page=3", answer: answer{
					kind: list, key: "results", rest: `, "page": 3, "page_size": 1, "count": 2`,
				}},
			},
			target: 1,
			right:  `[{"id": "1", "name": "Ann"}, {"id": "2", "name": "<text>"}]`,
		},
	}
}

func pick(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}

func joins() []*surface {
	const ofCatalogs = `SELECT c.name AS catalog, s.name FROM databricks_workspace.catalog.catalogs c JOIN databricks_workspace.catalog.schemas s ON s.catalog_name = c.name ORDER BY 1, 2`
	catalogs := call{method: "GET", path: catalogsPath, answer: answer{kind: list, key: "catalogs", items: []string{`{"name": "main"}`, `{"name": "dev"}`}, token: "next_page_token"}}
	const main, dev = `{"name": "a", "catalog_name": "main"}`, `{"name": "<text>", "catalog_name": "dev"}`
	return []*surface{
		{
			name: "outer call of a join", statement: ofCatalogs,
			calls: []call{catalogs, schemas("main", main), schemas("dev", `{"name": "b", "catalog_name": "dev"}`)},
			right: `[{"catalog": "dev", "name": "b"}, {"catalog": "main", "name": "a"}]`, none: `[]`,
		},
		{
			name: "inner list of a join", statement: ofCatalogs,
			calls: []call{catalogs, schemas("main", main), schemas("dev", dev)}, target: 2,
			right: `[{"catalog": "dev", "name": "<text>"}, {"catalog": "main", "name": "a"}]`, none: `[{"catalog": "main", "name": "a"}]`, missing: noRowOrError,
		},
		{
			name:      "inner get of a join",
			statement: `SELECT j.job_id, c.cluster_name AS n FROM databricks_workspace.jobs.jobs j JOIN databricks_workspace.compute.clusters c ON c.cluster_id = j.creator_user_name ORDER BY 1`,
			calls: []call{
				{method: "GET", path: "/api/2.2/jobs/list", answer: answer{kind: list, key: "jobs", token: "next_page_token", items: []string{
					`{"job_id": 1, "creator_user_name": "c1"}`, `{"job_id": 2, "creator_user_name": "c2"}`,
				}}},
				getCluster("c1", red),
				getCluster("c2", blue),
			},
			target: 1,
			right:  `[{"job_id": 1, "n": "<text>"}, {"job_id": 2, "n": "blue"}]`, none: `[{"job_id": 2, "n": "blue"}]`, missing: noRow,
			hollow: `[{"job_id": 1, "n": null}, {"job_id": 2, "n": "blue"}]`,
		},
		{
			name:      "IN list",
			statement: `SELECT ` + columns + ` FROM databricks_workspace.compute.clusters WHERE cluster_id IN ('c1', 'c2', 'c3') ORDER BY 1`,
			calls:     []call{getCluster("c1", red), getCluster("c2", blue), getCluster("c3", green)},
			right:     `[` + redRow + `, ` + blueRow + `, ` + greenRow + `]`, none: `[` + blueRow + `, ` + greenRow + `]`, missing: noRow,
			hollow: `[{"cluster_id": "c1", "cluster_name": null, "n": null}, ` + blueRow + `, ` + greenRow + `]`,
		},
		{
			name:      "IN list, partial",
			statement: `SELECT ` + columns + ` FROM databricks_workspace.compute.clusters WHERE cluster_id IN ('c1', 'c2', 'c3') ORDER BY 1`,
			flags:     []string{"--on-error", "partial"},
			calls:     []call{getCluster("c1", red), getCluster("c2", blue), getCluster("c3", green)},
			right:     `[` + redRow + `, ` + blueRow + `, ` + greenRow + `]`, none: `[` + blueRow + `, ` + greenRow + `]`, missing: noRow, partial: true,
			hollow: `[{"cluster_id": "c1", "cluster_name": null, "n": null}, ` + blueRow + `, ` + greenRow + `]`,
		},
	}
}

const (
	redOfA  = `{"deployment_name": "wa", "cluster_name": "<text>", "n": <num>}`
	blueOfB = `{"deployment_name": "wb", "cluster_name": "blue", "n": 20}`
)

func everywhere() []*surface {
	const of = `SELECT deployment_name, cluster_name, autotermination_minutes AS n FROM databricks_workspace.compute.clusters WHERE deployment_name `
	return []*surface{
		{
			name: "several workspaces", statement: of + `IN ('wa', 'wb') ORDER BY 1`,
			calls: []call{listClusters("wa", clusters("", red)), listClusters("wb", clusters("", blue))},
			right: `[` + redOfA + `, ` + blueOfB + `]`, none: `[` + blueOfB + `]`,
		},
		{
			name: "'*': the account", statement: of + `= '*' ORDER BY 1`, account: true,
			calls: []call{workspaces("wa", "wb"), listClusters("wa", clusters("", `{"cluster_name": "red", "autotermination_minutes": 7}`)), listClusters("wb", clusters("", blue))},
			right: `[{"deployment_name": "wa", "cluster_name": "red", "n": 7}, ` + blueOfB + `]`, none: `[]`,
		},
		{
			name: "'*': a workspace", statement: of + `= '*' ORDER BY 1`, account: true,
			calls: []call{workspaces("wa", "wb"), listClusters("wa", clusters("", red)), listClusters("wb", clusters("", blue))}, target: 1,
			right: `[` + redOfA + `, ` + blueOfB + `]`, none: `[` + blueOfB + `]`,
		},
	}
}

func changes() []*surface {
	const table = `databricks_workspace.catalog.catalogs`
	catalog := func(method, path, has, name string) call {
		return call{method: method, path: path, has: has, answer: answer{kind: object, items: []string{`{"name": "` + name + `", "owner": "<text>"}`}}}
	}
	begun := call{method: "POST", path: projectsPath, answer: answer{kind: operation, items: []string{`{"name": "projects/p1/operations/o1", "done": false}`}}}
	done := call{method: "GET", path: begunPath, answer: answer{kind: poll, items: []string{
		`{"name": "projects/p1/operations/o1", "done": true, "response": {"name": "projects/p1", "uid": "<text>"}}`,
	}}}
	const awaited = `INSERT /*+ AWAIT */ INTO databricks_workspace.postgres.postgres_projects (project_id) SELECT 'p1' RETURNING name, uid`
	return []*surface{
		{
			name: "INSERT", statement: `INSERT INTO ` + table + ` (name) SELECT 'x'`,
			calls: []call{catalog("POST", catalogsPath, `"x"`, "x")}, right: `[]`, hollow: `[]`,
		},
		{
			name: "INSERT RETURNING", statement: `INSERT INTO ` + table + ` (name) SELECT 'x' RETURNING name, owner`,
			calls: []call{catalog("POST", catalogsPath, `"x"`, "x")}, right: `[{"name": "x", "owner": "<text>"}]`, hollow: `[{"name": null, "owner": null}]`,
		},
		{
			name: "INSERT, row 2 of 3", statement: `INSERT INTO ` + table + ` (name) VALUES ('x'), ('y'), ('z') RETURNING name, owner`,
			calls: []call{
				{method: "POST", path: catalogsPath, has: `"x"`, answer: answer{kind: object, items: []string{`{"name": "x", "owner": "ann"}`}}},
				catalog("POST", catalogsPath, `"y"`, "y"),
				{method: "POST", path: catalogsPath, has: `"z"`, answer: answer{kind: object, items: []string{`{"name": "z", "owner": "ann"}`}}},
			},
			target: 1,
			right:  `[{"name": "x", "owner": "ann"}, {"name": "y", "owner": "<text>"}, {"name": "z", "owner": "ann"}]`,
			hollow: `[{"name": "x", "owner": "ann"}, {"name": null, "owner": null}, {"name": "z", "owner": "ann"}]`,
		},
		{
			name: "UPDATE", statement: `UPDATE ` + table + ` SET comment = 'x' WHERE name = 'x'`,
			calls: []call{catalog("PATCH", catalogsPath+"/x", "", "x")}, right: `[]`, hollow: `[]`,
		},
		{
			name: "DELETE", statement: `DELETE FROM ` + table + ` WHERE name = 'x'`,
			calls: []call{{method: "DELETE", path: catalogsPath + "/x", answer: answer{kind: empty, items: []string{`{}`}}}}, right: `[]`, none: `[]`,
		},
		{name: "AWAIT", statement: awaited, calls: []call{begun, done}, right: `[{"name": "projects/p1", "uid": "red"}]`},
		{name: "AWAIT, poll", statement: awaited, calls: []call{begun, done}, target: 1, once: true, right: `[{"name": "projects/p1", "uid": "<text>"}]`},
	}
}

// bluesRow is a row of a pipeline's workspace that no fault hits.
const bluesRow = `{"deployment_name": "wb", "cluster_id": "c2", "cluster_name": "blue", "n": 20, "stale": false, "failed": 0}`

func pipelines() []*surface {
	const statement = `SELECT cluster_id, cluster_name, autotermination_minutes AS n FROM databricks_workspace.compute.clusters`
	const newRow = `{"deployment_name": "wa", "cluster_id": "c1", "cluster_name": "<text>", "n": <num>, "stale": false, "failed": 0}`
	return []*surface{
		{
			name: "pipeline: a workspace", statement: statement, pipeline: true, account: true,
			calls: []call{listClusters("wa", clusters("", red)), workspaces("wa", "wb"), listClusters("wb", clusters("", blue))},
			right: `[` + newRow + `, ` + bluesRow + `]`, none: `[` + bluesRow + `]`,
		},
		{
			name: "pipeline: the account", statement: statement, pipeline: true, planned: true, account: true,
			calls: []call{workspaces("wa", "wb"), listClusters("wa", clusters("", red)), listClusters("wb", clusters("", blue))},
			right: `[` + newRow + `, ` + bluesRow + `]`,
		},
	}
}

// before are the rows that a pipeline holds from its last run, and keeps where the run after it fails: marked
// stale.
func (s *surface) before() string {
	rows := s.unmarked()
	if !s.planned {
		rows, _, _ = strings.Cut(rows, `, {"deployment_name": "wb"`)
	}
	rows = strings.NewReplacer(`"stale": false`, `"stale": true`, `"failed": 0`, `"failed": 1`).Replace(rows)
	if !s.planned {
		rows += `, ` + bluesRow + `]`
	}
	return rows
}

// unmarked are the same rows where the run was interrupted: it is not over, and the next one resumes it.
func (s *surface) unmarked() string {
	return `[{"deployment_name": "wa", "cluster_id": "c1", "cluster_name": "old", "n": 1, "stale": false, "failed": 0}, ` + bluesRow + `]`
}
