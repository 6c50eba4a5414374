package documents

import (
	"slices"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// Path is the path of a method without its version, account and names of parameters, such as
// /apps/{}/deployments. The account's paths begin with @. Paths that lead to the same resources are
// one.
func Path(m *provider.Method) string {
	var b strings.Builder
	if IsAccount(m) {
		b.WriteByte('@')
	}
	for _, s := range segmentsOf(m) {
		b.WriteByte('/')
		if literal, rest, isParam := strings.Cut(s, "{"); isParam {
			b.WriteString(literal + "{}")
			if _, suffix, _ := strings.Cut(rest, "}"); suffix != "" { // {index}:query is no {index}
				b.WriteString("/" + suffix)
			}
		} else {
			b.WriteString(s)
		}
	}
	path := b.String()
	if other, ok := samePaths[path]; ok {
		return other
	}
	return path
}

// samePaths maps paths to another path that leads to the same resources.
var samePaths = map[string]string{
	"/marketplace-provider/listing":                       "/marketplace-provider/listings",
	"/marketplace-provider/provider":                      "/marketplace-provider/providers",
	"/marketplace-consumer/search-listings":               "/marketplace-consumer/listings/search",
	"/marketplace-exchange/exchanges-for-listing":         "/marketplace-exchange/exchange-listings",
	"/marketplace-exchange/exchanges-for-listing/{}":      "/marketplace-exchange/exchange-listings/{}",
	"/token-management/on-behalf-of/tokens":               "/token-management/tokens",
	"/token/list":                                         "/token-management/tokens/list",
	"/token/create":                                       "/token-management/tokens/create",
	"/token/delete":                                       "/token-management/tokens/delete",
	"/token/{}":                                           "/token-management/tokens/{}",
	"/serving-endpoints/pt":                               "/serving-endpoints",
	"/mlflow/databricks/registered-models/get":            "/mlflow/registered-models/get",
	"/automl/create-forecasting-experiment":               "/automl/forecasting-experiments",
	"/automl/get-forecasting-experiment/{}":               "/automl/forecasting-experiments/{}",
	"/clean-rooms/{}/assets/{}/{}/revisions":              "/clean-rooms/{}/revisions/{}/{}",
	"/clean-rooms/{}/assets/{}/{}/revisions/{}":           "/clean-rooms/{}/revisions/{}/{}/{}",
	"/policies/clusters/list-compliance":                  "/policies/cluster-compliance/list",
	"/policies/clusters/get-compliance":                   "/policies/cluster-compliance/get",
	"/policies/jobs/list-compliance":                      "/policies/job-compliance/list",
	"/policies/jobs/get-compliance":                       "/policies/job-compliance/get",
	"@/workspaces/{}/metastores/{}":                       "@/workspaces/{}/metastore",
	"@/workspaces/{}/permissionassignments/principals/{}": "@/workspaces/{}/permissionassignments/{}",
}

// IsAccount reports whether a method belongs to the account and not to a workspace.
func IsAccount(m *provider.Method) bool {
	return strings.HasPrefix(m.Resource, "databricks_account.")
}

// segmentsOf returns the segments of a path after the version, without the account's.
func segmentsOf(m *provider.Method) []string {
	segments := strings.Split(strings.TrimPrefix(m.Path, "/"), "/")
	if len(segments) > 2 && segments[0] == "api" {
		segments = segments[1:]
		if strings.Trim(segments[0], "0123456789.") == "" {
			segments = segments[1:]
		}
	}
	if i := slices.Index(segments, "{account_id}"); i > 0 && segments[i-1] == "accounts" {
		segments = slices.Concat(segments[:i-1], segments[i+1:])
	}
	return segments
}

func lastSegment(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// ownParams names a method's path parameters except the account.
func ownParams(m *provider.Method) []string {
	var names []string
	for segment := range strings.SplitSeq(m.Path, "/") {
		_, param, isParam := strings.Cut(segment, "{")
		if name, _, _ := strings.Cut(param, "}"); isParam && name != "account_id" {
			names = append(names, name)
		}
	}
	return names
}

func requiredQuery(m *provider.Method) []string {
	var names []string
	for i := range m.Params {
		if m.Params[i].In == provider.InQuery && m.Params[i].Required {
			names = append(names, m.Params[i].Name)
		}
	}
	return names
}
