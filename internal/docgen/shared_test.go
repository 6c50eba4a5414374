package docgen_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/docgen"
)

const sharedFields = "a: {type: string}, b: {type: string}, c: {type: string}, d: {type: string, description: D.}"

// twoReaders is the page of a resource that get and list read. Each argument is what they return.
func twoReaders(t *testing.T, get, list string) string {
	t.Helper()
	answer := func(schema string) string {
		return "{responses: {'200': {content: {application/json: {schema: " + schema + "}}}}}"
	}
	folder := service(fmt.Sprintf("paths:\n  /x:\n    get: %s\n  /y:\n    get: %s\n"+
		"components:\n  x-stackQL-resources:\n    r:\n      id: p.s.r\n      methods:\n"+
		"        get: {operation: {$ref: '#/paths/~1x/get'}}\n        list: {operation: {$ref: '#/paths/~1y/get'}}\n"+
		"      sqlVerbs: {select: [{$ref: '#/components/x-stackQL-resources/r/methods/get'}, {$ref: '#/components/x-stackQL-resources/r/methods/list'}]}\n",
		answer(get), answer(list)))
	page := pagesWith(t, folder, docgen.Options{Extended: true})["services/s/r/index.md"]
	_, fields, _ := strings.Cut(page, "## Fields\n")
	fields, _, _ = strings.Cut(fields, "## Methods\n")
	return fields
}

func TestSharedFields(t *testing.T) {
	for _, test := range []struct {
		name, get, list string
		tables          int
		want            string
	}{
		{
			"the same fields", "{properties: {" + sharedFields + "}}", "{type: array, items: {properties: {" + sharedFields + "}}}", 1,
			"{ label: 'get, list', value: 'get' }",
		},
		{
			"fewer fields", "{properties: {" + sharedFields + ", e: {}}}", "{properties: {" + sharedFields + "}}", 1,
			"<TabItem value=\"list\">\n\nThe fields of <code>get</code>, without <code>e</code>.\n</TabItem>",
		},
		{
			"another field", "{properties: {" + sharedFields + "}}", "{properties: {" + sharedFields + ", e: {}}}", 2,
			"The fields of <code>get</code>, and these:\n\n<SchemaTable fields={[\n  {\n    \"name\": \"e\",",
		},
		{
			"a field that holds the same under another description",
			"{properties: {" + sharedFields + ", e: {description: One., properties: {x: {}}}}}",
			"{properties: {" + sharedFields + ", e: {description: Two., properties: {x: {}}}}}", 2,
			"\"description\": \"Two. It holds what it holds in <code>get</code>.\"\n",
		},
		{
			"few fields", "{properties: {a: {}}}", "{properties: {a: {}, b: {}}}", 2,
			"<TabItem value=\"list\">\n\n<SchemaTable fields={[\n  {\n    \"name\": \"a\",",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := twoReaders(t, test.get, test.list)
			if n := strings.Count(got, "<SchemaTable"); n != test.tables || !strings.Contains(got, test.want) {
				t.Errorf("%d tables, want %d with %q\n%s", n, test.tables, test.want, got)
			}
		})
	}
}

