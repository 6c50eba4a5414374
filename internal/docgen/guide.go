package docgen

import (
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// guideFolder is the folder of the guide, beside the provider's page.
const guideFolder = "guide"

// guideLink leads from a page to the guide.
const guideLink = "The [guide](/guide/) covers authentication, parameters, writes, errors, long lists, and secrets.\n\n"

// guideText is the page with the rules that all resources of a provider share.
func guideText(p *provider.Provider) string {
	var b strings.Builder
	writeFrontMatter(&b, p.Name, frontWord, "Guide", p.Name, "guide", "stackql")
	b.WriteString("\nThese rules hold for every resource of <code>" + p.Name + "</code>.\n\n")
	b.WriteString(authentication)
	if hasWorkspaces(p) {
		b.WriteString(guideWorkspaces)
	} else {
		b.WriteString(guideAccount)
	}
	b.WriteString(guideParameters)
	if hasWorkspaces(p) {
		b.WriteString(guideNames)
	}
	b.WriteString(guideWrites)
	b.WriteString(guideErrors)
	b.WriteString(guideLists)
	if hasWorkspaces(p) {
		b.WriteString(guideOperations)
	}
	b.WriteString(guideSecrets)
	return b.String()
}

// hasWorkspaces reports whether a provider's calls go to workspaces. Calls of an account go to the only
// host of the account.
func hasWorkspaces(p *provider.Provider) bool { return !strings.HasSuffix(p.Name, "_account") }

const guideWorkspaces = "## Workspaces\n\n" +
	"`deployment_name` selects the workspace of a statement:\n\n" +
	"| value | workspace |\n" +
	"|---|---|\n" +
	"| `dbc-abcd0123-a1bc` | the first label of a host: the configured host or a profile's host that has this label, otherwise a host on AWS |\n" +
	"| `adb-1234567890123456.7.azuredatabricks.net` | a whole host, on any cloud |\n" +
	"| omitted | the configured host: `--host`, `--profile`, or `DATABRICKS_HOST` |\n\n" +
	"lakeql rejects every value that is neither one DNS label nor a host under a Databricks domain,\n" +
	"before it looks for a credential. StackQL requires `deployment_name`, so the examples include it.\n\n"

const guideAccount = "## Account\n\n" +
	"Calls go to the account's API. Its host is the configured host if that is an account console.\n" +
	"Otherwise it is the account console of the configured workspace's cloud, or\n" +
	"`accounts.cloud.databricks.com` without a configured workspace.\n\n" +
	"Omit `account_id` if it is configured: `DATABRICKS_ACCOUNT_ID`, or `account_id` in the profile.\n\n" +
	"The account's API does not accept a workspace's token. Use a service principal of the account, or\n" +
	"the login of an account administrator.\n\n"

const guideParameters = "## Parameters\n\n" +
	"The examples contain placeholders: `{{ name }}`. Replace each with a value, or keep the statement in\n" +
	"a file and supply the values on the command line:\n\n" +
	"```bash\n" +
	"lakeql exec -i statement.sql --var deployment_name=dbc-abcd0123-a1bc --var name=shop\n" +
	"```\n\n" +
	"- Enclose text in single quotes, and double each quote inside it. Write numbers, `true`, and `false`\n" +
	"  without quotes.\n" +
	"- Write arrays and objects as JSON: in single quotes as the value of a column or parameter, without\n" +
	"  quotes inside `@@json`.\n" +
	"- `@@json` is the request body of `EXEC`. Supply its attributes as `@name` instead, or in addition.\n" +
	"- `EXEC` runs every method by its name, including the methods of `SELECT`, `INSERT`, `UPDATE`,\n" +
	"  `REPLACE`, and `DELETE`.\n" +
	"- Enclose column names that are SQL keywords or contain dots in double quotes: `\"order\"`,\n" +
	"  `\"filter_by.name\"`.\n" +
	"- An attribute that is `null` counts as omitted. In an `UPDATE`, `null` clears the attribute if the\n" +
	"  method has an update mask.\n\n" +
	"lakeql checks the whole statement before it sends a request: names, types, enum values, and required\n" +
	"attributes. `--dryrun` prints the requests and sends none.\n" +
	"`DESCRIBE METHOD provider.service.resource.method` lists the parameters and response columns of a\n" +
	"method.\n\n"

const guideNames = "### Ids and resource names\n\n" +
	"Many operations identify a resource by ids, each a parameter. API responses contain resource names,\n" +
	"which combine the same ids in one text. Use either form:\n\n" +
	"```sql\n" +
	"SELECT\n" +
	"name,\n" +
	"status\n" +
	"FROM databricks_workspace.postgres.postgres_databases\n" +
	"WHERE project_id = 'shop'\n" +
	"AND branch_id = 'production'\n" +
	";\n" +
	"```\n\n" +
	"```sql\n" +
	"SELECT\n" +
	"name,\n" +
	"status\n" +
	"FROM databricks_workspace.postgres.postgres_databases\n" +
	"WHERE parent = 'projects/shop/branches/production'\n" +
	";\n" +
	"```\n\n" +
	"`name` identifies the resource itself. `parent` identifies the resource that contains it. The\n" +
	"parameter tables list which of them a resource accepts.\n\n"

const guideWrites = "## Writes\n\n" +
	"`INSERT`, `REPLACE`, `UPDATE`, and `DELETE` send one call for each row: each row of `VALUES` or of a\n" +
	"`SELECT`, or each resource that `WHERE` identifies. lakeql reads and checks all rows before the\n" +
	"first call. Calls run concurrently if their rows do not depend on each other. After a failed call,\n" +
	"lakeql starts no further call, and the error reports the number of finished calls.\n\n" +
	"- Each row of an `UPDATE` or `DELETE` must identify exactly one resource, with `=`, `IN`, or a\n" +
	"  subquery in `WHERE`; otherwise lakeql rejects the statement.\n" +
	"- `SET` changes an attribute, given as JSON, or a part of it: `SET \"spec.ttl\" = '3600s'`. The update\n" +
	"  mask lists these attributes and parts, unless the statement supplies a mask. `NULL` clears an\n" +
	"  attribute; lakeql rejects it if the method has no update mask.\n" +
	"- `RETURNING` returns columns of the responses. Without it, a write returns no rows.\n\n"

const guideErrors = "## Errors\n\n" +
	"Rows go to standard output. Errors go to standard error. An error names the cause and the place: the\n" +
	"line and column of the statement, or the API's error code with the HTTP method, URL, status, and\n" +
	"request id of the call. The exit status classifies the error:\n\n" +
	"| status | meaning |\n" +
	"|---|---|\n" +
	"| 0 | The statements succeeded, and all rows were returned. |\n" +
	"| 1 | A statement failed: the API returned an error or did not answer. |\n" +
	"| 2 | The command line or a statement is wrong. |\n" +
	"| 3 | The result is partial, as requested. |\n" +
	"| 4 | The credential is missing, invalid, or lacks a permission. |\n\n" +
	"A failed call never returns an empty result. There is one exception: a `SELECT` of a single resource\n" +
	"that does not exist returns no rows.\n\n" +
	"lakeql retries a call after HTTP status 429 or 503. It waits as long as the API requests, and stops\n" +
	"after five minutes or the time of `--retry-timeout`. It retries a broken connection only if that\n" +
	"cannot repeat a change.\n\n"

const guideLists = "## Long lists\n\n" +
	"lakeql reads all pages of a list, and prints rows while it reads. The examples therefore omit page\n" +
	"tokens and page sizes. `LIMIT` stops at the page with the last requested row. A failed page and a\n" +
	"repeated page token are errors.\n\n"

const guideOperations = "## Long-running operations\n\n" +
	"A statement ends when the API responds. Some responses start an operation that continues:\n\n" +
	"- Lakebase returns an operation with `name`, `done`, and finally `response` or `error`. Query it by\n" +
	"  name until `done` is true:\n\n" +
	"```sql\n" +
	"SELECT\n" +
	"name,\n" +
	"done,\n" +
	"error,\n" +
	"response\n" +
	"FROM databricks_workspace.postgres.postgres_operations\n" +
	"WHERE name = 'projects/shop/operations/0123'\n" +
	";\n" +
	"```\n\n" +
	"- Clusters, warehouses, endpoints, runs, and pipelines have a state. Query the resource until it\n" +
	"  reaches the expected state:\n\n" +
	"```sql\n" +
	"SELECT\n" +
	"id,\n" +
	"name,\n" +
	"state\n" +
	"FROM databricks_workspace.sql.warehouses\n" +
	"WHERE id = '0123456789abcdef'\n" +
	";\n" +
	"```\n\n" +
	"The hint `/*+ AWAIT */` after the first word of `EXEC`, `INSERT`, `UPDATE`, `REPLACE`, or `DELETE`\n" +
	"waits until the operation finishes. The rows, and the columns of `RETURNING`, then show the\n" +
	"resulting resource. A failed operation is an error. If the wait ends early, the operation continues,\n" +
	"and the error contains the statement that queries it. The hint has no effect on a method that starts\n" +
	"no operation.\n\n"

const guideSecrets = "## Secrets\n\n" +
	"Passwords and tokens of API responses appear only as values in rows. `--dryrun`, logs, errors, and\n" +
	"the prompt's history show `****`.\n"
