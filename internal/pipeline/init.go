package pipeline

import (
	"embed"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/postgres"
	"github.com/lakeql/lakeql/provider"
)

// templateFiles is the folder that Init makes.
//
//go:embed template
var templateFiles embed.FS

// Init makes a folder with a sample pipeline, and returns the files that it made. If one of them already
// exists, it makes none.
func Init(folder string) ([]string, error) {
	var files []string // with slashes
	err := fs.WalkDir(templateFiles, "template", func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			files = append(files, strings.TrimPrefix(path, "template/"))
		}
		return err
	})
	if err != nil {
		return nil, provider.Internalf("read the template: %v", err).Because(err)
	}
	for _, name := range files {
		if path := filepath.Join(folder, filepath.FromSlash(name)); !absent(path) {
			return nil, provider.Usagef("%s is there already, and nothing was made", provider.Printable(path))
		}
	}
	if err := os.MkdirAll(filepath.Join(folder, ChecksFolder), 0o755); err != nil { //nolint:gosec // SQL files, for everybody to read
		return nil, provider.Usagef("make the folder: %v", err).Because(err)
	}
	var made []string
	for _, name := range files {
		data, err := fs.ReadFile(templateFiles, "template/"+name)
		if err != nil {
			return made, provider.Internalf("read the template: %v", err).Because(err)
		}
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.WriteFile(path, data, 0o644); err != nil { //nolint:gosec // SQL files, for everybody to read
			return made, provider.Usagef("make the pipeline: %v", err).Because(err)
		}
		made = append(made, path)
	}
	return made, nil
}

// absent reports whether there is no file of a name.
func absent(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// ParseTime reads a time as people write it: ISO 8601, a date alone, or with a blank; UTC unless it says
// otherwise.
func ParseTime(text string) (time.Time, bool) {
	t, ok := asTime(text).(time.Time)
	return t, ok
}

// StoreExists reports why a store cannot be read. Opening a missing file would make it, so this function
// checks that it exists.
func StoreExists(store string) error {
	if store == "" || postgres.Is(store) {
		return nil
	}
	if err := postgres.CheckStore(store); err != nil {
		return err
	}
	_, err := os.Stat(store)
	if errors.Is(err, fs.ErrNotExist) {
		return provider.Usagef("there is no store %s yet", provider.Printable(postgres.Place(store))).
			Hintf("lakeql pipeline run makes it; --store names another").
			Because(err)
	}
	return storeError(postgres.Place(store), err)
}
