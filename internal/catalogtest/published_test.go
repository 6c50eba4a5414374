package catalogtest_test

import (
	"bufio"
	"encoding/csv"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/catalogtest"
	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/testworld"
	"github.com/lakeql/lakeql/provider"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// overlays is where people decide on names.
const overlays = "../../openapi/overlays/"

// TestPublishedNames looks for every parameter, attribute and column of StackQL's published methods
// and views. A name that is not here stands in column-differences.csv, with the reason. Whoever sees
// it fail makes the name exist, adds a line, or takes out a line that has become wrong.
func TestPublishedNames(t *testing.T) {
	t.Parallel()
	cat := testworld.Catalogue(t)
	p := &published{t: t, cat: cat, today: namesToday(t), listed: differences(t), used: map[string]bool{}}
	for _, line := range lines(t, "testdata/stackql-methods.txt") {
		p.method(line[0], line[1], line[2:])
	}
	for _, line := range lines(t, "testdata/stackql-views.txt") {
		p.view(line[0], line[1], line[2:])
	}
	for key := range p.listed {
		if !p.used[key] {
			t.Errorf("column-differences.csv lists %s, which is here or which StackQL does not have", key)
		}
	}
	testworld.Golden(t, "testdata/published.golden", p.counts(), *update)
}

// published compares StackQL's names with those of the catalogue.
type published struct {
	t      *testing.T
	cat    *provider.Catalogue
	today  map[string][]string // by a published method, our names for its operations; empty: none
	listed map[string]bool     // "full name, kind, name" of column-differences.csv
	used   map[string]bool     // of listed

	methods, resources, views tally
	kinds                     []*kindTally
}

// kindTally is the tally for a kind of names.
type kindTally struct {
	kind string
	tally
}

func (k *kindTally) plural() string {
	if k.kind == "body" {
		return "attributes of bodies"
	}
	return k.kind + "s"
}

// tally counts names: how many StackQL has, how many are here, and how many are listed. The others are
// of methods that are not here, for which name-differences.csv has the reason.
type tally struct {
	seen                map[string]bool
	there, here, listed int
}

// count counts a name once.
func (c *tally) count(name string, here bool) {
	if c.seen == nil {
		c.seen = map[string]bool{}
	}
	if !c.seen[name] {
		c.seen[name] = true
		c.there++
		if here {
			c.here++
		}
	}
}

// kind returns the tally for a kind of names.
func (p *published) kind(kind string) *tally {
	for _, k := range p.kinds {
		if k.kind == kind {
			return &k.tally
		}
	}
	p.kinds = append(p.kinds, &kindTally{kind: kind})
	return p.kind(kind)
}

// method looks for names of one kind of a published method.
func (p *published) method(full, kind string, names []string) {
	p.t.Helper()
	if kind == "optional" || kind == "required" {
		kind = "parameter"
	}
	resource := full[:strings.LastIndexByte(full, '.')]
	ours, known := p.today[full]
	if !known {
		p.t.Errorf("names.csv has no %s", full)
	}
	isHere := len(ours) > 0
	r, err := p.cat.ResourceOf(resource)
	p.resources.count(resource, err == nil && !r.IsFormer())
	p.methods.count(full, isHere)
	var all []string
	for _, name := range ours {
		all = append(all, p.namesOf(name, kind)...)
	}
	for _, name := range names {
		k := p.kind(kind)
		k.there++
		switch {
		case !isHere: // name-differences.csv says why
		case slices.Contains(all, name):
			k.here++
		case p.isListed(full, kind, name):
			k.listed++
		default:
			p.t.Errorf("%s has the %s %s in StackQL, which is not here and not in column-differences.csv", full, kind, name)
		}
	}
}

// isListed reports whether column-differences.csv has a name.
func (p *published) isListed(full, kind, name string) bool {
	key := full + ", " + kind + ", " + name
	p.used[key] = true
	return p.listed[key]
}

// namesOf lists the names of a kind that statements about one of our methods may use. Columns are those
// of its rows, with /*+ AWAIT */ as without, and all of a SELECT.
func (p *published) namesOf(full, kind string) []string {
	p.t.Helper()
	m := p.ourMethod(full)
	inputs, err := catalogtest.Inputs(p.cat, m)
	if err != nil {
		p.t.Fatal(err)
	}
	for i := range m.Params {
		inputs = append(inputs, m.Params[i].Spellings()...)
		if object, _, dotted := strings.Cut(m.Params[i].Name, "."); dotted {
			inputs = append(inputs, object)
		}
	}
	if kind != "column" {
		return inputs
	}
	all, err := catalogtest.RowColumns(p.cat, m)
	if err != nil {
		p.t.Fatal(err)
	}
	rows, err := (&dispatch.Client{Catalogue: p.cat}).Columns(m)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, c := range rows {
		all = append(all, strings.Fields(c.Former)...)
	}
	if m.Wait != nil {
		all = append(all, p.awaited(m)...)
	}
	if m.SQLVerb == provider.Select {
		all = append(all, inputs...)
	}
	return all
}

// awaited lists the columns of a method's rows if the statement waits for its end.
func (p *published) awaited(m *provider.Method) []string {
	p.t.Helper()
	if m.Wait.Kind == provider.ForState {
		all, err := catalogtest.RowColumns(p.cat, p.ourMethod(m.Wait.Poll))
		if err != nil {
			p.t.Fatal(err)
		}
		return all
	}
	result, err := p.cat.Resolve(m, m.Wait.Result)
	if err != nil {
		p.t.Fatal(err)
	}
	var all []string
	if result != nil {
		for _, property := range result.Properties {
			all = append(all, property.Name)
		}
	}
	return all
}

func (p *published) ourMethod(full string) *provider.Method {
	p.t.Helper()
	found, _, err := p.cat.Lookup(strings.Split(full, ".")...)
	if err != nil {
		p.t.Fatal(err)
	}
	return found.Method
}

// view looks for parameters or columns of a published view.
func (p *published) view(full, kind string, names []string) {
	p.t.Helper()
	r, err := p.cat.ResourceOf(full)
	p.views.count(full, err == nil && r.View != nil)
	if err != nil || r.View == nil {
		p.t.Errorf("view %s is not here: %v", full, err)
		return
	}
	fields := r.View.Fields
	if kind == "parameter" {
		fields = r.View.RequiredParams
	}
	for _, name := range names {
		k := p.kind("view's " + kind)
		k.there++
		if slices.ContainsFunc(fields, func(f provider.ViewField) bool { return f.Name == name }) {
			k.here++
		} else {
			p.t.Errorf("view %s has the %s %s in StackQL, which is not here", full, kind, name)
		}
	}
}

// counts is the content of the golden file.
func (p *published) counts() string {
	var b strings.Builder
	b.WriteString("of StackQL's published providers  there   here  listed  of methods that are not here\n")
	row := func(what string, c tally, rest bool) {
		fmt.Fprintf(&b, "%-32s %6d %6d", what, c.there, c.here)
		if rest {
			fmt.Fprintf(&b, " %7d %7d", c.listed, c.there-c.here-c.listed)
		}
		b.WriteByte('\n')
	}
	row("resources", p.resources, false)
	row("methods", p.methods, false)
	row("views", p.views, false)
	for _, k := range p.kinds {
		row(k.plural(), k.tally, true)
	}
	return b.String()
}

// lines reads a file of words, without its comments.
func lines(t *testing.T, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // reading it loses nothing
	var all [][]string
	for scan := bufio.NewScanner(f); scan.Scan(); {
		if words := strings.Fields(scan.Text()); !strings.HasPrefix(scan.Text(), "#") {
			all = append(all, words)
		}
	}
	return all
}

// records reads a file of the overlays, without its heading.
func records(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open(overlays + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // reading it loses nothing
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all[1:]
}

// namesToday finds our names for each published method. Two operations may have one published name.
func namesToday(t *testing.T) map[string][]string {
	t.Helper()
	differ := map[string]string{} // by operation, our name
	for _, r := range records(t, "name-differences.csv") {
		differ[strings.Join(r[:3], " ")], _, _ = strings.Cut(r[4], " ")
	}
	today := map[string][]string{}
	for _, r := range records(t, "names.csv") {
		if r[5] == "view" {
			continue
		}
		service, name := r[0]+"."+r[1]+".", r[3]+"."+r[4]
		ours, differs := differ[strings.Join(r[:3], " ")]
		if !differs {
			ours = name
		}
		if today[service+name] == nil {
			today[service+name] = []string{}
		}
		if ours != "" {
			today[service+name] = append(today[service+name], service+ours)
		}
	}
	return today
}

// differences reads column-differences.csv, and checks that each line has a reason.
func differences(t *testing.T) map[string]bool {
	t.Helper()
	listed := map[string]bool{}
	for _, r := range records(t, "column-differences.csv") {
		full := strings.Join(r[:4], ".")
		if r[6] == "" {
			t.Errorf("column-differences.csv gives no reason for %s", full)
		}
		for name := range strings.FieldsSeq(r[5]) {
			key := full + ", " + r[4] + ", " + name
			if listed[key] {
				t.Errorf("column-differences.csv lists %s twice", key)
			}
			listed[key] = true
		}
	}
	return listed
}
