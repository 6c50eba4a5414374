package docgen_test

import (
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/docgen"
	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/openapi"
	"github.com/lakeql/lakeql/provider"
)

// markdownPages writes the plain pages of a part of a provider.
func markdownPages(tb testing.TB, cat *provider.Catalogue, name, service, resource string, opts docgen.Options) map[string]string {
	tb.Helper()
	all := map[string]string{}
	err := docgen.Markdown(cat, name, service, resource, opts, func(path string, page []byte) error {
		all[path] = string(page)
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return all
}

var (
	fenced   = regexp.MustCompile("(?ms)^(`{3,})[a-z]+\n.*?^`{3,}$")
	spans    = regexp.MustCompile("`+[^`]+`+")
	linkTo   = regexp.MustCompile(`[^\\]\]\(([^)]*)\)`)
	markup   = regexp.MustCompile(`(?m)<[A-Za-z/!]`)
	cellEnds = regexp.MustCompile(`[^\\]\|`)
)

// checkMarkdown checks that each link of pages leads to one of them, that rows of tables have the cells of their
// heads, and that nothing is HTML or a component.
func checkMarkdown(tb testing.TB, all map[string]string) (links int) {
	tb.Helper()
	for name, page := range all {
		text := fenced.ReplaceAllString(page, "")
		cells := 0
		for line := range strings.Lines(text) {
			if !strings.HasPrefix(line, "|") {
				cells = 0
				continue
			}
			n := len(cellEnds.FindAllString(line, -1))
			if cells > 0 && n != cells {
				tb.Errorf("%s: a row of %d cells in a table of %d: %s", name, n, cells, line)
			}
			cells = n
		}
		text = spans.ReplaceAllString(text, "`")
		for _, m := range linkTo.FindAllStringSubmatch(text, -1) {
			links++
			if _, ok := all[path.Join(path.Dir(name), m[1])]; !ok {
				tb.Errorf("%s: the link to %q is dead", name, m[1])
			}
		}
		if at := markup.FindString(text); at != "" {
			tb.Errorf("%s has markup: %q", name, at)
		}
	}
	return links
}

func TestMarkdownOfHostileText(t *testing.T) {
	t.Parallel()
	docs, err := openapi.Load(os.DirFS("testdata/bazaar"))
	if err != nil {
		t.Fatal(err)
	}
	all := markdownPages(t, provider.NewCatalogue(docs), "bazaar", "", "", docgen.Options{})
	golden(t, "testdata/golden/bazaar-markdown", all)
	checkMarkdown(t, all)
	page := all["services/stalls/stalls/index.md"]
	for _, want := range []string{
		"[bazaar](../../../index.md) / [stalls](../index.md)\n",
		"import the stalls. A line, {a brace}, &lt;unclosed, &lt;p&gt;a paragraph, `<code> here`.\n",
		"Use meta.&lt;field&gt;\\[&lt;operator&gt;\\]\\|.",
		"| `area` | `string` | Square metres. With a \\| and a \\[link\\](nowhere.md). |\n",
		"| `goods.price` | `number` |",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in\n%s", want, page)
		}
	}
}

// TestMarkdownOfOurProviders follows every link of every plain page, of a whole provider and of parts of it.
func TestMarkdownOfOurProviders(t *testing.T) {
	t.Parallel()
	cat := testworld.Catalogue(t)
	opts := docgen.Options{Extended: true}
	for _, name := range []string{"databricks_account", "databricks_workspace"} {
		all := markdownPages(t, cat, name, "", "", opts)
		if links := checkMarkdown(t, all); links < len(all) {
			t.Errorf("%s: %d links in %d pages", name, links, len(all))
		}
	}
	service := markdownPages(t, cat, "databricks_workspace", "postgres", "", opts)
	if links := checkMarkdown(t, service); links != 2*(len(service)-1) {
		t.Errorf("%d links between %d pages of a service", links, len(service))
	}
	one := markdownPages(t, cat, "databricks_workspace", "postgres", "postgres_credentials", opts)
	page := one["services/postgres/postgres_credentials/index.md"]
	if links := checkMarkdown(t, one); links != 0 || len(one) != 1 {
		t.Errorf("%d links, %d pages", links, len(one))
	}
	if !strings.Contains(page, "| `token` | `string (password)` |") || strings.Contains(page, ":param") {
		t.Error(page)
	}
}
