package docgen

import (
	"fmt"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// serviceText returns the page of a service, which links to its resources; names are in the order
// of the page. The front matter has names as quote writes them.
func serviceText(s *provider.Service, names []string, quote func(string) string, extended bool) string {
	var b strings.Builder
	writeFrontMatter(&b, s.Provider, quote, s.Name, s.Name, s.Provider, "stackql")
	fmt.Fprintf(&b, "\n%s service documentation.\n\n:::info[Service Summary]\n\ntotal resources: __%d__  \n\n:::\n\n", s.Name, len(names))
	if extended {
		b.WriteString(guideLink)
	}
	b.WriteString("## Resources\n")
	writeColumns(&b, "/"+servicesFolder+"/"+s.Name+"/", names)
	return b.String()
}

// writeColumns writes links to pages below a path in two columns, the first the longer one.
func writeColumns(b *strings.Builder, below string, names []string) {
	half := (len(names) + 1) / 2
	b.WriteString("<div class=\"row\">\n")
	for _, column := range [][]string{names[:half], names[half:]} {
		b.WriteString("<div class=\"providerDocColumn\">\n")
		for i, name := range column {
			if i > 0 {
				b.WriteString("<br />\n")
			}
			fmt.Fprintf(b, "<a href=\"%s%s/\">%s</a>", below, word(name), word(name))
		}
		b.WriteString("\n</div>\n")
	}
	b.WriteString("</div>")
}

// providerIndex is the content of the provider's page.
type providerIndex struct {
	provider  *provider.Provider
	services  []string // in the order of the page
	resources int
	example   string // a statement to begin with
	extended  bool
}

func (i *providerIndex) text() string {
	var b strings.Builder
	p := i.provider
	writeFrontMatter(&b, p.Name, frontWord, p.Name, p.Name, "stackql")
	fmt.Fprintf(&b, "\n%s\n\n", introduction(p))
	fmt.Fprintf(&b, ":::info[Provider Summary]\n\ntotal services: __%d__  \ntotal resources: __%d__  \n\n:::\n\n", len(i.services), i.resources)
	if strings.HasPrefix(p.Name, "databricks_") {
		b.WriteString(authentication)
	}
	if i.extended {
		b.WriteString(guideLink)
	}
	if i.example != "" {
		fmt.Fprintf(&b, "## Example\n\n```sql\n%s\n```\n\n", i.example)
	}
	b.WriteString("## Services\n")
	writeColumns(&b, "/"+servicesFolder+"/", i.services)
	return b.String()
}

func introduction(p *provider.Provider) string {
	about := fmt.Sprintf("The <code>%s</code> provider puts an API behind SQL: its resources are tables to query, its operations are statements to run.", p.Name)
	if p.Description != "" {
		return paragraph(p.Description) + " " + about
	}
	return about
}

const authentication = "## Authentication\n\n" +
	"lakeql reads credentials from the sources of the Databricks SDKs:\n\n" +
	"- the profile of `~/.databrickscfg` with the workspace's host, if it exists\n" +
	"- the environment: `DATABRICKS_HOST` with `DATABRICKS_TOKEN` for a personal access token, or with\n" +
	"  `DATABRICKS_CLIENT_ID` and `DATABRICKS_CLIENT_SECRET` for a service principal\n" +
	"- the profile `DEFAULT`\n\n" +
	"lakeql never sends a credential that is configured for one workspace to another.\n\n"
