package mcp

import (
	"context"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/lakeql/lakeql/provider"
)

// inventory is a prompt: a question with the queries that answer it.
type inventory struct {
	name, title, description string
	ask                      string // what to make of the rows
	queries                  []string
}

// Marks in the queries stand for conditions on the workspace, which fall away without one: [where p] and [and p]
// choose it, and [b=p] joins within it.
func inventories() []inventory {
	return []inventory{
		{
			name: "lakebase_inventory", title: "Lakebase inventory", description: "Lakebase projects, their branches and endpoints.",
			ask: "Report the projects with their branches and endpoints. Point out branches without an endpoint, protected branches, endpoints that do not scale to zero, and branches that expire soon.",
			queries: []string{
				`SELECT p.name AS project, p.status ->> 'display_name' AS display_name, p.status ->> 'pg_version' AS pg_version, p.status ->> 'owner' AS owner, p.create_time
FROM databricks_workspace.postgres.postgres_projects p[where p]
ORDER BY p.name`,
				`SELECT p.name AS project, b.name AS branch, b.status ->> 'current_state' AS state, b.status ->> 'is_protected' AS is_protected, b.status ->> 'expire_time' AS expire_time
FROM databricks_workspace.postgres.postgres_projects p
JOIN databricks_workspace.postgres.postgres_branches b ON b.parent = p.name[b=p][where p]
ORDER BY b.name`,
				`SELECT e.name AS endpoint, e.status ->> 'endpoint_type' AS type, e.status ->> 'current_state' AS state, e.status ->> 'autoscaling_limit_min_cu' AS min_cu,
  e.status ->> 'autoscaling_limit_max_cu' AS max_cu, e.status ->> 'suspend_timeout_duration' AS suspend_timeout, e.status ->> '$.hosts.host' AS host
FROM databricks_workspace.postgres.postgres_projects p
JOIN databricks_workspace.postgres.postgres_branches b ON b.parent = p.name[b=p]
JOIN databricks_workspace.postgres.postgres_endpoints e ON e.parent = b.name[e=b][where p]
ORDER BY e.name`,
			},
		},
		{
			name: "compute_inventory", title: "Compute inventory", description: "Clusters and SQL warehouses: states, sizes, idle times.",
			ask: "Report the clusters and warehouses by state. Point out those that run and never stop by themselves, clusters without a policy, and old runtimes.",
			queries: []string{
				`SELECT c.state, c.cluster_source, count(*) AS clusters
FROM databricks_workspace.compute.clusters c[where c]
GROUP BY 1, 2 ORDER BY 3 DESC`,
				`SELECT c.cluster_id, c.cluster_name, c.state, c.creator_user_name, c.spark_version, c.node_type_id, c.num_workers, c.autotermination_minutes, c.policy_id
FROM databricks_workspace.compute.clusters c
WHERE c."filter_by.cluster_sources" = '["UI", "API"]'[and c]
ORDER BY c.cluster_name`,
				`SELECT w.name, w.state, w.warehouse_type, w.cluster_size, w.min_num_clusters, w.max_num_clusters, w.auto_stop_mins, w.enable_serverless_compute, w.creator_name
FROM databricks_workspace.sql.warehouses w[where w]
ORDER BY w.name`,
			},
		},
		{
			name: "jobs_inventory", title: "Jobs inventory", description: "Jobs, what starts them, and runs that failed.",
			ask: "Report how many jobs there are, what starts them, and which are paused. Point out failed runs, and jobs that tell nobody of a failure.",
			queries: []string{
				`SELECT CASE WHEN j.settings ->> 'schedule' IS NOT NULL THEN 'schedule' WHEN j.settings ->> 'continuous' IS NOT NULL THEN 'continuous'
  WHEN j.settings ->> 'trigger' IS NOT NULL THEN 'trigger' ELSE 'none' END AS started_by,
  coalesce(j.settings ->> '$.schedule.pause_status', j.settings ->> '$.continuous.pause_status', j.settings ->> '$.trigger.pause_status') AS pause_status, count(*) AS jobs
FROM databricks_workspace.jobs.jobs j[where j]
GROUP BY 1, 2 ORDER BY 3 DESC`,
				`SELECT j.job_id, j.settings ->> 'name' AS name, j.creator_user_name, j.settings ->> '$.schedule.quartz_cron_expression' AS cron
FROM databricks_workspace.jobs.jobs j
WHERE j.settings -> '$.email_notifications.on_failure' IS NULL AND j.settings -> '$.webhook_notifications.on_failure' IS NULL[and j]
ORDER BY j.job_id`,
				`SELECT r.job_id, r.run_id, r.run_name, r.status ->> '$.termination_details.code' AS code, r.start_time, r.run_page_url
FROM databricks_workspace.jobs.job_runs r
WHERE r.completed_only = true AND r.status ->> '$.termination_details.code' <> 'SUCCESS'[and r]
ORDER BY r.start_time DESC LIMIT 50`,
			},
		},
		{
			name: "data_inventory", title: "Unity Catalog inventory", description: "Catalogs, schemas and tables of Unity Catalog, with their owners.",
			ask: "Report the catalogs with the number of schemas and tables, by owner and kind. Point out catalogs without an isolation of their own, and owners who are single users.",
			queries: []string{
				`SELECT c.name, c.catalog_type, c.isolation_mode, c.owner, c.comment
FROM databricks_workspace.catalog.catalogs c[where c]
ORDER BY c.name`,
				`SELECT c.name AS catalog, s.owner, count(*) AS schemas
FROM databricks_workspace.catalog.catalogs c
JOIN databricks_workspace.catalog.schemas s ON s.catalog_name = c.name[s=c]
WHERE coalesce(c.catalog_type, '') NOT IN ('SYSTEM_CATALOG', 'INTERNAL_CATALOG', 'DELTASHARING_CATALOG', 'FOREIGN_CATALOG')[and c]
GROUP BY 1, 2 ORDER BY 1, 2`,
				`SELECT t.catalog_name, t.schema_name, t.table_type, t.data_source_format, count(*) AS tables
FROM databricks_workspace.catalog.catalogs c
JOIN databricks_workspace.catalog.schemas s ON s.catalog_name = c.name[s=c]
JOIN databricks_workspace.catalog.tables t ON t.catalog_name = s.catalog_name AND t.schema_name = s.name[t=s]
WHERE coalesce(c.catalog_type, '') NOT IN ('SYSTEM_CATALOG', 'INTERNAL_CATALOG', 'DELTASHARING_CATALOG', 'FOREIGN_CATALOG')
  AND s.name <> 'information_schema' AND t.omit_columns = true AND t.omit_properties = true[and c]
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`,
			},
		},
		{
			name: "access_inventory", title: "Access inventory", description: "Users, groups, service principals, and personal access tokens.",
			ask: "Report the users, groups and service principals. Point out users that are not active, admins, groups without members, and tokens that never expire or are about to.",
			queries: []string{
				`SELECT u.userName AS user_name, u.displayName AS display_name, u.active,
  (SELECT group_concat(g.value ->> 'display', ', ') FROM json_each(u.groups) g) AS groups
FROM databricks_workspace.iam.users u[where u]
ORDER BY 1`,
				`SELECT g.displayName AS display_name, g.meta ->> 'resourceType' AS kind, coalesce(json_array_length(g.members), 0) AS members
FROM databricks_workspace.iam.groups g[where g]
ORDER BY 1`,
				`SELECT s.applicationId AS application_id, s.displayName AS display_name, s.active
FROM databricks_workspace.iam.service_principals s[where s]
ORDER BY 2`,
				`SELECT t.created_by_username, t.comment, t.creation_time, CASE WHEN t.expiry_time > 0 THEN datetime(t.expiry_time / 1000, 'unixepoch') END AS expires
FROM databricks_workspace.settings.token_management t[where t]
ORDER BY t.expiry_time`,
			},
		},
	}
}

