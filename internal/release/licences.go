package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// module is a module in the command, of which some packages are linked.
type module struct {
	Path, Version, Dir string
	packages           []string // their folders
}

// licenceFile is how files are called that say under what terms code may be passed on.
var licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|copyright|authors|patents)([-._].*)?$`)

// writeLicences writes the licences of Go and of all modules in the command, on any platform.
func (r *release) writeLicences(ctx context.Context, to string) error {
	modules, err := r.modules(ctx)
	if err != nil {
		return err
	}
	goRoot, err := output(ctx, r.root, "go", "env", "GOROOT")
	if err != nil {
		return err
	}
	modules = append([]module{{Path: "Go's standard library", Dir: goRoot, packages: []string{goRoot}}}, modules...)
	var text strings.Builder
	fmt.Fprintln(&text, "lakeql contains the software below, under the terms that follow each name.")
	for _, m := range modules {
		files, err := m.licences()
		if err != nil {
			return err
		}
		for _, name := range files {
			content, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(m.Dir, name)
			if err != nil {
				return err
			}
			rule := strings.Repeat("=", 78)
			fmt.Fprintf(&text, "\n%s\n%s: %s\n%s\n\n%s\n", rule, strings.TrimSpace(m.Path+" "+m.Version), filepath.ToSlash(rel), rule,
				strings.TrimRight(strings.ReplaceAll(string(content), "\r\n", "\n"), "\n"))
		}
	}
	return os.WriteFile(to, []byte(text.String()), 0o600)
}

// modules lists the modules that the command links on any of the platforms, sorted.
func (r *release) modules(ctx context.Context) ([]module, error) {
	found := map[string]*module{}
	for _, p := range r.platforms {
		cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-json=Dir,Module", ".")
		cmd.Dir = r.root
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+p.os, "GOARCH="+p.arch, "GOWORK=off")
		out, err := captured(cmd)
		if err != nil {
			return nil, err
		}
		decoder := json.NewDecoder(strings.NewReader(out))
		for {
			var pkg struct {
				Dir    string
				Module *struct {
					Path, Version, Dir string
					Main               bool
				}
			}
			if err := decoder.Decode(&pkg); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return nil, err
			}
			if pkg.Module == nil || pkg.Module.Main {
				continue
			}
			m := found[pkg.Module.Path]
			if m == nil {
				m = &module{Path: pkg.Module.Path, Version: pkg.Module.Version, Dir: pkg.Module.Dir}
				found[m.Path] = m
			}
			m.packages = append(m.packages, pkg.Dir)
		}
	}
	var modules []module
	for _, m := range found {
		modules = append(modules, *m)
	}
	slices.SortFunc(modules, func(a, b module) int { return cmp.Compare(a.Path, b.Path) })
	return modules, nil
}

// licences finds the files with the terms of a module: in its folder, and in those on the way to the
// packages that are linked.
func (m module) licences() ([]string, error) {
	folders := map[string]bool{}
	for _, dir := range m.packages {
		for strings.HasPrefix(dir, m.Dir) && !folders[dir] {
			folders[dir] = true
			dir = filepath.Dir(dir)
		}
	}
	var files []string
	for dir := range folders {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			if entry.Type().IsRegular() && licenceFile.MatchString(entry.Name()) && filepath.Ext(entry.Name()) != ".go" {
				files = append(files, filepath.Join(dir, entry.Name()))
			}
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s has no file with its licence", m.Path)
	}
	slices.Sort(files)
	return files, nil
}
