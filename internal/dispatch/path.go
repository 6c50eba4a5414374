package dispatch

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/lakeql/lakeql/provider"
)

// expand puts the escaped values of parameters into a path. It is false where one has no value.
func expand(path string, values map[string]string) (string, bool) {
	var b strings.Builder
	for {
		literal, rest, found := strings.Cut(path, "{")
		b.WriteString(literal)
		if !found {
			return b.String(), !strings.Contains(literal, "}")
		}
		name, rest, _ := strings.Cut(rest, "}")
		value, ok := values[name]
		if !ok {
			return "", false
		}
		b.WriteString(value)
		path = rest
	}
}

// escapePath escapes the value of a path parameter. A value that servers or proxies could read as
// more than the name of one thing is an error.
func escapePath(m *provider.Method, p *provider.Parameter, text string) (string, error) {
	if text == "" {
		return "", usage(p.Name, nil, "empty where a path needs a name")
	}
	if !utf8.ValidString(text) {
		return "", usage(p.Name, nil, "%s is not valid UTF-8", provider.Quote(text))
	}
	switch {
	case isFilePath(m, p):
		return escapeFilePath(p, text)
	case p.Escaped:
		return escapeWhole(p, text)
	}
	return escapeName(p, text)
}

// isFilePath reports whether a parameter is the whole path of a file or folder. Such a path begins with a
// slash, so the document has no slash before the parameter.
func isFilePath(m *provider.Method, p *provider.Parameter) bool {
	return p.MultiSegment && !strings.Contains(m.Path, "/{"+p.Name+"}")
}

// escapeFilePath escapes the path of a file or folder as the official SDK does: each part between
// slashes by itself. A file may have almost any character in its name, and the escape of a
// character as well: a%20b is not the file a b.
//
// Parts named . and .. are refused. The SDK sends them as they are. A server or proxy takes them
// out, and the request may reach another operation. No file has such a name. The same holds for
// parts that unescape to . and .., because some servers unescape a path twice, and for backslashes
// between them. NUL ends a path for some servers; no file has it in its name.
func escapeFilePath(p *provider.Parameter, text string) (string, error) {
	switch {
	case !strings.HasPrefix(text, "/"):
		return "", usage(p.Name, nil, "%s does not begin with a slash", provider.Quote(text)).
			Hintf("write the whole path, such as /folder/file.csv")
	case strings.ContainsRune(text, 0):
		return "", usage(p.Name, nil, "%s has a NUL character, which no file has in its name", provider.Quote(text))
	case leadsUp(text):
		return "", usage(p.Name, nil, "%s would lead to another path", provider.Quote(text)).
			Hintf("write the path without . and .. as names of folders")
	}
	segments := strings.Split(text, "/")
	for i, segment := range segments {
		segments[i] = url.PathEscape(segment)
	}
	return strings.Join(segments, "/"), nil
}

// leadsUp reports whether a part of a path is . or .., as it stands or unescaped.
func leadsUp(path string) bool {
	unescaped := percentEscape().ReplaceAllStringFunc(path, func(escape string) string {
		character, err := url.PathUnescape(escape)
		if err != nil {
			return escape
		}
		return character
	})
	parts := strings.FieldsFunc(unescaped, func(r rune) bool { return r == '/' || r == '\\' })
	return slices.Contains(parts, ".") || slices.Contains(parts, "..")
}

// percentEscape matches a character written as a percent-escape.
var percentEscape = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`%[0-9A-Fa-f]{2}`)
})

// escapeName escapes a name, so that it stays within its segment of the path. The slashes of a
// resource name stay slashes where the parameter takes one.
func escapeName(p *provider.Parameter, text string) (string, error) {
	if i := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
		return "", usage(p.Name, nil, "%s has a character that does not print, at byte %d", provider.Quote(text), i)
	}
	if percentEscape().MatchString(text) {
		return "", usage(p.Name, nil, "%s holds a percent-escape", provider.Quote(text)).
			Hintf("write the characters themselves: they are escaped on the way")
	}
	segments := []string{text}
	if p.MultiSegment {
		segments = strings.Split(strings.TrimPrefix(text, "/"), "/")
	}
	for i, segment := range segments {
		switch {
		case segment == "." || segment == "..":
			return "", usage(p.Name, nil, "%s would lead to another path", provider.Quote(text))
		case strings.ContainsAny(segment, `/\`):
			return "", usage(p.Name, nil, "%s holds a slash, which ends a path segment", provider.Quote(text)).
				Hintf("give the last part of a resource name here, or the whole of it as name or parent")
		}
		segments[i] = escapeSegment(segment)
	}
	escaped := strings.Join(segments, "/")
	if p.MultiSegment && strings.HasPrefix(text, "/") {
		escaped = "/" + escaped
	}
	return escaped, nil
}

// escapeWhole escapes a name that may have slashes, such as the key of a governed tag, as one segment.
func escapeWhole(p *provider.Parameter, text string) (string, error) {
	if i := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
		return "", usage(p.Name, nil, "%s has a character that does not print, at byte %d", provider.Quote(text), i)
	}
	if leadsUp(text) {
		return "", usage(p.Name, nil, "%s would lead to another path", provider.Quote(text))
	}
	return url.PathEscape(text), nil
}

// escapeSegment escapes the characters that would end a segment or begin an escape. net/url escapes the
// others. The result is byte for byte that of the official SDK.
func escapeSegment(segment string) string {
	return strings.NewReplacer("%", "%25", "?", "%3F", "#", "%23").Replace(segment)
}
