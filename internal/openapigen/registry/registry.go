// Package registry writes the documents in the layout of StackQL's registry, for StackQL:
//
//	src/<provider>/<version>/provider.yaml, services/<service>.yaml
//	dist/<provider>/<version>.tgz
//	dist/providers.yaml
//
// Its documents differ from ours by the transformations of transform.go, so that StackQL accepts the
// statements of the pages, describes every resource and reads lists to their ends. StackQL's own library
// loads the bundle before it is written: judge.go.
package registry

import (
	"crypto/ed25519"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/lakeql/lakeql/openapi"
	"github.com/lakeql/lakeql/provider"
)

// Write bundles the documents below dir (openapi) into a registry at root. A registry that is there keeps its
// other providers and versions. With a key each document is signed; with none, out says that it was not.
// Nothing is written if any-sdk cannot load all of it.
func Write(dir, root string, key ed25519.PrivateKey, out io.Writer) error {
	documents, err := openapi.LoadAll(os.DirFS(dir))
	if err != nil {
		return err
	}
	catalogue := provider.NewCatalogue(documents)
	folders, err := fs.Glob(os.DirFS(dir), "*/*/provider.yaml")
	if err != nil {
		return err
	}
	var bundles []*bundle
	for _, name := range folders {
		folder := path.Dir(name)
		b := &bundle{release: release{path.Dir(folder), path.Base(folder)}}
		if b.files, err = b.read(os.DirFS(filepath.Join(dir, filepath.FromSlash(folder))), catalogue); err != nil {
			return fmt.Errorf("bundle %s: %w", b.provider, err)
		}
		if err := judge(b, catalogue); err != nil {
			return fmt.Errorf("any-sdk refuses the bundle of %s:\n%w", b.provider, err)
		}
		bundles = append(bundles, b)
	}
	for _, b := range bundles {
		if err := b.write(root, key, out); err != nil {
			return err
		}
	}
	listed := filepath.Join(root, "dist", "providers.yaml")
	var releases []release
	for _, b := range bundles {
		releases = append(releases, b.release)
	}
	data, err := index(listed, releases)
	if err != nil {
		return err
	}
	if err := writeFile(listed, data); err != nil {
		return err
	}
	if key == nil {
		_, err = fmt.Fprintf(out, "not signed: %s has no key, so StackQL loads this only with verifyConfig.nopVerify\n", KeyVariable)
	}
	return err
}

// bundle is one provider's part of the registry.
type bundle struct {
	release
	files []file
}

// read returns a provider's documents as StackQL takes them, sorted by name.
func (b *bundle) read(folder fs.FS, catalogue *provider.Catalogue) ([]file, error) {
	services, err := fs.Glob(folder, "services/*.yaml")
	if err != nil {
		return nil, err
	}
	var files []file
	for _, name := range slices.Concat([]string{"provider.yaml"}, services) {
		data, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, err
		}
		if name != "provider.yaml" {
			if data, err = b.service(data, strings.TrimSuffix(path.Base(name), ".yaml"), catalogue); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		files = append(files, file{name, data})
	}
	return files, nil
}

// service transforms the document of a service.
func (b *bundle) service(data []byte, name string, catalogue *provider.Catalogue) ([]byte, error) {
	info, err := catalogue.Service(b.provider, name)
	if err != nil {
		return nil, err
	}
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return nil, err
	}
	return transform(&service{info: info, catalogue: catalogue, root: document.Content[0]})
}

// write writes src and dist of the provider.
func (b *bundle) write(root string, key ed25519.PrivateKey, out io.Writer) error {
	files := b.files
	if key != nil {
		var err error
		if files, err = sign(key, files, time.Now()); err != nil {
			return err
		}
	}
	src := filepath.Join(root, "src", b.provider, b.version)
	if err := os.RemoveAll(src); err != nil { // no document and no signature of an earlier one stays
		return err
	}
	if err := writeFiles(src, files); err != nil {
		return err
	}
	archive, err := pack(b.version, files)
	if err != nil {
		return fmt.Errorf("pack %s: %w", b.provider, err)
	}
	target := filepath.Join(root, "dist", b.provider, b.version+".tgz")
	if err := writeFile(target, archive); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: %d files, %d bytes\n", target, len(files), len(archive))
	return err
}

func writeFiles(dir string, files []file) error {
	for _, f := range files {
		if err := writeFile(filepath.Join(dir, filepath.FromSlash(f.name)), f.data); err != nil {
			return err
		}
	}
	return nil
}

func writeFile(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil { //nolint:gosec // for all to read
		return err
	}
	return os.WriteFile(name, data, 0o644) //nolint:gosec // for all to read
}