// addPrompts adds the prompts.
func (s *Server) addPrompts() {
	for _, i := range inventories() {
		s.server.AddPrompt(&sdk.Prompt{
			Name: i.name, Title: i.title, Description: i.description,
			Arguments: []*sdk.PromptArgument{{Name: "deployment_name", Description: "the workspace: the first label of its host, the whole host, or * for all of the account; the configured one if absent"}},
		}, func(_ context.Context, req *sdk.GetPromptRequest) (*sdk.GetPromptResult, error) {
			query, check := s.names()
			text, err := i.text(strings.TrimSpace(req.Params.Arguments["deployment_name"]), query, check)
			if err != nil {
				return nil, err
			}
			return &sdk.GetPromptResult{Description: i.description, Messages: []*sdk.PromptMessage{{Role: "user", Content: &sdk.TextContent{Text: text}}}}, nil
		})
	}
}

// names are the listed names of the tools that run and explain a query.
func (s *Server) names() (query, check string) {
	if s.options.StackQLNames {
		return "run_select_query", "validate_select_query"
	}
	return "query", "explain"
}

// text is the prompt for a workspace; empty: the configured one.
func (i inventory) text(workspace, query, check string) (string, error) {
	if strings.Trim(workspace, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-*") != "" || len(workspace) > 253 {
		return "", provider.Usagef("deployment_name: %s is no workspace", provider.Quote(workspace)).Hintf("give the first label of its host, the whole host, or *")
	}
	var b strings.Builder
	b.WriteString(i.title + " of ")
	switch workspace {
	case "":
		b.WriteString("the configured workspace.")
	case "*":
		b.WriteString("all workspaces of the account. Call " + check + " first: there is a call for each workspace.")
	default:
		b.WriteString("the workspace " + workspace + ".")
	}
	b.WriteString(" Run these queries with " + query + ", and adapt them where needed:\n")
	for _, q := range i.queries {
		b.WriteString("\n```sql\n" + within(q, workspace) + "\n```\n")
	}
	b.WriteString("\n" + i.ask + " If an answer is not complete, say so, and say what is missing.\n")
	return b.String(), nil
}

// within puts the conditions on the workspace in place of the marks of a query.
func within(query, workspace string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(query, "[")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		mark, after, _ := strings.Cut(rest, "]")
		query = after
		left, right, joins := strings.Cut(mark, "=")
		word, table, _ := strings.Cut(mark, " ")
		switch {
		case word != "where" && word != "and" && !joins: // a list of JSON
			b.WriteString("[" + mark + "]")
		case workspace == "":
		case joins:
			b.WriteString(" AND " + left + ".deployment_name = " + right + ".deployment_name")
		case word == "where":
			b.WriteString("\nWHERE " + table + ".deployment_name = '" + workspace + "'")
		default:
			b.WriteString(" AND " + table + ".deployment_name = '" + workspace + "'")
		}
	}
}
