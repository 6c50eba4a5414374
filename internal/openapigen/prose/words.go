// Package prose puts names of the API into words: ListClusterPolicies becomes "Lists cluster
// policies.", create_time "When it was created." It serves where nobody has written a
// description yet, so it aims at plain sentences that say no more than the name does.
package prose

import (
	"strings"
	"unicode"
)

// Words splits a name into lower-case words: of Go (ListIpAccessLists), of the API
// (ip_access_lists, startIndex) or of paths (cluster-policies).
func Words(name string) []string {
	var words []string
	var word []rune
	flush := func() {
		if len(word) > 0 {
			words = append(words, strings.ToLower(string(word)))
			word = word[:0]
		}
	}
	runes := []rune(name)
	for i, r := range runes {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			flush()
			continue
		case unicode.IsUpper(r) && i > 0:
			next := i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if !unicode.IsUpper(runes[i-1]) || next {
				flush()
			}
		}
		word = append(word, r)
	}
	flush()
	return joined(words)
}

// joined joins words that capitals inside of a name have split: OAuth, PyPI.
func joined(words []string) []string {
	var together []string
	for i := 0; i < len(words); i++ {
		if i+1 < len(words) {
			switch words[i] + " " + words[i+1] {
			case "o auth", "py pi", "pa lm", "open ai", "git hub", "pager duty", "ml flow", "my sql":
				together = append(together, words[i]+words[i+1])
				i++
				continue
			}
		}
		together = append(together, words[i])
	}
	return together
}

// spelling writes a word out: some are acronyms, some names, some cut short.
func spelling(word string) string {
	switch word {
	case "acl", "ai", "api", "arn", "aws", "bi", "cdf", "cidr", "cmk", "cpu", "csp", "csv", "dbfs", "dns", "ebs", "ec2", "esm", "etl", "fqdn",
		"gcp", "gcs", "gke", "gpu", "html", "http", "https", "iam", "idp", "io", "ip", "jdbc", "json", "jwt", "kms", "lfs", "llm", "lsn", "mcp",
		"ml", "mfa", "nat", "ncc", "oidc", "pii", "ram", "s3", "saml", "sas", "scim", "sdk", "smtp", "sns", "sql", "sqs", "ssd", "ssh", "sso",
		"ssl", "sts", "tls", "ttl", "uc", "udf", "ui", "uri", "url", "utc", "uuid", "vm", "vpc", "vpn", "xml":
		return strings.ToUpper(word)
	case "acls", "ips", "urls":
		return strings.ToUpper(word[:len(word)-1]) + "s"
	case "ai21", "amazon", "anthropic", "azure", "bedrock", "cloudflare", "cohere", "databricks", "delta", "docker", "genie", "git",
		"google", "kafka", "lakebase", "lakeview", "maven", "microsoft", "postgres", "python", "slack", "spark", "unity", "vertex", "workday":
		return strings.ToUpper(word[:1]) + word[1:]
	}
	if plain, ok := plainer()[word]; ok {
		return plain
	}
	return word
}

// plainer are words that the API cuts short or runs together, and names with capitals inside.
func plainer() map[string]string {
	return map[string]string{
		"addr": "address", "aibi": "AI/BI", "auth": "authentication", "authz": "authorisation", "conf": "configuration",
		"config": "configuration", "configs": "configurations", "dbsql": "Databricks SQL", "desc": "description", "dir": "directory",
		"env": "environment", "envs": "environments", "eval": "evaluation", "fullname": "full name", "gb": "in GB", "github": "GitHub",
		"info": "information", "max": "maximum", "mb": "in MB", "meta": "metadata", "millis": "in milliseconds", "min": "minimum",
		"mlflow": "MLflow", "ms": "in milliseconds", "msg": "message", "num": "number", "oauth": "OAuth", "oauth2": "OAuth", "openai": "OpenAI",
		"pagerduty": "PagerDuty", "palm": "PaLM", "param": "parameter", "params": "parameters", "perms": "permissions",
		"pt": "provisioned throughput", "pypi": "PyPI", "ref": "reference", "repo": "repository", "repos": "repositories", "req": "request",
		"resp": "response", "secs": "in seconds", "spec": "specification", "specs": "specifications", "ts": "time", "vars": "variables",
		"vcpu": "vCPU",
	}
}

