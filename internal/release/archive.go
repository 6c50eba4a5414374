package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"strings"
)

// contents lists what a platform's archive has.
func (r *release) contents(p platform) []file {
	return append([]file{{p.binary(), r.binaries[p], 0o755}}, r.shared...)
}

// archiveEnding is the ending of a platform's archive.
func archiveEnding(p platform) string {
	if p.os == "windows" {
		return ".zip"
	}
	return ".tar.gz"
}

// writeArchives writes an archive for each platform, with one folder inside.
func (r *release) writeArchives(context.Context) error {
	for _, p := range r.platforms {
		write := r.writeTar
		if archiveEnding(p) == ".zip" {
			write = r.writeZip
		}
		name := r.name(p, archiveEnding(p))
		if err := create(r.path(name), func(w io.Writer) error {
			return write(w, strings.TrimSuffix(name, archiveEnding(p)), r.contents(p))
		}); err != nil {
			return err
		}
	}
	return nil
}

// writeTar writes files to a folder of a compressed tar. Neither the machine nor its user is in it.
func (r *release) writeTar(w io.Writer, folder string, files []file) error {
	compressed := gzip.NewWriter(w)
	archive := tar.NewWriter(compressed)
	for _, f := range files {
		err := f.copyTo(func(size int64) (io.Writer, error) {
			return archive, archive.WriteHeader(&tar.Header{
				Name: folder + "/" + f.name, Size: size, Mode: int64(f.mode), ModTime: r.date, Format: tar.FormatPAX,
			})
		})
		if err != nil {
			return err
		}
	}
	return errors.Join(archive.Close(), compressed.Close())
}

// writeZip writes files to a folder of a zip.
func (r *release) writeZip(w io.Writer, folder string, files []file) error {
	archive := zip.NewWriter(w)
	for _, f := range files {
		err := f.copyTo(func(int64) (io.Writer, error) {
			header := &zip.FileHeader{Name: folder + "/" + f.name, Method: zip.Deflate, Modified: r.date}
			header.SetMode(f.mode)
			return archive.CreateHeader(header)
		})
		if err != nil {
			return err
		}
	}
	return archive.Close()
}

// copyTo copies a file to the writer that begin returns for its size.
func (f file) copyTo(begin func(size int64) (io.Writer, error)) error {
	in, err := os.Open(f.source)
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // only read
	info, err := in.Stat()
	if err != nil {
		return err
	}
	w, err := begin(info.Size())
	if err != nil {
		return err
	}
	_, err = io.Copy(w, in)
	return err
}

// create writes a new file for all to read.
func create(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // for all to read
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}
