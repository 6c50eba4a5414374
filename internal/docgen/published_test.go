package docgen_test

import (
	"os"
	"strings"
	"testing"
)

// TestPublishedKinds writes the pages of a provider that has one instance of each kind that published documents
// have: nothing of it is refused, and each statement says what the API takes.
func TestPublishedKinds(t *testing.T) {
	t.Parallel()
	all := pages(t, os.DirFS("testdata/bazaar"))
	golden(t, "testdata/golden/bazaar", all)
	stalls, announcements := all["services/stalls/stalls/index.md"], all["services/stalls/announcements/index.md"]
	for _, want := range []string{
		"SELECT\nname,\nowner_id,\n\"@kind\",\nZone,\n\"a.b\",\narea,\ngoods\nFROM", // by code units
		"AND \"$.since\" = '{{ $.since }}'\n",
		"The stalls of a market.\n",                // the schema's description: the response has none
		"<td>(default: souk, enum: [souk, fair])<", // no blank before it
		"<td>The edition. (default: 1)<",
		"INSERT INTO bazaar.stalls.stalls (\nkind,\nmetres,\nregion,", // the first of oneOf
		"'{{ kind }}' /* required */",
		"SET \nkind = '{{ kind }}',\nmetres = {{ metres }}\n", // the first of anyOf
		"&#105;mport the stalls.<br />A line, &#123;a brace&#125;, &lt;unclosed, &lt;p&gt;a paragraph, `<code> here`.",
		"meta.&lt;field&gt;[&lt;operator&gt;]",
		"<code>kind&#126;neq</code>", "<code>any&#42;</code>", "<code>_to&#95;</code>", "<code>sort[by&#93;(x)</code>", // marks that would pair across tags
		"nor *as <code>a&#42;</code>, _as <code>b&#95;</code>, [as <code>c&#93;(d)</code>.<", "<code>one_word</code>",
	} {
		if !strings.Contains(stalls, want) {
			t.Errorf("the page of stalls has no %q", want)
		}
	}
	if strings.Contains(stalls, "$.trace") {
		t.Error("a parameter of all paths, which no statement needs, is on the page")
	}
	if want := "UPDATE bazaar.stalls.announcements\nSET \ntext = '{{ text }}';\n"; !strings.Contains(announcements, want) {
		t.Errorf("an UPDATE without parameters is not %q", want)
	}
	if want := "title: 'true'\n"; !strings.Contains(all["services/stalls/true/index.md"], want) {
		t.Errorf("the title of a page is not text for YAML: %q", want)
	}
}
