package registry

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"go.yaml.in/yaml/v3"
)

// release is a version of a provider.
type release struct{ provider, version string }

// index returns dist/providers.yaml with the releases added. Other providers and versions in the file stay.
func index(name string, releases []release) ([]byte, error) {
	root := object()
	data, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(document.Content) > 0 {
		root = document.Content[0]
	}
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s is no list of providers: its top level is no mapping", name)
	}
	providers := child(root, "providers")
	if providers == nil || providers.Kind != yaml.MappingNode {
		providers = object()
		set(root, "providers", providers)
	}
	for _, r := range releases {
		if child(providers, r.provider) == nil {
			set(providers, r.provider, object())
		}
		entry := child(providers, r.provider)
		versions := child(entry, "versions")
		if versions == nil || versions.Kind != yaml.SequenceNode {
			versions = &yaml.Node{Kind: yaml.SequenceNode}
			set(entry, "versions", versions)
		}
		if !slices.ContainsFunc(versions.Content, func(n *yaml.Node) bool { return n.Value == r.version }) {
			versions.Content = append(versions.Content, text(r.version))
		}
	}
	return encode("", root)
}
