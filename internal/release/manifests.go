package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"text/template"
)

// templates are the files that differ from release to release by few words.
//
//go:embed lakeql.rb.tmpl install.sh.tmpl
var templates embed.FS

// download is where a file of the release can be had.
func (r *release) download(name string) string {
	return repository + "/releases/download/v" + r.version + "/" + name
}

// archive is a platform's archive, as a manifest names it.
type archive struct {
	URL, SHA256 string
}

// archives are all archives, by operating system and processor.
func (r *release) archives() (map[string]map[string]*archive, error) {
	found := map[string]map[string]*archive{}
	for _, p := range r.platforms {
		name := r.name(p, archiveEnding(p))
		sum, err := sumOf(r.path(name))
		if err != nil {
			return nil, err
		}
		if found[p.os] == nil {
			found[p.os] = map[string]*archive{}
		}
		found[p.os][p.arch] = &archive{r.download(name), sum}
	}
	return found, nil
}

// sumOf is the SHA-256 of a file, in hexadecimal digits.
func sumOf(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // only read
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// writeManifests writes what package managers read, the notes, and, if the release is signed, the script
// that installs it: it trusts that signature alone.
func (r *release) writeManifests(context.Context) error {
	archives, err := r.archives()
	if err != nil {
		return err
	}
	values := map[string]any{
		"Version": r.version, "Summary": summary, "Licence": licence, "Repository": repository,
		"Download": r.download(""), "Archives": archives, "Key": "",
	}
	if err := create(r.path("RELEASE_NOTES.md"), func(w io.Writer) error { _, err := io.WriteString(w, r.notes); return err }); err != nil {
		return err
	}
	if archives["darwin"] != nil || archives["linux"] != nil {
		if err := r.fill("lakeql.rb", values); err != nil {
			return err
		}
	}
	if archives["windows"] != nil {
		if err := r.writeScoop(archives["windows"]); err != nil {
			return err
		}
	}
	if r.signer == nil {
		r.say("  without -key there is no signature, and no install.sh, which needs it")
		return nil
	}
	values["Key"] = r.signer.public.String()
	return r.fill("install.sh", values)
}

// fill writes a file from its template.
func (r *release) fill(name string, values map[string]any) error {
	text, err := template.New(name+".tmpl").Option("missingkey=error").ParseFS(templates, name+".tmpl")
	if err != nil {
		return err
	}
	return create(r.path(name), func(w io.Writer) error { return text.Execute(w, values) })
}

// writeScoop writes the manifest for Scoop.
func (r *release) writeScoop(archives map[string]*archive) error {
	type entry struct {
		URL     string `json:"url"`
		Hash    string `json:"hash"`
		Extract string `json:"extract_dir"`
	}
	names := map[string]string{"amd64": "64bit", "arm64": "arm64"}
	entries := map[string]entry{}
	for arch, a := range archives {
		entries[cmp.Or(names[arch], arch)] = entry{a.URL, a.SHA256, "lakeql_" + r.version + "_windows_" + arch}
	}
	manifest, err := json.MarshalIndent(map[string]any{
		"version": r.version, "description": summary, "homepage": repository, "license": licence,
		"architecture": entries, "bin": "lakeql.exe",
	}, "", "    ")
	if err != nil {
		return err
	}
	return create(r.path("lakeql.json"), func(w io.Writer) error { _, err := w.Write(append(manifest, '\n')); return err })
}
