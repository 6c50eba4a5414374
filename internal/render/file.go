package render

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/lakeql/lakeql/provider"
)

// ToFile calls write with a file. The file appears under its name only after success; the old file stays
// until then, and the new one has its mode.
func ToFile(path string, write func(io.Writer) error) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.Mode().IsRegular(): // a pipe or device, which has no other name
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return FileError(err)
		}
		return errors.Join(write(f), f.Close())
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return FileError(err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return FileError(at(path, err))
	}
	defer func() { _ = os.Remove(f.Name()) }() // after the renaming there is nothing to remove
	if err := errors.Join(write(f), f.Close()); err != nil {
		return err
	}
	if info != nil {
		if err := os.Chmod(f.Name(), info.Mode().Perm()); err != nil {
			return FileError(at(path, err))
		}
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return FileError(at(path, err))
	}
	return nil
}

// at returns an error of the system with the path that the caller named, in place of the temporary one.
func at(path string, err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return &fs.PathError{Op: e.Op, Path: path, Err: e.Err}
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		return &fs.PathError{Op: e.Op, Path: path, Err: e.Err}
	}
	return err
}

// FileError is the error of a file that cannot take the rows.
func FileError(err error) error {
	return provider.Usagef("write the rows: %v", err).Because(err)
}
