// Package report draws what a pipeline's store holds, as one page of HTML: the freshness of the rows, what
// changed, the last checks, and what costs. The page needs no script and no network, so that it can be mailed
// and printed. A [Server] shows the same page live, with the rows behind it.
//
// A [Source] reads the store. Every text of it is text in the page, whatever it holds: html/template escapes
// it, characters that do not print are written as escapes, and what looks like a credential is masked. Lists
// are bounded, so the size of a page does not grow with that of the store.
package report

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"io"
	"time"

	"github.com/lakeql/lakeql/internal/pipeline"
	"github.com/lakeql/lakeql/provider"
)

// Source reads a store; see [pipeline.Reader].
type Source interface {
	Overview(ctx context.Context, since time.Time, runs int) (*pipeline.Overview, error)
	Latest(ctx context.Context, groups, examples int) (latest []pipeline.ChangeGroup, more bool, err error)
	Checks(ctx context.Context, results, rows int) ([]pipeline.CheckOverview, error)
	Groups(ctx context.Context, table string, columns []string, limit int) (groups []pipeline.Group, more bool, err error)
	Rows(ctx context.Context, q pipeline.RowsQuery) (provider.Rows, error)
	History(ctx context.Context, table, workspace string, after *pipeline.Cursor, limit int) (changes []pipeline.RowChange, more bool, err error)
}

// Options say how a page is drawn.
type Options struct {
	// Name is the name of the pipeline; empty: those of the store's pipelines.
	Name string
	// Now returns the time that ages are counted from; nil: the store's clock.
	Now func() time.Time
	// LooksSecret, if set, reports whether a text looks like a credential. Such texts are masked.
	LooksSecret func(text string) bool
}

// The bounds of a page.
const (
	daysShown    = 30
	runsShown    = 10
	groupsShown  = 40 // of the latest changes
	examples     = 3  // of rows of a kind, in each of them
	mostTables   = 200
	longestText  = 120 // characters of a value
	longestError = 300
)

//go:embed pages/*.html pages/style.css
var files embed.FS

// pages are the templates and the style of all pages.
type pages struct {
	*template.Template

	style  template.CSS
	policy string // Content-Security-Policy
}

func parsePages() (*pages, error) {
	style, err := files.ReadFile("pages/style.css")
	if err != nil {
		return nil, provider.Internalf("the style of the report").Because(err)
	}
	t, err := template.New("").Funcs(template.FuncMap{
		"tablePath": tablePath, "workspacePath": workspacePath,
		// A template has one argument.
		"link": func(name string, live bool) map[string]any { return map[string]any{"Name": name, "Live": live} },
		"heat": func(tables []string, rows []heatRow, live bool, caption string) map[string]any {
			return map[string]any{"Tables": tables, "Rows": rows, "Live": live, "Caption": caption}
		},
	}).ParseFS(files, "pages/*.html")
	if err != nil {
		return nil, provider.Internalf("the templates of the report").Because(err)
	}
	sum := sha256.Sum256(style)
	return &pages{
		Template: t,
		style:    template.CSS(style), //nolint:gosec // it is this package's
		// The page has no script, loads nothing, and sends nothing but its own forms to itself.
		policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'self'",
	}, nil
}

// frame is what all pages have.
type frame struct {
	Title  string
	Policy string // empty: it is in the header of the answer
	Style  template.CSS
	Live   bool // there are pages behind links
	Store  string
	Made   stamp
}

// page is the report.
type page struct {
	frame

	Pipelines string
	Verdict   string
	Tone      string
	Tiles     []tile
	Failures  []failure
	MoreFails int
	Checks    []check
	MoreCheck int
	Heat      heat
	Chart     chart
	Latest    []changed
	Older     bool
	Drivers   []driver
	Tables    []table
	MoreTable int
	Runs      []run
	Schedules []schedule
}

// Write writes the report as a file of HTML.
func Write(ctx context.Context, w io.Writer, source Source, o Options) error {
	p, err := parsePages()
	if err != nil {
		return err
	}
	d, err := drawPage(ctx, source, o, false)
	if err != nil {
		return err
	}
	d.Policy, d.Style = p.policy, p.style
	return p.write(w, "report.html", d)
}

// write writes a page as a whole, or nothing.
func (p *pages) write(w io.Writer, name string, data any) error {
	var b bytes.Buffer
	if err := p.ExecuteTemplate(&b, name, data); err != nil {
		return provider.Internalf("draw the report").Because(err)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// drawPage reads the store, and makes the report of it.
func drawPage(ctx context.Context, source Source, o Options, live bool) (*page, error) {
	clock := time.Now
	if o.Now != nil {
		clock = o.Now
	}
	first := clock().UTC().AddDate(0, 0, 1-daysShown)
	over, err := source.Overview(ctx, first.Truncate(24*time.Hour), runsShown)
	if err != nil {
		return nil, err
	}
	if o.Now != nil {
		over.Now = clock()
	}
	latest, older, err := source.Latest(ctx, groupsShown, examples)
	if err != nil {
		return nil, err
	}
	checked, err := source.Checks(ctx, resultsOf, failingRows)
	if err != nil {
		return nil, err
	}
	d := &drawing{Overview: over, text: text{o.LooksSecret}, checked: checked}
	name := cmp.Or(o.Name, d.pipelines())
	p := &page{
		frame:     frame{Live: live, Title: d.short(name, longestText), Store: d.short(over.Place, longestError), Made: d.stamp(over.Now)},
		Pipelines: d.short(d.pipelines(), longestError), Older: older,
	}
	p.Verdict, p.Tone = d.verdict()
	p.Tiles = d.tiles()
	p.Checks, p.MoreCheck = d.checks(checked)
	p.Failures, p.MoreFails = d.failures()
	p.Heat = d.heat()
	p.Chart = d.chart()
	p.Latest = d.latest(latest)
	p.Tables, p.MoreTable = d.tables()
	p.Runs, p.Schedules = d.runs(), d.schedules()
	p.Drivers, err = d.drivers(ctx, source)
	return p, err
}

// drawing makes the parts of a page of what a store holds.
type drawing struct {
	*pipeline.Overview
	text

	checked []pipeline.CheckOverview
}
