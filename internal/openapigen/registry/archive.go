package registry

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"path"
)

// file is a file of the bundle, by its path below the provider's version.
type file struct {
	name string
	data []byte
}

// pack makes the archive that StackQL pulls. Entries begin with the version. Folders come before their
// contents, because StackQL does not create them itself. The archive does not depend on the time or the
// user.
func pack(version string, files []file) ([]byte, error) {
	var b bytes.Buffer
	zipped := gzip.NewWriter(&b)
	archive := tar.NewWriter(zipped)
	for _, dir := range []string{version + "/", version + "/services/"} {
		if err := archive.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir, Mode: 0o755, Format: tar.FormatUSTAR}); err != nil {
			return nil, err
		}
	}
	for _, f := range files {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: path.Join(version, f.name), Mode: 0o644, Size: int64(len(f.data)), Format: tar.FormatUSTAR}
		if err := archive.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := archive.Write(f.data); err != nil {
			return nil, err
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	if err := zipped.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
