package docgen

import (
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/lakeql/lakeql/provider"
)

func TestSanitise(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"plain text", "A & B's \"c\" 100%", "A & B's \"c\" 100%"},
		{"braces", "a {b} c", "a &#123;b&#125; c"},
		{"angle brackets", "a < b > c", "a &lt; b &gt; c"},
		{"tags that stay", "<p>a</p> <code>b</code> c<br>d<br/>e<br />f</br>", "<p>a</p> <code>b</code> c<br />d<br />e<br />f<br />"},
		{"tags inside each other", "<p>a <code>b</code></p>", "<p>a <code>b</code></p>"},
		{"tags that cross", "<p>a <code>b</p></code>", "&lt;p&gt;a <code>b&lt;/p&gt;</code>"},
		{"a tag without its other", "a<p>b</code>c<code>", "a&lt;p&gt;b&lt;/code&gt;c&lt;code&gt;"},
		{"a tag that code ends", "<p>a `b</p>`", "&lt;p&gt;a `b</p>`"},
		{"a tag that is no tag", `\<p>a</p>`, `\&lt;p&gt;a&lt;/p&gt;`},
		{"a tag that closes itself", "a<p/>b", "a&lt;p/&gt;b"},
		{"code of several backticks", "``<a> ` <b>`` <c>", "``<a> ` <b>`` &lt;c&gt;"},
		{"backticks that are no code", "\\`<a> `` <b>", "\\`&lt;a&gt; `` &lt;b&gt;"},
		{"tags that do not", "<b>a</b> <script>b</script> <pre>c</pre>", "&lt;b&gt;a&lt;/b&gt; &lt;script&gt;b&lt;/script&gt; &lt;pre&gt;c&lt;/pre&gt;"},
		{"tags with attributes", `<p class="x">a`, `&lt;p class="x"&gt;a`},
		{"no break", "<nobr>a b</nobr>", "a b"},
		{"a tag without an end", "a <code", "a &lt;code"},
		{"inline code keeps brackets", "`a <b> {c}` <d>", "`a <b> &#123;c&#125;` &lt;d&gt;"},
		{"two pieces of code", "`<a>` <b> `<c>`", "`<a>` &lt;b&gt; `<c>`"},
		{"a lone backtick", "`<a>` ` <b>", "`<a>` ` &lt;b&gt;"},
		{"a line end", "a\nb", "a<br />b"},
		{"a blank line", "a\n\nb", "a<br /><br />b"},
		{"Windows line ends", "a\r\nb\r\n\r\nc", "a<br />b<br /><br />c"},
		{"old Macintosh line ends", "a\rb", "a<br />b"},
		{"a line end in code", "`a\nb`", "`a<br />b`"},
		{"a line end at the end", "a\n", "a<br />"},
		{"indentation stays", "a\n  b", "a<br />  b"},
		{"an underscore between braces", "{a}_{b}_{c}", "&#123;a&#125;&#95;&#123;b&#125;&#95;&#123;c&#125;"},
		{"an underscore elsewhere", "a_b {a}_b", "a_b &#123;a&#125;_b"},
		{"other characters", "naïve — ☃ \t", "naïve — ☃ \t"},
	} {
		if got := sanitise(test.text); got != test.want {
			t.Errorf("%s: %q becomes %q, want %q", test.name, test.text, got, test.want)
		}
	}
}

// TestWord shows names that are no words, which other providers' documents have.
func TestWord(t *testing.T) {
	if got := word(`meta.<field>[{"a"}]`); got != "meta.&lt;field&gt;[&#123;&quot;a&quot;&#125;]" {
		t.Errorf("got %s", got)
	}
	row := paramLinks([]string{"meta.<field>"})
	if want := `<a href="#parameter-meta.&lt;field&gt;"><code>meta.&lt;field&gt;</code></a>`; row != want {
		t.Errorf("got %s, want %s", row, want)
	}
}

