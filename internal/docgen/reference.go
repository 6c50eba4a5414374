package docgen

import (
	"cmp"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/lakeql/lakeql/internal/docgen/reference"
	"github.com/lakeql/lakeql/provider"
)

// generateReference writes the pages as StackQL's own generator does, to the byte, from the documents in a folder,
// or without one from the catalogue. Only the text around the provider's page is ours: that generator takes it from
// two files of its user's.
func (g *generator) generateReference(folder fs.FS) error {
	names, files, err := g.referenceServices(folder)
	if err != nil {
		return err
	}
	entries := 0 // in the folders of services, where that generator counts its resources
	first := &referenceExample{order: g.order}
	for _, name := range names {
		resources, read, err := g.referenceService(folder, name, files)
		if err != nil {
			return err
		}
		for _, resource := range resources {
			r, err := read(resource)
			if err != nil {
				return fmt.Errorf("page of %s.%s.%s: %w", g.provider.Name, name, resource, err)
			}
			if err := g.page(g.referencePage(r), servicesFolder, name, resource); err != nil {
				return err
			}
			first.consider(g.provider.Name, r)
		}
		sorted := slices.Clone(resources)
		g.order.sort(sorted)
		if err := g.page(serviceText(&provider.Service{Provider: g.provider.Name, Name: name}, sorted, exactly, false), servicesFolder, name); err != nil {
			return err
		}
		entries += 1 + len(resources)
	}
	services := slices.Sorted(slices.Values(names))
	return g.page(g.referenceIndex(services, entries, first.statement))
}

func (g *generator) referenceServices(folder fs.FS) (names []string, files map[string]string, err error) {
	if folder == nil {
		for _, info := range g.provider.Services {
			names = append(names, info.Name)
		}
		return names, nil, nil
	}
	names, paths, err := reference.Services(folder)
	files = make(map[string]string, len(names))
	for i, name := range names {
		files[name] = paths[i]
	}
	return names, files, err
}

// referenceService returns the resources of a service that have a page, and a function that reads one of them.
func (g *generator) referenceService(folder fs.FS, name string, files map[string]string) (names []string, read func(string) (*reference.Resource, error), err error) {
	if folder != nil {
		s, err := reference.Read(folder, name, files[name])
		if err != nil {
			return nil, nil, err
		}
		return s.Names(), s.Resource, nil
	}
	s, err := g.cat.Service(g.provider.Name, name)
	if err != nil {
		return nil, nil, err
	}
	for _, info := range s.Resources {
		if info.ID != "" {
			names = append(names, info.Name)
		}
	}
	return names, func(resource string) (*reference.Resource, error) {
		r, err := g.cat.Resource(g.provider.Name, name, resource)
		if err != nil {
			return nil, err
		}
		return g.asReference(r)
	}, nil
}

func (g *generator) referencePage(r *reference.Resource) string {
	var b strings.Builder
	b.Grow(32 << 10)
	writeFrontMatter(&b, g.provider.Name, exactly, r.Name, r.Name, r.Service, g.provider.Name)
	b.WriteString("\n" + pageImports + "\n")
	if r.Description != "" {
		b.WriteString(r.Description)
	} else {
		fmt.Fprintf(&b, "Creates, updates, deletes, gets or lists %s <code>%s</code> resource.", article(r.Name), r.Name)
	}
	kind := "Resource"
	if r.View != nil {
		kind = "View"
	}
	b.WriteString("\n\n")
	writeOverview(&b, r.Name, kind, g.provider.Name+"."+r.Service+"."+r.Name)
	b.WriteString("## Fields\n\n")
	if r.View != nil {
		writeReferenceView(&b, r.View)
		return b.String()
	}
	g.writeReferenceFields(&b, r.MethodsOf(provider.Select))
	writeReferenceMethods(&b, r)
	writeReferenceParams(&b, r)
	table := g.provider.Name + "." + r.Service + "." + r.Name
	for _, kind := range referenceKinds() {
		methods := r.MethodsOf(kind.verb)
		if len(methods) == 0 {
			continue
		}
		b.WriteString("\n\n## " + kind.heading + "\n\n")
		tabs := make([]tab, len(methods), len(methods)+1)
		for i, m := range methods {
			tabs[i] = tab{m.Name, m.Name}
		}
		if kind.verb == provider.Insert {
			tabs = append(tabs, tab{"Manifest", "manifest"})
		}
		writeTabs(&b, tabs)
		for i := range methods {
			m := &methods[i]
			about := m.Description
			if kind.verb == provider.Select || kind.verb == provider.Exec {
				about = cmp.Or(about, m.ResponseDescription)
			}
			fmt.Fprintf(&b, "<TabItem value=\"%s\">\n\n%s\n\n```sql\n", m.Name, sanitiseAsReference(cmp.Or(about, "No description available.")))
			kind.write(&b, table, m)
			b.WriteString("\n```\n</TabItem>\n")
		}
		if kind.verb == provider.Insert {
			writeReferenceManifest(&b, r.Name, methods)
		}
		b.WriteString("</Tabs>\n")
	}
	return b.String()
}

