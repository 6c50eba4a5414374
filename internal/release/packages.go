package main

import (
	"context"
	"fmt"
	"io"
	"path"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/apk" // registers itself
	_ "github.com/goreleaser/nfpm/v2/deb"
	"github.com/goreleaser/nfpm/v2/files"
	_ "github.com/goreleaser/nfpm/v2/rpm"
)

// What packages and manifests say of lakeql.
const (
	summary     = "Run SQL against the Databricks API"
	description = "lakeql runs SQL statements against the Databricks API: statements become calls, and answers\n" +
		"become rows. It needs no server and no database."
	maintainer = "The lakeql authors <lakeql@users.noreply.github.com>"
	licence    = "Apache-2.0"
)

// installed are the places of the shared files on Linux, by the folder that they have in an archive.
var installed = map[string]string{
	"lakeql":                  "/usr/bin/lakeql",
	"completions/lakeql.bash": "/usr/share/bash-completion/completions/lakeql",
	"completions/_lakeql":     "/usr/share/zsh/vendor-completions/_lakeql",
	"completions/lakeql.fish": "/usr/share/fish/vendor_completions.d/lakeql.fish",
	"LICENSE":                 "/usr/share/doc/lakeql/copyright",
}

// destination is where a package puts a file; empty: nowhere.
func destination(name string) string {
	if to, ok := installed[name]; ok {
		return to
	}
	switch folder, base := path.Split(name); folder {
	case "man/":
		return "/usr/share/man/man1/" + base
	case "":
		return "/usr/share/doc/lakeql/" + base
	}
	return ""
}

// writePackages writes a deb, rpm, and apk for each platform of Linux.
func (r *release) writePackages(context.Context) error {
	for _, p := range r.platforms {
		if p.os != "linux" {
			continue
		}
		for _, format := range []string{"deb", "rpm", "apk"} {
			packager, err := nfpm.Get(format)
			if err != nil {
				return err
			}
			info := nfpm.WithDefaults(r.packageInfo(p))
			if err := nfpm.PrepareForPackager(info, format); err != nil {
				return err
			}
			if err := create(r.path(packager.ConventionalFileName(info)), func(w io.Writer) error { return packager.Package(info, w) }); err != nil {
				return fmt.Errorf("%s for %s: %w", format, p, err)
			}
		}
	}
	return nil
}

// packageInfo describes the package for a platform.
func (r *release) packageInfo(p platform) *nfpm.Info {
	info := &nfpm.Info{
		Name: "lakeql", Arch: p.arch, Platform: p.os, Version: r.version, VersionSchema: "semver",
		Section: "database", Priority: "optional", Maintainer: maintainer, Homepage: repository, License: licence,
		Description: summary + "\n" + description, MTime: r.date, DisableGlobbing: true,
	}
	info.RPM.BuildHost = "lakeql" // else the name of this machine
	info.RPM.Summary = summary
	info.Recommends = []string{"ca-certificates"}
	info.Suggests = []string{"postgresql-client"}
	for _, f := range r.contents(p) {
		to := destination(f.name)
		if to == "" {
			continue
		}
		info.Contents = append(info.Contents, &files.Content{Source: f.source, Destination: to, FileInfo: &files.ContentFileInfo{Mode: f.mode, MTime: r.date, Owner: "root", Group: "root"}})
	}
	return info
}
