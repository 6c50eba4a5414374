package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// floor is a program that does with net/http alone what a subject does: the least that it could cost.
type floor string

const (
	noFloor floor = ""
	empty   floor = "empty" // links net/http and ends
	call    floor = "call"  // sends the request of one EXEC
)

// floors are the built programs, in a folder of their own.
type floors string

// buildFloors builds them as the Makefile builds the command. It runs in the module's folder.
func buildFloors(ctx context.Context) (floors, error) {
	folder, err := os.MkdirTemp("", "lakeql-floor-")
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", folder+string(filepath.Separator), "./internal/bench/floor/...") //nolint:gosec // the folder is ours
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		_ = os.RemoveAll(folder) // it is in a folder for temporary files
		return "", fmt.Errorf("build the floor programs: %w\n%s", err, out)
	}
	return floors(folder), nil
}

func (f floors) argv(name floor) []string { return []string{filepath.Join(string(f), string(name))} }

func (f floors) remove() { _ = os.RemoveAll(string(f)) } // it is in a folder for temporary files