// TestParagraph shows which texts may not begin a line.
func TestParagraph(t *testing.T) {
	for text, want := range map[string]string{
		"Import a {b}.":      "Import a &#123;b&#125;.",
		"import a":           "&#105;mport a",
		"export const a = 1": "&#101;xport const a = 1",
		"~~~ a":              "&#126;~~ a",
		" ```a":              "&#96;``a",
		":::note":            "&#58;::note",
	} {
		if got := paragraph(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

func TestArticle(t *testing.T) {
	for name, want := range map[string]string{
		"apps": "an", "endpoints": "an", "Instances": "an", "orders": "an",
		"unity_catalogs": "an", "unset_values": "an", "Hourly": "an", "hours": "an",
		"users": "a", "usage": "a", "uc_shares": "a", "houses": "a", "jobs": "a", "yaml": "a", "_x": "a", "": "a",
	} {
		if got := article(name); got != want {
			t.Errorf("%s %q, want %s", got, name, want)
		}
	}
}

// The order is that of [...].sort((a, b) => a.localeCompare(b)) in JavaScript.
func TestOrder(t *testing.T) {
	for _, test := range [][2]string{
		{"_a", "a"},
		{"_links", "address"},
		{"1st", "a"},
		{"a", "A"},
		{"A", "a_b"},
		{"a_b", "a1"},
		{"a1", "ab"},
		{"ab", "aB"},
		{"aB", "Ab"},
		{"Ab", "AB"},
		{"AB", "b"},
		{"created", "created_at"},
		{"created_at", "createdAt"},
		{"createdAt", "createdBy"},
		{"a_b", "a-b"},
		{"e", "é"},
		{"é", "f"},
		{"a10", "a2"},
		{"Z", "zz"},
		{"$schema", "1"},
		{"_x", "$x"},
	} {
		o := newOrder()
		if o.compare(test[0], test[1]) >= 0 || o.compare(test[1], test[0]) <= 0 {
			t.Errorf("%q does not come before %q", test[0], test[1])
		}
	}
}

func TestSortFields(t *testing.T) {
	var fields []field
	for _, name := range []string{"zone", "user_name", "Name", "alpha", "job_id", "name", "names", "app_name", "_links", "id", "app_id", "ids", "Beta", "_id"} {
		fields = append(fields, field{name: name})
	}
	sortFields(fields)
	var got []string
	for _, f := range fields {
		got = append(got, f.name)
	}
	want := []string{"id", "name", "_id", "app_id", "job_id", "app_name", "user_name", "Beta", "Name", "_links", "alpha", "ids", "names", "zone"}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant\n%q", got, want)
	}
}

func TestServerVariable(t *testing.T) {
	for _, test := range []struct {
		variable provider.Variable
		want     string
	}{
		{provider.Variable{Description: "Where."}, "Where."},
		{provider.Variable{Description: "Where.", Notes: []provider.Note{{Key: "default", Value: "eu"}}}, "Where. (default: eu)"},
		{provider.Variable{Description: "Where.", Notes: []provider.Note{{Key: "enum", Value: "[eu, us]"}, {Key: "default", Value: "eu"}}}, "Where. (enum: [eu, us], default: eu)"},
		{provider.Variable{Notes: []provider.Note{{Key: "default", Value: "eu"}}}, "(default: eu)"},
	} {
		if got := serverVariable(test.variable).description; got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}

func TestTypeName(t *testing.T) {
	for _, test := range []struct {
		schema *provider.Schema
		want   string
	}{
		{nil, "object"},
		{&provider.Schema{}, "object"},
		{&provider.Schema{Type: "string"}, "string"},
		{&provider.Schema{Type: "integer", Format: "int64"}, "integer (int64)"},
		{&provider.Schema{Format: "int64"}, "object (int64)"},
	} {
		if got := typeName(test.schema, "object"); got != test.want {
			t.Errorf("%+v: %q, want %q", test.schema, got, test.want)
		}
	}
}

// TestWriteString shows that strings in a page's JSON equal those of JavaScript's JSON.stringify.
func TestWriteString(t *testing.T) {
	var b strings.Builder
	writeString(&b, "a \"b\" \\ / <c> & \t\n\r\b\f\x01\x7f \u2028 é ☃ \xff")
	if want := `"a \"b\" \\ / <c> & \t\n\r\b\f\u0001` + "\x7f \u2028 é ☃ \ufffd\""; b.String() != want {
		t.Errorf("%s\nwant\n%s", b.String(), want)
	}
}

func TestPlain(t *testing.T) {
	for _, test := range []struct {
		value any
		want  string
	}{
		{"a b", "a b"},
		{true, "true"},
		{int64(-1), "-1"},
		{0.5, "0.5"},
		{1e9, "1000000000"},
		{nil, "null"},
		{[]any{"<a>", int64(1)}, `["<a>",1]`},
		{map[string]any{"a": nil}, `{"a":null}`},
	} {
		if got := plain(test.value); got != test.want {
			t.Errorf("%v: %s, want %s", test.value, got, test.want)
		}
	}
}

func TestColumnName(t *testing.T) {
	for name, want := range map[string]string{
		"name": "name", "_x1": "_x1", "key": "key",
		"order": `"order"`, "Group": `"Group"`, "a.b": `"a.b"`, "content-length": `"content-length"`, "1st": `"1st"`, `a"b`: `"a""b"`,
	} {
		if got := columnName(name); got != want {
			t.Errorf("%s is written %s, want %s", name, got, want)
		}
	}
}

func TestSentence(t *testing.T) {
	for _, test := range [][3]string{
		{"", "B.", "B."},
		{"A", "B.", "A. B."},
		{"A. ", "B.", "A. B."},
		{"A?", "B.", "A? B."},
	} {
		if got := sentence(test[0], test[1]); got != test[2] {
			t.Errorf("%q and %q make %q, want %q", test[0], test[1], got, test[2])
		}
	}
}

func TestWithValues(t *testing.T) {
	g := &generator{cat: provider.NewCatalogue(nil)}
	many := make([]any, 15)
	for i := range many {
		many[i] = int64(i)
	}
	for _, test := range []struct {
		schema *provider.Schema
		want   string
	}{
		{&provider.Schema{Type: "string"}, "What."},
		{&provider.Schema{Enum: []any{"A", "B"}}, "What. One of A, B."},
		{&provider.Schema{Items: &provider.Schema{Enum: []any{"A"}}}, "What. One of A."},
		{&provider.Schema{Enum: many}, "What. One of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 3 more."},
	} {
		got, err := g.withValues(&provider.Method{}, test.schema, "What.")
		if err != nil || got != test.want {
			t.Errorf("%q, %v, want %q", got, err, test.want)
		}
	}
}

// YAML reads back the text that was written.
func TestYAMLScalar(t *testing.T) {
	for _, text := range []string{"plain", "two words (both)", "on", "NULL", "a: b", "a # b", "- a", "it's", "", " a", "a ", "*", "1", "2026-01-31", "{a}", "é"} {
		written := yamlScalar(text)
		var read any
		if err := yaml.Unmarshal([]byte(written), &read); err != nil || read != text {
			t.Errorf("%q is written %s, which reads as %v, %v", text, written, read, err)
		}
	}
}
