package openapi

import (
	"archive/zip"
	"bytes"
	"io"
	"testing"
)

// TestPartsAreTheArchives compares each part of the embedded catalogue with archive/zip's reading of it,
// and checks that a damaged archive is refused.
func TestPartsAreTheArchives(t *testing.T) {
	t.Parallel()
	archive, err := zip.NewReader(bytes.NewReader(embedded), int64(len(embedded)))
	if err != nil {
		t.Fatal(err)
	}
	c, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	parts := 0
	for range c.entries {
		parts++
	}
	if parts != len(archive.File) {
		t.Errorf("%d parts, the archive has %d", parts, len(archive.File))
	}
	for _, f := range archive.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		want, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.read(f.Name); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, want %d: %v", f.Name, len(got), len(want), err)
		}
	}
	if _, err := c.read("none.json"); err == nil {
		t.Error("there is a part that is not in the archive")
	}
	for name, data := range map[string][]byte{"nothing": nil, "no archive": []byte("no archive, but long enough for one"), "its end alone": embedded[len(embedded)-22:], "cut off": embedded[:len(embedded)-1]} {
		if _, err := OpenCompiled(data); err == nil {
			t.Errorf("%s opens", name)
		}
	}
}