func (g *generator) writeReferenceFields(b *strings.Builder, methods []reference.Method) {
	b.WriteString("The following fields are returned by `SELECT` queries:\n\n")
	if len(methods) == 0 {
		b.WriteString("`SELECT` not supported for this resource, use `SHOW METHODS` to view available operations for the resource.\n\n")
		return
	}
	tabs := make([]tab, len(methods))
	for i, m := range methods {
		tabs[i] = tab{m.Name, m.Name}
	}
	writeTabs(b, tabs)
	for _, m := range methods {
		fmt.Fprintf(b, "<TabItem value=\"%s\">\n\n", m.Name)
		switch strings.ToLower(strings.TrimSpace(m.ResponseDescription)) {
		case "", "ok", "success", "successful response":
		default:
			b.WriteString(sanitiseAsReference(m.ResponseDescription) + "\n\n")
		}
		fields := referenceFields(m.Fields)
		slices.SortStableFunc(fields, func(a, b field) int {
			return cmp.Or(cmp.Compare(max(rank(a.name), 1), max(rank(b.name), 1)), g.order.compare(a.name, b.name))
		})
		b.WriteString("<SchemaTable fields={")
		writeFields(b, fields, 0)
		b.WriteString("} />\n</TabItem>\n")
	}
	b.WriteString("</Tabs>\n")
}

func referenceFields(from []reference.Field) []field {
	fields := make([]field, len(from))
	for i, f := range from {
		typ := cmp.Or(f.Type, "object")
		if f.Format != "" {
			typ += " (" + f.Format + ")"
		}
		fields[i] = field{name: f.Name, typ: typ, description: sanitiseAsReference(f.Description), children: referenceFields(f.Children)}
	}
	return fields
}

// dataPrefix marks the attributes of a request body in the statements of that generator.
const dataPrefix = "data__"

func writeReferenceMethods(b *strings.Builder, r *reference.Resource) {
	b.WriteString("\n## Methods\n\nThe following methods are available for this resource:\n\n")
	writeTableHead(b, "Name", "Accessible by", "Required Params", "Optional Params", "Description")
	link := func(name string) string {
		return fmt.Sprintf("<a href=\"#parameter-%[1]s\"><code>%[1]s</code></a>", name)
	}
	for _, m := range r.Methods {
		var required, optional []string
		for _, p := range m.Required {
			required = append(required, link(p.Name))
		}
		for _, name := range m.RequiredAttributes {
			switch m.Verb {
			case provider.Insert, provider.Update, provider.Replace:
				required = append(required, link(dataPrefix+name))
			case provider.Exec:
				required = append(required, link(name))
			case provider.Select, provider.Delete:
			}
		}
		for _, p := range m.Optional {
			optional = append(optional, link(p.Name))
		}
		fmt.Fprintf(b, methodRow, m.Name, m.Verb, strings.Join(required, ", "), strings.Join(optional, ", "), sanitiseAsReference(m.Description))
	}
	b.WriteString("</tbody>\n</table>")
}

func writeReferenceParams(b *strings.Builder, r *reference.Resource) {
	b.WriteString("\n\n" + parametersHead)
	writeTableHead(b, "Name", "Datatype", "Description")
	required, optional := reference.SortedParams(r.Methods)
	for _, p := range slices.Concat(required, optional) {
		fmt.Fprintf(b, "<tr id=\"parameter-%[1]s\">\n"+
			"    <td><CopyableCode code=\"%[1]s\" /></td>\n"+
			"    <td><code>%[2]s</code></td>\n"+
			"    <td>%[3]s</td>\n"+
			"</tr>\n", p.Name, p.Type, sanitiseAsReference(p.Description))
	}
	b.WriteString("</tbody>\n</table>")
}

