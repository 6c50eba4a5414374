package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// host is the platform of this machine, whose command writes the manual and the completions.
func host() platform { return platform{runtime.GOOS, runtime.GOARCH} }

// build compiles the command for each platform, and for this machine.
func (r *release) build(ctx context.Context) error {
	for _, p := range append([]platform{host()}, r.platforms...) {
		if r.binaries[p] != "" {
			continue
		}
		to := filepath.Join(r.work, p.os+"_"+p.arch, p.binary())
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=true", //nolint:gosec // the version is checked
			"-ldflags", "-s -w -buildid= -X github.com/lakeql/lakeql/internal/cli.version="+r.version, "-o", to, ".")
		cmd.Dir = r.root
		// Settings of this machine may not reach the bytes.
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+p.os, "GOARCH="+p.arch, "GOFLAGS=-mod=readonly",
			"GOWORK=off", "GOAMD64=", "GOARM64=", "GOEXPERIMENT=", "GODEBUG=")
		if _, err := captured(cmd); err != nil {
			return err
		}
		r.binaries[p] = to
		r.say("  %s", p)
	}
	return nil
}
