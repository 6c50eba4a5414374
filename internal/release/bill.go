package main

import (
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// writeBills writes a software bill of materials for each platform: the modules that the command itself
// names, with their versions.
func (r *release) writeBills(context.Context) error {
	for _, p := range r.platforms {
		bill, err := r.bill(p)
		if err != nil {
			return err
		}
		err = create(r.path(r.name(p, ".cdx.json")), func(w io.Writer) error {
			return cdx.NewBOMEncoder(w, cdx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false).Encode(bill)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// bill is the bill of materials of one platform's command.
func (r *release) bill(p platform) (*cdx.BOM, error) {
	info, err := buildinfo.ReadFile(r.binaries[p])
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(r.binaries[p])
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(content)
	bill := cdx.NewBOM()
	bill.SerialNumber = "urn:uuid:" + uuidOf(sum)
	command := cdx.Component{
		BOMRef: "lakeql", Type: cdx.ComponentTypeApplication, Name: "lakeql", Version: r.version, Description: summary,
		Hashes:     &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum[:])}},
		Licenses:   &cdx.Licenses{{License: &cdx.License{ID: licence}}},
		PackageURL: purl(info.Main.Path, "v"+r.version),
		ExternalReferences: &[]cdx.ExternalReference{
			{Type: cdx.ERTypeVCS, URL: repository}, {Type: cdx.ERTypeReleaseNotes, URL: r.download("RELEASE_NOTES.md")},
		},
	}
	bill.Metadata = &cdx.Metadata{Timestamp: r.date.Format(time.RFC3339), Component: &command}
	standard := cdx.Component{
		BOMRef: "go", Type: cdx.ComponentTypeLibrary, Name: "std", Version: info.GoVersion,
		PackageURL: purl("std", strings.TrimPrefix(info.GoVersion, "go")),
	}
	components, refs := []cdx.Component{standard}, []string{standard.BOMRef}
	for _, m := range info.Deps {
		for m.Replace != nil {
			m = m.Replace
		}
		component := cdx.Component{BOMRef: purl(m.Path, m.Version), Type: cdx.ComponentTypeLibrary, Name: m.Path, Version: m.Version, PackageURL: purl(m.Path, m.Version)}
		if m.Sum != "" { // the sum of go.sum, which is of the module's files and not of an archive
			component.Properties = &[]cdx.Property{{Name: "lakeql:go.sum", Value: m.Sum}}
		}
		components, refs = append(components, component), append(refs, component.BOMRef)
	}
	bill.Components = &components
	bill.Dependencies = &[]cdx.Dependency{{Ref: command.BOMRef, Dependencies: &refs}}
	return bill, nil
}

// purl is the package URL of a Go module.
func purl(path, version string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	return "pkg:golang/" + strings.Join(parts, "/") + "@" + url.PathEscape(version)
}

// uuidOf makes a UUID of a sum, so that the same command has the same one (RFC 9562, version 8).
func uuidOf(sum [sha256.Size]byte) string {
	id := sum[:16]
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
