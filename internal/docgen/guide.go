package docgen

import (
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// guideFolder is where the guide stands, beside the provider's page.
const guideFolder = "guide"

// guideLink leads from a page to the guide.
const guideLink = "The [guide](/guide/) tells how to log in, say where a statement goes, write parameters, read errors, and what becomes of long lists and long-running operations.\n\n"

// guideText is the page that tells once what holds for every resource of a provider.
func guideText(p *provider.Provider) string {
	var b strings.Builder
	writeFrontMatter(&b, p.Name, "Guide", p.Name, "guide", "stackql")
	b.WriteString("\nWhat holds for every resource of <code>" + p.Name + "</code>.\n\n")
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

// hasWorkspaces reports whether a provider's calls go to workspaces. Those of an account go to the
// account's one host.
func hasWorkspaces(p *provider.Provider) bool { return !strings.HasSuffix(p.Name, "_account") }

const guideWorkspaces = "## Workspaces\n\n" +
	"`deployment_name` says which workspace a statement is for:\n\n" +
	"| value | workspace |\n|---|---|\n" +
	"| `dbc-abcd0123-a1bc` | the first part of a host: that of the configured host or of a profile that begins with it, or else a workspace on AWS |\n" +
	"| `adb-1234567890123456.7.azuredatabricks.net` | a whole host, on any cloud |\n" +
	"| none | the configured host: `--host`, `--profile` or `DATABRICKS_HOST` |\n\n" +
	"Anything that is not one DNS label or a host under a domain of Databricks is refused before a credential is looked for. " +
	"Statements for StackQL always have a `deployment_name`, so the examples have it, too.\n\n"

const guideAccount = "## Account\n\n" +
	"Calls go to the account's API. It is at the configured host if that is an account console, or else at the console of the cloud " +
	"that the configured workspace is on, or else at `accounts.cloud.databricks.com`.\n\n" +
	"`account_id` may be left out where it is configured: `DATABRICKS_ACCOUNT_ID`, or `account_id` in the profile.\n\n" +
	"A workspace's own token does not open the account's API: use a service principal of the account, or the login of someone who administers it.\n\n"

const guideParameters = "## Parameters\n\n" +
	"The examples have `{{ name }}` where a value goes. Write the value in its place, or leave the statement in a file and give values on the command line:\n\n" +
	"```bash\nlakeql exec -i statement.sql --var deployment_name=dbc-abcd0123-a1bc --var name=shop\n```\n\n" +
	"- Text stands between single quotes; a quote inside it is written twice. Numbers, `true` and `false` stand without quotes.\n" +
	"- Lists and objects are JSON: between single quotes as the value of a column or parameter, and as they are inside `@@json`.\n" +
	"- `@@json` is the request body of `EXEC`. Its attributes may also be given as `@name`, beside it or in place of it.\n" +
	"- Every method runs by its name with `EXEC`, the ones that other statements reach as well.\n" +
	"- Columns named like words of SQL, or with dots, stand between double quotes: `\"order\"`, `\"filter_by.name\"`.\n" +
	"- An attribute that is `null` counts as left out; an `UPDATE` clears it, where the method has an update mask.\n\n" +
	"A statement is checked whole before anything is sent: names, types, values to choose from, required attributes. " +
	"`--dryrun` shows the requests and sends none. `DESCRIBE METHOD provider.service.resource.method` shows what a method takes and gives.\n\n"

const guideNames = "### Ids and resource names\n\n" +
	"Many operations name a resource by ids, each a parameter. The API itself answers with resource names, which are the same ids in one text. Either will do:\n\n" +
	"```sql\nSELECT\nname,\nstatus\nFROM databricks_workspace.postgres.postgres_databases\n" +
	"WHERE project_id = 'shop'\nAND branch_id = 'production'\n;\n```\n\n" +
	"```sql\nSELECT\nname,\nstatus\nFROM databricks_workspace.postgres.postgres_databases\n" +
	"WHERE parent = 'projects/shop/branches/production'\n;\n```\n\n" +
	"`name` is the resource itself, `parent` what holds it; the tables of parameters say which a resource takes.\n\n"

const guideWrites = "## Writes\n\n" +
	"`INSERT`, `REPLACE`, `UPDATE` and `DELETE` make a call for each row: of `VALUES` or a `SELECT`, or for each resource that `WHERE` names. " +
	"All rows are read and checked before the first call. Calls run at once where rows do not depend on each other. " +
	"After one that fails no further one begins, and the error says how many were done.\n\n" +
	"- The `WHERE` of an `UPDATE` or `DELETE` gives all that tells one resource from others, by `=`, by `IN` or from a `SELECT`. Without that nothing is sent.\n" +
	"- `SET` takes an attribute as JSON or a part of it: `SET \"spec.ttl\" = '3600s'`. The update mask lists what is set, down to such parts, unless the statement gives the mask. " +
	"What is set to `NULL` is cleared; methods without an update mask cannot do that, and it is refused.\n" +
	"- `RETURNING` reads what the calls answered. Without it there are no rows.\n\n"

const guideErrors = "## Errors\n\n" +
	"Rows go to standard output and nothing else does; errors go to standard error. An error says what failed and where: line and column in the statement, " +
	"or the API's error code, the HTTP method, URL, status and request id of the call. The exit status says what kind it was:\n\n" +
	"| status | meaning |\n|---|---|\n" +
	"| 0 | done, and all rows were given |\n" +
	"| 1 | a statement failed: the API answered with an error, or not at all |\n" +
	"| 2 | the command or a statement is wrong |\n" +
	"| 3 | part of the rows, as was asked for |\n" +
	"| 4 | no credential, one that is not accepted, or one that may not do this |\n\n" +
	"A failed call is never an empty result. The one exception is a `SELECT` of a single resource that does not exist: it has no rows.\n\n" +
	"Calls that the API turns away for now (HTTP 429 and 503) are sent again after the time that it asks for, for up to five minutes; `--retry-timeout` sets another limit. " +
	"A broken connection is tried again where that cannot do the same work twice.\n\n"

const guideLists = "## Long lists\n\n" +
	"A list that comes in pages is read to its end, page after page, while its rows are shown. So the examples leave page tokens and page sizes out. " +
	"A `LIMIT` stops at the page that has the last row wanted. A page that fails, or a token that comes twice, is an error, not the end.\n\n"

const guideOperations = "## Long-running operations\n\n" +
	"A statement is done when the API has answered. Some answers say that work goes on:\n\n" +
	"- Lakebase answers with an operation: `name`, `done`, and in the end `response` or `error`. Ask for it by its name until `done` is true:\n\n" +
	"```sql\nSELECT\nname,\ndone,\nerror,\nresponse\nFROM databricks_workspace.postgres.postgres_operations\n" +
	"WHERE name = 'projects/shop/operations/0123'\n;\n```\n\n" +
	"- Clusters, warehouses, endpoints, runs and pipelines have a state of their own. Ask for the resource until it has the state that you want:\n\n" +
	"```sql\nSELECT\nid,\nname,\nstate\nFROM databricks_workspace.sql.warehouses\nWHERE id = '0123456789abcdef'\n;\n```\n\n" +
	"The hint `/*+ AWAIT */` behind the first word of `EXEC`, `INSERT`, `UPDATE`, `REPLACE` or `DELETE` waits until the work is done. " +
	"The rows, and what `RETURNING` reads, are then those of the resulting resource; work that fails is an error. " +
	"Waiting that ends early leaves the work going on, and the error has the statement that looks at it. Where a method begins no such work, the hint changes nothing.\n\n"

const guideSecrets = "## Secrets\n\n" +
	"Passwords and tokens that the API gives are values in rows and nowhere else: `--dryrun`, logs, errors and the prompt's history show `****`.\n"
