package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// floor is a program that makes the requests of a subject with net/http alone: the lowest possible cost.
type floor string

const (
	noFloor floor = ""
	empty   floor = "empty" // links net/http and ends
	call    floor = "call"  // sends the request of one EXEC
)

// floors are the built programs, in one folder.
type floors string

// install copies a program into the folder, as an installation would. A file that the linker has just
// written starts 15 % slower than its copy, by the way that the kernel keeps its pages, so everything
// that is compared is a copy.
func (f floors) install(program, as string) (string, error) {
	from, err := os.Open(program)
	if err != nil {
		return "", err
	}
	defer func() { _ = from.Close() }() // it was only read
	path := filepath.Join(string(f), as)
	to, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o700) //nolint:gosec // it is to be run
	if err != nil {
		return "", err
	}
	_, err = io.Copy(to, from) // not as a whole: what this process holds counts in the peak of those that it starts
	return path, errors.Join(err, to.Close())
}

// buildFloors builds them as the Makefile builds the command. It runs in the module's folder.
func buildFloors(ctx context.Context) (floors, error) {
	folder, err := os.MkdirTemp("", "lakeql-floor-")
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(folder, "built")+string(filepath.Separator), "./internal/bench/floor/...") //nolint:gosec // the folder is ours
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		_ = os.RemoveAll(folder) // it is in a folder for temporary files
		return "", fmt.Errorf("build the floor programs: %w\n%s", err, out)
	}
	f := floors(folder)
	for _, name := range []floor{empty, call} {
		if _, err := f.install(filepath.Join(folder, "built", string(name)), string(name)); err != nil {
			f.remove()
			return "", err
		}
	}
	return f, nil
}

func (f floors) argv(name floor) []string { return []string{filepath.Join(string(f), string(name))} }

func (f floors) remove() { _ = os.RemoveAll(string(f)) } // it is in a folder for temporary files
