package reference

import (
	"os"
	"testing"
	"testing/fstest"

	"go.yaml.in/yaml/v3"
)

// Scalars are those of JavaScript, and are written as it writes them.
func TestScalars(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]string{
		"1_000": "1000", "0x10": "16", "0o17": "15", "0b101": "5", "-7": "-7", "+7": "7", "007": "7",
		"1.50": "1.5", ".5": "0.5", "1e3": "1000", "1e21": "1e+21", "1.5e-7": "1.5e-7", "123456789012345678": "123456789012345680",
		".inf": "Infinity", "-.inf": "-Infinity", ".nan": "NaN", "~": "null", "Null": "null", "True": "true", "FALSE": "false",
		"yes": "yes", "'1_000'": "1_000", "1_": "1_", "e3": "e3", ".": ".", "2020-01-01": "2020-01-01", "1.2.3": "1.2.3", "- 1": "1",
		"[1, [2, null], {a: 1}]": "1,2,,[object Object]",
	} {
		var n yaml.Node
		if err := yaml.Unmarshal([]byte(written), &n); err != nil {
			t.Fatal(err)
		}
		got := text((&yamlReader{made: map[*yaml.Node]any{}}).value(n.Content[0], 0))
		if got != want {
			t.Errorf("%s is %q, want %q", written, got, want)
		}
	}
}

// Keys that are array indexes come first, by size.
func TestOrderOfKeys(t *testing.T) {
	t.Parallel()
	o := newObject(0)
	for _, key := range []string{"b", "10", "a", "9", "01", "4294967295", "-1", "0", "c", "d", "e"} {
		o.set(key, key)
	}
	o.remove("a")
	o.set("b", "again")
	want := []string{"0", "9", "10", "b", "01", "4294967295", "-1", "c", "d", "e"}
	for i, key := range want {
		if i >= len(o.keys) || o.keys[i] != key || o.get(key) == nil {
			t.Fatalf("keys %q, want %q", o.keys, want)
		}
	}
	if o.get("b") != "again" || o.get("10") != "10" {
		t.Error("a key has another's value")
	}
}

// FuzzRead reads documents of strangers: nothing in them makes the package panic.
func FuzzRead(f *testing.F) {
	for _, file := range []string{"crate-yard.yaml", "loops.yaml"} {
		seed, err := os.ReadFile("../testdata/depot/services/" + file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed)
	}
	for _, seed := range []string{
		"components: {x-stackQL-resources: {r: {id: 1, methods: {m: {operation: {$ref: '#/paths/~1x/get'}}}}}}",
		"a: &a [*a]", "$ref: '#'", "{a: {$ref: '#/a'}, b: {$ref: '#/c', x: 1}, c: {$ref: '#/b', y: 1}}",
		"components: {x-stackQL-resources: {r: {id: x, config: {views: {select: x, fields: [x], requiredParams: x}}}}}",
		"{y: {$ref: '#/x', m: 1}, z: {$ref: '#/x', m: 1}, x: {a: {$ref: '#/x', k: 1}, b: {$ref: '#/x', k: 1}}}",
		"components: {x-stackQL-resources: [x]}", "paths: [1]", "servers: [{variables: [1]}]",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := Read(fstest.MapFS{"services/s.yaml": {Data: text}}, "s", "services/s.yaml")
		if err != nil {
			return
		}
		for _, name := range s.Names() {
			if r, err := s.Resource(name); err == nil && r.Name != name {
				t.Errorf("resource %q is called %q", name, r.Name)
			}
		}
	})
}
