// Release builds what a release of lakeql publishes: for each platform an archive, and packages of Linux
// distributions; an image; manifests of package managers; bills of materials; checksums with a signature; and
// a script that installs it all. It needs a clean checkout and, beyond the module cache, no network.
//
//	go run ./internal/release -version 0.2.0 -key minisign.key
//
// The same commit gives the same bytes, on whatever machine and in whatever folder.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// repository is where a release is published.
const repository = "https://github.com/lakeql/lakeql"

// platforms are those that a release is for.
var platforms = []platform{
	{"linux", "amd64"},
	{"linux", "arm64"},
	{"darwin", "amd64"},
	{"darwin", "arm64"},
	{"windows", "amd64"},
	{"windows", "arm64"},
}

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stderr)
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// run makes a release by the arguments of the command.
func run(ctx context.Context, args []string, log io.Writer) error {
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	version := flags.String("version", "", "the version, such as 0.2.0")
	output := flags.String("output", "", "the folder for the files (default: dist/lakeql-<version>); it must not exist")
	only := flags.String("platforms", "", "build only these, such as linux/amd64,darwin/arm64 (default: all)")
	key := flags.String("key", "", "the file of minisign's secret key; its password is in MINISIGN_PASSWORD")
	if err := flags.Parse(args); err != nil {
		return err
	}
	chosen, err := parsePlatforms(*only)
	if err != nil {
		return err
	}
	signer, err := readKey(*key, os.Getenv("MINISIGN_PASSWORD"))
	if err != nil {
		return err
	}
	r, err := open(ctx, ".", *version)
	if err != nil {
		return err
	}
	r.platforms, r.signer, r.log = chosen, signer, log
	if *output == "" {
		*output = filepath.Join(r.root, "dist", "lakeql-"+r.version)
	}
	return r.write(ctx, *output)
}

// platform is an operating system and a processor, by Go's names.
type platform struct{ os, arch string }

// String returns the form that Go's tools print.
func (p platform) String() string { return p.os + "/" + p.arch }

// binary is the name of the command there.
func (p platform) binary() string {
	if p.os == "windows" {
		return "lakeql.exe"
	}
	return "lakeql"
}

// parsePlatforms reads a list with commas; an empty one stands for all.
func parsePlatforms(list string) ([]platform, error) {
	if list == "" {
		return platforms, nil
	}
	var chosen []platform
	for name := range strings.SplitSeq(list, ",") {
		i := slices.IndexFunc(platforms, func(p platform) bool { return p.String() == name })
		if i < 0 {
			return nil, fmt.Errorf("-platforms: there are no releases for %q: choose from %v", name, platforms)
		}
		chosen = append(chosen, platforms[i])
	}
	return chosen, nil
}

// release is one release while it is made.
type release struct {
	root      string    // the checkout
	version   string    // without a leading v
	commit    string    // of the checkout
	date      time.Time // of the commit, which all files have
	notes     string    // Markdown: what changed
	platforms []platform
	signer    *signer
	log       io.Writer

	work     string              // a folder for what goes into the files
	binaries map[platform]string // by platform: the file of the command
	shared   []file              // what every archive and package has besides
	out      string              // the folder of the files
}

// file is a file of an archive or package.
type file struct {
	name   string // in an archive, with slashes
	source string // on this machine
	mode   os.FileMode
}

// write makes all files in a folder, which is there only when they are whole.
func (r *release) write(ctx context.Context, output string) error {
	if _, err := os.Lstat(output); err == nil {
		return fmt.Errorf("%s exists: delete it, or name another folder with -output", output)
	}
	if err := os.MkdirAll(filepath.Dir(output), 0o755); err != nil { //nolint:gosec // for all to read
		return err
	}
	work, err := os.MkdirTemp(filepath.Dir(output), ".release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work) //nolint:errcheck // nothing depends on it
	r.work, r.out = work, filepath.Join(work, "out")
	if err := os.Mkdir(r.out, 0o755); err != nil { //nolint:gosec // for all to read
		return err
	}
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"build", r.build},
		{"licences, manual, completions", r.writeShared},
		{"archives", r.writeArchives},
		{"packages", r.writePackages},
		{"image", r.writeImage},
		{"bills of materials", r.writeBills},
		{"manifests and script", r.writeManifests},
		{"checksums", r.writeSums},
	} {
		start := time.Now()
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		r.say("%-30s %.1f s", step.name, time.Since(start).Seconds())
	}
	if err := errors.Join(os.Chmod(r.out, 0o755), os.Rename(r.out, output)); err != nil { //nolint:gosec // for all to read
		return err
	}
	r.say("%s is whole", output)
	return nil
}

// say reports progress.
func (r *release) say(format string, args ...any) { _, _ = fmt.Fprintf(r.log, format+"\n", args...) }

// name is the name of a file for a platform: lakeql_0.2.0_linux_amd64.tar.gz.
func (r *release) name(p platform, ending string) string {
	return fmt.Sprintf("lakeql_%s_%s_%s%s", r.version, p.os, p.arch, ending)
}

// path is where a file of the release is written.
func (r *release) path(name string) string { return filepath.Join(r.out, name) }
