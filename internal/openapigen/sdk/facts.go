package sdk

import (
	"regexp"
	"strings"
)

// This file reads only facts out of comments. No wording leaves this package except as Doc, which tests use
// to check that no description of ours repeats it.

var (
	outputOnly = regexp.MustCompile(`(?i)(^|[.!] )[\[(*]*output[ _-]only\b`)
	parameter  = regexp.MustCompile(`\{[^}]*\}`)
	deprecated = regexp.MustCompile(`(?i)^[\[(*]*deprecated\b`)
	// formats is the form of a resource name behind "Format:" or the like. The SDK quotes it in some
	// places, and ends it with a full stop in others.
	formats = regexp.MustCompile("(?i)(?:\\bformat:?|\\bformatted as|\\bin the form|\\bresource name:|\\bparent \\w+:) ?(?:is |of )?[\"'`]?([a-z{][a-z0-9_{}.-]*(?:/[a-z{][a-z0-9_{}.-]*)+)(.?)")
	// wellFormed is a whole resource name: words, a parameter for every second of them or so.
	wellFormed = regexp.MustCompile(`^[a-z][a-z0-9_-]*(/([a-z][a-z0-9_-]*|\{[a-z_-]+\}(\.\{[a-z_-]+\})*))+$`)
)

// saysOutputOnly reports whether a field's comment says that only the server sets the field.
func saysOutputOnly(doc string) bool { return outputOnly.MatchString(oneLine(doc)) }

func saysDeprecated(doc string) bool { return deprecated.MatchString(oneLine(doc)) }

// nameTemplate finds the form of a resource name in a field's comment: projects/{project_id}.
func nameTemplate(doc string) string {
	m := formats.FindStringSubmatch(oneLine(doc))
	if m == nil || strings.Trim(m[2], " \"'`,;)") != "" {
		return "" // none, or something else goes on where the name seems to end
	}
	template := strings.TrimSuffix(m[1], ".")
	if !wellFormed.MatchString(template) || !strings.Contains(template, "{") {
		return ""
	}
	return underscored(template)
}

// underscored writes the names of parameters with underscores: {workspace-base-environment} is
// the same parameter as {workspace_base_environment} elsewhere.
func underscored(template string) string {
	return parameter.ReplaceAllStringFunc(template, func(p string) string { return strings.ReplaceAll(p, "-", "_") })
}

func oneLine(doc string) string { return strings.Join(strings.Fields(doc), " ") }

// saysMethodDeprecated looks for Go's own mark in a method's comment.
func saysMethodDeprecated(doc string) bool {
	for paragraph := range strings.SplitSeq(doc, "\n\n") {
		if strings.HasPrefix(strings.TrimSpace(paragraph), "Deprecated:") {
			return true
		}
	}
	return false
}
