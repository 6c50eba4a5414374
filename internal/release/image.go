package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/pem"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// What the image has.
const (
	nobody  = 65532 // the user, as in other images without a shell
	rootsAt = "etc/ssl/certs/ca-certificates.crt"
	homeAt  = "home/lakeql"
)

// writeImage writes a tar in the layout of the Open Container Initiative, with an image for each platform of
// Linux: the command, roots of trust, and nothing else.
func (r *release) writeImage(context.Context) error {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, p := range r.platforms {
		if p.os != "linux" {
			continue
		}
		image, err := r.image(p)
		if err != nil {
			return err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{
			Platform: &v1.Platform{OS: p.os, Architecture: p.arch},
		}})
	}
	if manifest, err := index.IndexManifest(); err != nil || len(manifest.Manifests) == 0 {
		return err
	}
	dir := filepath.Join(r.work, "image")
	to, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	if err := to.AppendIndex(index, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": r.version})); err != nil {
		return err
	}
	return create(r.path("lakeql_"+r.version+"_oci.tar"), func(w io.Writer) error { return r.tarOf(w, dir) })
}

// image is the image for one platform.
func (r *release) image(p platform) (v1.Image, error) {
	content, err := r.layer(p)
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil },
		tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	if image, err = mutate.Append(image, mutate.Addendum{Layer: layer, History: v1.History{Created: v1.Time{Time: r.date}, CreatedBy: "lakeql"}}); err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Created = p.os, p.arch, v1.Time{Time: r.date}
	config.Config = v1.Config{
		Entrypoint: []string{"/usr/bin/lakeql"},
		User:       "65532:65532",
		WorkingDir: "/" + homeAt,
		Env:        []string{"PATH=/usr/bin", "HOME=/" + homeAt, "SSL_CERT_FILE=/" + rootsAt},
		Labels: map[string]string{
			"org.opencontainers.image.title": "lakeql", "org.opencontainers.image.description": summary,
			"org.opencontainers.image.version": r.version, "org.opencontainers.image.revision": r.commit,
			"org.opencontainers.image.source": repository, "org.opencontainers.image.licenses": licence,
		},
	}
	return mutate.ConfigFile(image, config)
}

// layer is the tar with the files of an image.
func (r *release) layer(p platform) ([]byte, error) {
	var roots bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint != nil { // a file of roots cannot say which certificates it is not for
			continue
		}
		if err := pem.Encode(&roots, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}); err != nil {
			return nil, err
		}
	}
	command, err := os.ReadFile(r.binaries[p])
	if err != nil {
		return nil, err
	}
	licences, err := os.ReadFile(filepath.Join(r.work, licencesFile))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	archive := tar.NewWriter(&out)
	for _, entry := range []struct {
		name    string
		content []byte
		mode    int64
		owner   int
	}{
		{"usr/bin/lakeql", command, 0o755, 0},
		{rootsAt, roots.Bytes(), 0o644, 0},
		{"usr/share/doc/lakeql/" + licencesFile, licences, 0o644, 0},
		{homeAt + "/", nil, 0o700, nobody},
		{"tmp/", nil, 0o1777, 0},
	} {
		header := &tar.Header{Name: entry.name, Size: int64(len(entry.content)), Mode: entry.mode, Uid: entry.owner, Gid: entry.owner, ModTime: r.date, Format: tar.FormatPAX}
		if entry.content == nil {
			header.Typeflag = tar.TypeDir
		}
		if err := archive.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := archive.Write(entry.content); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), archive.Close()
}

// tarOf writes a folder as a tar.
func (r *release) tarOf(w io.Writer, dir string) error {
	archive := tar.NewWriter(w)
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		return file{source: name}.copyTo(func(size int64) (io.Writer, error) {
			return archive, archive.WriteHeader(&tar.Header{Name: filepath.ToSlash(rel), Size: size, Mode: 0o644, ModTime: r.date, Format: tar.FormatPAX})
		})
	})
	if err != nil {
		return err
	}
	return archive.Close()
}