func writeReferenceView(b *strings.Builder, v *reference.View) {
	table := func(params []reference.Param) {
		writeTableHead(b, "Name", "Datatype", "Description")
		for _, p := range params {
			fmt.Fprintf(b, "<tr>\n    <td>%s</td>\n    <td>%s</td>\n    <td>%s</td>\n</tr>\n", p.Name, p.Type, p.Description)
		}
		b.WriteString(tableEnd)
	}
	if len(v.Fields) == 0 {
		b.WriteString("See the SQL Definition (view DDL) for fields returned by this view.\n\n")
	} else {
		b.WriteString("The following fields are returned by this view:\n\n")
		table(v.Fields)
	}
	if len(v.Required) > 0 {
		b.WriteString("## Required Parameters\n\nThe following parameters are required by this view:\n\n")
		table(v.Required)
	}
	tabs := make([]string, len(v.Definitions))
	for i, d := range v.Definitions {
		tabs[i] = fmt.Sprintf("{ label: '%[1]s', value: '%[1]s' }", d.Dialect)
	}
	fmt.Fprintf(b, "## SQL Definition\n\n<Tabs\ndefaultValue=\"%s\"\nvalues={[\n%s\n]}\n>\n", v.Definitions[0].Dialect, strings.Join(tabs, ",\n"))
	for _, d := range v.Definitions {
		fmt.Fprintf(b, "<TabItem value=\"%s\">\n\n```sql\n%s\n```\n\n</TabItem>\n", d.Dialect, d.SQL)
	}
	b.WriteString("</Tabs>\n")
}

// referenceIndex is the provider's page. That generator counts the page of a service among its resources.
func (g *generator) referenceIndex(services []string, entries int, statement string) string {
	var b strings.Builder
	p := g.provider
	writeFrontMatter(&b, p.Name, exactly, p.Name, p.Name, "stackql")
	fmt.Fprintf(&b, "\n%s\n\n:::info[Provider Summary]\n\ntotal services: __%d__\ntotal resources: __%d__\n\n:::\n", introduction(p), len(services), entries)
	if strings.HasPrefix(p.Name, "databricks_") {
		b.WriteString("\n" + strings.TrimSpace(authentication) + "\n")
	}
	if statement != "" {
		b.WriteString("\n## Example\n\n```sql\n" + statement + "\n```\n")
	}
	b.WriteString("\n## Services\n<div class=\"row\">\n")
	half := (len(services) + 1) / 2
	for _, column := range [][]string{services[:half], services[half:]} {
		links := make([]string, len(column))
		for i, name := range column {
			links[i] = fmt.Sprintf("<a href=\"/%s/%[2]s/\">%[2]s</a><br />", servicesFolder, name)
		}
		b.WriteString("<div class=\"providerDocColumn\">\n" + strings.Join(links, "\n") + "\n</div>\n")
	}
	b.WriteString("</div>\n")
	return b.String()
}

// referenceExample keeps the SELECT to show on the provider's page: the one that asks for the fewest parameters.
type referenceExample struct {
	order     *order
	table     string
	required  int
	statement string
}

func (e *referenceExample) consider(providerName string, r *reference.Resource) {
	table := providerName + "." + r.Service + "." + r.Name
	methods := r.MethodsOf(provider.Select)
	for i := range methods {
		m := &methods[i]
		if e.table == "" || cmp.Or(cmp.Compare(len(m.Required), e.required), e.order.compare(table, e.table)) < 0 {
			var b strings.Builder
			writeReferenceSelect(&b, table, m)
			e.table, e.required, e.statement = table, len(m.Required), b.String()
		}
	}
}

var (
	lineBreak = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)&lt;br\s*/?&gt;`) })
	begun     = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)&lt;p&gt;`) })
	ended     = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)&lt;/p&gt;`) })
	inTicks   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("`[^`]*`") })
)

// sanitiseAsReference makes a description safe as that generator does, which is less than [sanitise] does: it
// knows backticks alone, it leaves tags open, and it looks for no import or export.
func sanitiseAsReference(text string) string {
	if !strings.ContainsAny(text, "{}<>\r\n&") {
		return text
	}
	text = strings.NewReplacer("<code>", "\x00", "</code>", "\x01", "<nobr>", "", "</nobr>", "").Replace(text)
	text = strings.NewReplacer("{", "&#123;", "}", "&#125;", ">", "&gt;", "<", "&lt;", "\r\n", "<br />", "\r", "<br />", "\n", "<br />").Replace(text)
	text = strings.ReplaceAll(text, "&#125;_&#123;", "&#125;&#95;&#123;")
	if strings.Contains(text, "&lt;") {
		text = lineBreak().ReplaceAllString(text, "<br />")
		text = begun().ReplaceAllString(text, "<p>")
		text = ended().ReplaceAllString(text, "</p>")
	}
	if strings.Contains(text, "`") {
		text = inTicks().ReplaceAllStringFunc(text, func(code string) string {
			return strings.NewReplacer("&lt;", "<", "&gt;", ">").Replace(code)
		})
	}
	return strings.NewReplacer("<location>", "&lt;location&gt;", "</location>", "&lt;/location&gt;", "\x00", "<code>", "\x01", "</code>").Replace(text)
}