// Spell writes words out: [oauth2 client id] is "OAuth client id".
func Spell(words []string) string {
	spelled := make([]string, len(words))
	for i, w := range words {
		spelled[i] = spelling(w)
	}
	return strings.Join(spelled, " ")
}

// Sentence writes the first letter large and ends with a full stop.
func Sentence(text string) string {
	if text == "" {
		return ""
	}
	runes := []rune(text)
	runes[0] = unicode.ToUpper(runes[0])
	return strings.TrimSuffix(string(runes), ".") + "."
}

// Singular is the singular of an English noun of the API's.
func Singular(word string) string {
	switch word {
	case "indexes", "indices":
		return "index"
	case "statuses":
		return "status"
	case "aliases":
		return "alias"
	case "bases":
		return "base"
	case "databases":
		return "database"
	case "leases", "releases", "purchases", "warehouses", "caches", "images", "services", "devices", "workspaces", "sources",
		"resources", "instances", "interfaces", "families", "schedules", "files", "profiles", "tables", "roles", "rules",
		"exchanges", "messages", "pipelines", "volumes", "queries", "policies", "entries", "libraries", "features",
		"spaces", "packages", "ranges", "references", "types", "values", "names", "nodes", "modules", "zones", "stores", "quotas":
		if stem, ok := strings.CutSuffix(word, "ies"); ok {
			return stem + "y"
		}
		return strings.TrimSuffix(word, "s")
	}
	switch {
	case uncountable(word):
		return word
	case strings.HasSuffix(word, "ies"):
		return strings.TrimSuffix(word, "ies") + "y"
	case strings.HasSuffix(word, "sses"), strings.HasSuffix(word, "ches"), strings.HasSuffix(word, "shes"), strings.HasSuffix(word, "xes"):
		return strings.TrimSuffix(word, "es")
	case strings.HasSuffix(word, "ss"), strings.HasSuffix(word, "us"), strings.HasSuffix(word, "is"), strings.HasSuffix(word, "as"):
		return word
	}
	return strings.TrimSuffix(word, "s")
}

// Plural is the plural of an English noun of the API's.
func Plural(word string) string {
	switch {
	case uncountable(word), IsPlural(word):
		return word
	case strings.HasSuffix(word, "y") && !strings.HasSuffix(word, "ay") && !strings.HasSuffix(word, "ey"):
		return strings.TrimSuffix(word, "y") + "ies"
	case strings.HasSuffix(word, "s"), strings.HasSuffix(word, "x"), strings.HasSuffix(word, "ch"), strings.HasSuffix(word, "sh"):
		return word + "es"
	}
	return word + "s"
}

// IsPlural reports whether a noun looks like a plural.
func IsPlural(word string) bool { return !uncountable(word) && Singular(word) != word }

// uncountable reports whether a noun takes no article and has no plural.
func uncountable(word string) bool {
	switch word {
	case "metadata", "data", "access", "compliance", "usage", "history", "lineage", "information", "info", "dbfs", "compute",
		"logs", "status", "sql", "settings", "metrics", "https", "dns", "contents", "content", "permissions", "details", "oauth",
		"ownership", "feedback", "results", "credits", "aws", "kms", "gcs", "progress", "address", "process", "sns", "sqs":
		return true
	}
	return false
}

// Article puts "a" or "an" before a singular noun phrase.
func Article(words []string) string {
	phrase := Spell(words)
	if phrase == "" || len(words) == 0 {
		return phrase
	}
	last := words[len(words)-1]
	if uncountable(last) || IsPlural(last) {
		return phrase
	}
	return article(words[0], phrase) + " " + phrase
}

func article(first, phrase string) string {
	switch first {
	case "api", "acl", "ip", "llm", "ml", "s3", "aws", "ai", "iam", "idp", "etl", "ebs", "ec2", "esm", "lfs", "lsn", "mcp", "mfa", "ncc", "html", "hour",
		"http", "https", "ssh", "sso", "ssl", "sdk", "sts", "sas", "xml":
		return "an"
	case "uc", "ui", "uri", "url", "udf", "utc", "uuid", "one":
		return "a"
	}
	lower := strings.ToLower(phrase)
	for _, sound := range []string{"uni", "use", "usa", "eu"} { // begins with a y to the ear
		if strings.HasPrefix(lower, sound) {
			return "a"
		}
	}
	if strings.ContainsAny(lower[:1], "aeiou") {
		return "an"
	}
	return "a"
}
