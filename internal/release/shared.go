package main

import (
	"context"
	"os"
	"path/filepath"
)

// licencesFile has the licences of all modules in the command.
const licencesFile = "THIRD_PARTY_LICENSES"

// shells are those that completions are written for, with the name of the file of each.
var shells = []struct{ name, file string }{
	{"bash", "lakeql.bash"}, {"zsh", "_lakeql"}, {"fish", "lakeql.fish"}, {"powershell", "lakeql.ps1"},
}

// writeShared makes what all archives have beside the command.
func (r *release) writeShared(ctx context.Context) error {
	licences := filepath.Join(r.work, licencesFile)
	if err := r.writeLicences(ctx, licences); err != nil {
		return err
	}
	r.shared = []file{
		{"README.md", filepath.Join(r.root, "README.md"), 0o644},
		{"CHANGELOG.md", filepath.Join(r.root, "CHANGELOG.md"), 0o644},
		{"LICENSE", filepath.Join(r.root, "LICENSE"), 0o644},
		{licencesFile, licences, 0o644},
	}
	command := r.binaries[host()]
	manual := filepath.Join(r.work, "man")
	if _, err := output(ctx, r.work, command, "man", manual); err != nil {
		return err
	}
	pages, err := filepath.Glob(filepath.Join(manual, "*.1"))
	if err != nil {
		return err
	}
	for _, page := range pages {
		r.shared = append(r.shared, file{"man/" + filepath.Base(page), page, 0o644})
	}
	for _, shell := range shells {
		script, err := output(ctx, r.work, command, "completion", shell.name)
		if err != nil {
			return err
		}
		to := filepath.Join(r.work, shell.file)
		if err := os.WriteFile(to, []byte(script+"\n"), 0o600); err != nil {
			return err
		}
		r.shared = append(r.shared, file{"completions/" + shell.file, to, 0o644})
	}
	return nil
}