// Attributes that repeat inside of a table stand once, at the field that stands highest. They stand where they are
// if they are few, differ, or are those of a field that they are inside of.
func TestNestedFieldsThatRepeat(t *testing.T) {
	const deep = "{properties: {" + sharedFields + ", e: {properties: {f: {properties: {g: {}}}}}}}"
	for _, test := range []struct{ name, schema, same, children string }{
		{"side by side", "{properties: {x: " + deep + ", y: " + deep + "}}", "y=x", "x e f"},
		{"at other depths, the lower one cut off", "{properties: {a: {properties: {x: " + deep + "}}, y: " + deep + "}}", "x=y", "a y e f"},
		{"inside of one another", "{properties: {x: {properties: {z: " + deep + "}}, y: {properties: {z: " + deep + "}}}}", "y=x", "x z e"},
		{"part of another", "{properties: {x: {properties: {z: " + deep + "}}, y: {properties: {k: {}, z: " + deep + "}}}}", "z=x.z", "x z e y"},
		{
			"with parts that are replaced themselves",
			"{properties: {k: " + deep + ", x: {properties: {k: " + deep + "}}, y: {properties: {x: {properties: {k: " + deep + "}}}}}}", "k=k x=x", "k e f x y",
		},
		{"few", "{properties: {x: {properties: {a: {}, b: {}, c: {}}}, y: {properties: {a: {}, b: {}, c: {}}}}}", "", "x y"},
		{"another description", "{properties: {x: " + deep + ", y: {properties: {a: {type: string, description: Other.}, b: {type: string}, c: {type: string}, d: {type: string, description: D.}, e: {}}}}}", "", "x e f y"},
		{"a list and an object", "{properties: {x: " + deep + ", y: {type: array, items: " + deep + "}}}", "y=x", "x e f"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := twoReaders(t, test.schema, "{properties: {id: {}}}")
			var same, children []string
			name := ""
			for line := range strings.Lines(got) {
				switch key, value, _ := strings.Cut(strings.TrimSpace(line), ": "); key {
				case `"name"`:
					name = strings.Trim(value, `",`)
				case `"same"`:
					same = append(same, name+"="+strings.Trim(value, `"`))
				case `"children"`:
					children = append(children, name)
				}
			}
			if strings.Join(same, " ") != test.same || strings.Join(children, " ") != test.children {
				t.Errorf("%q, attributes of %q, want %q and %q\n%s", same, children, test.same, test.children, got)
			}
			if of, ok := strings.CutPrefix(test.same, "y="); ok && !strings.Contains(got, "\"Its attributes are those of <code>"+of+"</code>.\"") {
				t.Errorf("no sentence says it:\n%s", got)
			}
		})
	}
}

// A write that returns what SELECT returns refers to its fields.
func TestSharedAnswer(t *testing.T) {
	got := pagesWith(t, os.DirFS("testdata/shop"), docgen.Options{Extended: true})["services/orders/orders/index.md"]
	if want := "What comes back: the fields of [`get`](#fields).\n</TabItem>"; !strings.Contains(got, want) {
		t.Errorf("no %q in\n%s", want, got)
	}
}

// TestPurpose reads the first sentence of pages.
func TestPurpose(t *testing.T) {
	for _, test := range []struct{ resource, verbs, want string }{
		{"ip_lists", "select get, select list, insert make", "Gets, lists and creates IP lists."},
		{"things", "select find_by_name", "Reads things."},
		{"things", "exec run, exec stop", "Calls <code>run</code> and <code>stop</code> of things."},
		{"things", "delete drop, update change, exec run", "Updates and deletes things; also calls <code>run</code>."},
		{"things", "exec run, exec stop, exec x1, exec x2, exec x3, exec x4", "Calls <code>run</code>, <code>stop</code>, <code>x1</code>, <code>x2</code> and 2 other methods of things."},
	} {
		listed, verbs := "", map[string][]string{}
		for _, pair := range strings.Split(test.verbs, ", ") {
			verb, method, _ := strings.Cut(pair, " ")
			listed += "        " + method + ": {operation: {$ref: '#/paths/~1x/post'}}\n"
			if verb != "exec" {
				verbs[verb] = append(verbs[verb], fmt.Sprintf("{$ref: '#/components/x-stackQL-resources/%s/methods/%s'}", test.resource, method))
			}
		}
		reached := ""
		for verb, list := range verbs {
			reached += fmt.Sprintf("        %s: [%s]\n", verb, strings.Join(list, ", "))
		}
		if reached == "" {
			reached = "        select: []\n"
		}
		folder := service("paths:\n  /x:\n    post: {}\ncomponents:\n  x-stackQL-resources:\n    " + test.resource +
			":\n      id: p.s." + test.resource + "\n      methods:\n" + listed + "      sqlVerbs:\n" + reached)
		page := pagesWith(t, folder, docgen.Options{Extended: true})["services/s/"+test.resource+"/index.md"]
		if !strings.Contains(page, "\n\n"+test.want+"\n\n## Overview\n") {
			t.Errorf("%s: no %q in\n%.900s", test.verbs, test.want, page)
		}
	}
}
