package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/semver"
)

// open checks that a version can be released from the checkout that a folder is in, and reads what is known of it.
func open(ctx context.Context, dir, version string) (*release, error) {
	version = strings.TrimPrefix(version, "v")
	if v := "v" + version; semver.Canonical(v) != v { // a suffix +meta would not survive in names of packages
		return nil, fmt.Errorf("-version %q is no version such as 0.2.0 or 0.2.0-rc.1", version)
	}
	root, err := output(ctx, dir, "git", "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, err
	}
	changed, err := output(ctx, root, "git", "status", "--porcelain")
	if err != nil {
		return nil, err
	}
	if changed != "" {
		return nil, fmt.Errorf("the checkout is not clean, and a release is made of a commit:\n%s", changed)
	}
	head, err := output(ctx, root, "git", "log", "-1", "--format=%H %ct")
	if err != nil {
		return nil, err
	}
	commit, seconds, _ := strings.Cut(head, " ")
	date, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return nil, err
	}
	if tagged, err := output(ctx, root, "git", "rev-parse", "--verify", "--quiet", "refs/tags/v"+version+"^{commit}"); err == nil && tagged != commit {
		return nil, fmt.Errorf("the tag v%s is another commit, %s", version, tagged)
	}
	changelog, err := os.ReadFile(filepath.Join(root, "CHANGELOG.md"))
	if err != nil {
		return nil, err
	}
	notes, err := notesOf(string(changelog), version)
	if err != nil {
		return nil, err
	}
	return &release{root: root, version: version, commit: commit, date: time.Unix(date, 0).UTC(), notes: notes, binaries: map[platform]string{}}, nil
}

// notesOf returns the section of a version in the changelog. A version before the final one, such as
// 0.2.0-rc.1, has the section Unreleased.
func notesOf(changelog, version string) (string, error) {
	section := version
	if semver.Prerelease("v"+version) != "" {
		section = "Unreleased"
	}
	_, text, found := strings.Cut("\n"+changelog, "\n## ["+section+"]")
	if !found {
		return "", fmt.Errorf("CHANGELOG.md has no section [%s]: give the section Unreleased this name and a date", section)
	}
	_, text, _ = strings.Cut(text, "\n")
	text, _, _ = strings.Cut(text, "\n## [")
	if text = strings.TrimSpace(text); text == "" {
		return "", fmt.Errorf("the section [%s] of CHANGELOG.md is empty", section)
	}
	return text + "\n", nil
}

// output runs a program in a folder and returns what it prints, without the last line end.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // git, go, and the command just built
	cmd.Dir = dir
	return captured(cmd)
}

// captured runs a program and returns what it prints. Its error has what it printed to standard error.
func captured(cmd *exec.Cmd) (string, error) {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", errors.Join(fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err), errors.New(strings.TrimSpace(stderr.String())))
	}
	return strings.TrimSuffix(string(out), "\n"), nil
}
