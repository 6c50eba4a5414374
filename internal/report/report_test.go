package report

import (
	"bytes"
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/testworld"
)

var update = flag.Bool("update", false, "write the golden files")

// written makes the report of a world.
func draw(t *testing.T, w *world) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(t.Context(), &b, w, Options{Name: "inventory", Now: now, LooksSecret: dispatch.LooksSecret}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestReportIsTheSameText: the same store and the same time are the same bytes.
func TestReportIsTheSameText(t *testing.T) {
	t.Parallel()
	text := draw(t, newWorld(8, 6))
	testworld.Golden(t, "testdata/report.html", text, *update)
	for i := range 3 {
		if again := draw(t, newWorld(8, 6)); again != text {
			t.Fatalf("drawn again (%d), the report differs", i)
		}
	}
}

// TestPictures pins the drawings by themselves.
func TestPictures(t *testing.T) {
	t.Parallel()
	p, err := parsePages()
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(8, 16)
	d := &drawing{Overview: &w.over}
	drivers, err := d.drivers(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	for name, picture := range map[string]struct {
		template string
		data     any
	}{
		"days.svg":       {"chart", d.chart()},
		"warehouses.svg": {"sizebar", drivers[0].Sizes[0]},
	} {
		var b bytes.Buffer
		if err := p.ExecuteTemplate(&b, picture.template, picture.data); err != nil {
			t.Fatal(err)
		}
		testworld.Golden(t, "testdata/"+name, b.String()+"\n", *update)
	}
}

// TestHostileValuesAreText: no value ends the element or the style that it is in.
func TestHostileValuesAreText(t *testing.T) {
	t.Parallel()
	w := newWorld(8, 6)
	w.over.Tables[0].Description, w.over.Place = hostile, hostile
	w.over.Runs[0].Error, w.over.Runs[0].StartedBy = hostile, hostile
	for i := range w.over.Slices {
		if w.over.Slices[i].Error != "" {
			w.over.Slices[i].Error = hostile
		}
	}
	text := draw(t, w)
	for _, bad := range []string{"<script", "<img", "onerror=alert(1)>", "\u202e", "\u2066", "\x00", "\x1b", "dapi0123", "' onload='x"} {
		if at := strings.Index(text, bad); at >= 0 {
			t.Errorf("the page has %q: …%s", bad, text[max(0, at-100):at+100])
		}
	}
	if n := strings.Count(text, "<style>"); n != 1 {
		t.Errorf("the page has %d styles", n)
	}
	for _, good := range []string{`\u202e`, `\x1b[31m`, "&lt;script&gt;alert(", "Donaudampfschifffahrtsgesellschaftskapitän", "(masked)"} {
		if !strings.Contains(text, good) {
			t.Errorf("the page does not show %s", good)
		}
	}
	if strings.Contains(text, strings.Repeat("Donaudampfschifffahrtsgesellschaftskapitän", 4)) {
		t.Error("a long value is not cut")
	}
}

// TestReportIsBounded: the page does not grow with the store.
func TestReportIsBounded(t *testing.T) {
	t.Parallel()
	for _, size := range []struct{ workspaces, tables, kilobytes int }{{100, 16, 400}, {1000, 16, 500}, {500, 120, 900}, {5000, 4, 500}} {
		t.Run(fmt.Sprintf("%d×%d", size.workspaces, size.tables), func(t *testing.T) {
			t.Parallel()
			text := draw(t, newWorld(size.workspaces, size.tables))
			if len(text) > size.kilobytes<<10 {
				t.Errorf("the page has %d kB, want at most %d", len(text)>>10, size.kilobytes)
			}
		})
	}
}

// TestEmptyStore: a store without a run is a page, too.
func TestEmptyStore(t *testing.T) {
	t.Parallel()
	w := &world{}
	w.over.Now = now()
	text := draw(t, w)
	for _, says := range []string{"Nothing was run into this store yet.", "No workspace was queried yet.", "Nothing has changed yet.", "Not collected: the pipeline has no table warehouses.", "No run yet."} {
		if !strings.Contains(text, says) {
			t.Errorf("the page does not say %q", says)
		}
	}
}
