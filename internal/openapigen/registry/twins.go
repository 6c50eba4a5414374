package registry

import (
	"fmt"
	"strings"

	"github.com/lakeql/lakeql/openapi"
)

// splitTwins replaces the fragment of a path (/api/2.0/preview/scim/v2/Groups#groups). Our documents use
// fragments for operations that send the same request. any-sdk writes the query behind the fragment, where
// no server sees it. So each such operation gets a distinct path: the version of the API moves into the
// URL of its server.
func splitTwins(s *service) error {
	paths := child(s.root, "paths")
	servers := child(s.root, "servers")
	for _, p := range pairs(paths) {
		path, _, ok := strings.Cut(p.key, "#")
		if !ok {
			continue
		}
		version, rest, ok := cutVersion(path)
		if !ok {
			return fmt.Errorf("%s does not begin with a version such as /api/2.0", p.key)
		}
		if child(paths, rest) != nil {
			return fmt.Errorf("%s and another operation would both have the path %s", p.key, rest)
		}
		p.name.Value = rest
		for _, operation := range pairs(p.value) {
			own := clone(servers)
			for _, server := range own.Content {
				url := child(server, "url")
				if url == nil {
					return fmt.Errorf("a server has no URL")
				}
				url.SetString(strings.TrimSuffix(url.Value, "/") + version)
			}
			set(operation.value, "servers", own)
		}
		if err := s.repoint("#/paths/"+openapi.EscapePointer(p.key)+"/", "#/paths/"+openapi.EscapePointer(rest)+"/"); err != nil {
			return err
		}
	}
	return nil
}

// cutVersion cuts /api/2.0 off a path.
func cutVersion(path string) (version, rest string, ok bool) {
	parts := strings.SplitN(path, "/", 4) // "", api, 2.0, …
	if len(parts) < 4 || parts[1] != "api" {
		return "", "", false
	}
	return "/" + parts[1] + "/" + parts[2], "/" + parts[3], true
}

// repoint changes the beginning of the references to operations.
func (s *service) repoint(from, to string) error {
	for _, r := range pairs(child(s.root, "components", "x-stackQL-resources")) {
		for _, m := range pairs(child(r.value, "methods")) {
			ref := child(m.value, "operation", "$ref")
			if ref == nil {
				return fmt.Errorf("%s.%s refers to no operation", r.key, m.key)
			}
			if rest, ok := strings.CutPrefix(ref.Value, from); ok {
				ref.SetString(to + rest)
			}
		}
	}
	return nil
}
