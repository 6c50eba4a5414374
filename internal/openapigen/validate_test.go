package main

import (
	"strings"
	"testing"
)

// TestValidate plants faults in documents. Every fault must be reported, and no good document.
func TestValidate(t *testing.T) {
	const good = "openapi: 3.0.3\ninfo: {title: T, version: v1}\npaths:\n  /a:\n    get:\n      parameters: [{name: ttl, in: query, schema: {type: string, format: duration}}]\n      responses: {'200': {description: success}}\n"
	for _, tt := range []struct {
		name, from, to string
		want           string // empty: no fault
	}{
		{"a good document", "", "", ""},
		{"no title", "title: T, ", "", "title"},
		{"a parameter that is nowhere", "in: query", "in: nowhere", "nowhere"},
		{"a path that lacks its parameter", "/a:", "/a/{id}:", "id"},
		{"a reference that leads nowhere", "{type: string, format: duration}", "{$ref: '#/components/schemas/None'}", "None"},
		{"a format that is none", "format: duration", "format: unheard-of", "unheard-of"},
		{"no YAML", "openapi", "\t", "yaml"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			document := strings.Replace(good, tt.from, tt.to, 1)
			err := validate(map[string][]byte{"p/v1/services/one.yaml": []byte(document), "p/v1/services/two.yaml": []byte(document), "p/v1/provider.yaml": []byte("no document")})
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "one.yaml") || !strings.Contains(err.Error(), "two.yaml") {
				t.Errorf("%v, want %q of both documents", err, tt.want)
			}
		})
	}
}
