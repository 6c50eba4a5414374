package sdk

import (
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
)

// modulePath is how the SDK's packages import each other.
const modulePath = "github.com/databricks/databricks-sdk-go/"

// Read reads the SDK whose module is in dir. Names, types and comments come from its source; the rest of an
// operation comes from the observer, which runs the same version of the SDK. The error joins all faults,
// each with its file and line below dir.
func Read(dir string, observer Observer) (*API, error) {
	r := &reader{root: os.DirFS(dir), fset: token.NewFileSet(), api: &API{}, observer: observer}
	entries, err := fs.ReadDir(r.root, "service")
	if err != nil {
		return nil, fmt.Errorf("read the SDK: %w", err)
	}
	if err := r.readRelease(); err != nil {
		return nil, fmt.Errorf("read the SDK: %w", err)
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		p, err := r.parse(path.Join("service", e.Name()))
		if err != nil {
			return nil, fmt.Errorf("read the SDK: %w", err)
		}
		r.packages = append(r.packages, p)
		r.api.Services = append(r.api.Services, p.service)
	}
	for _, p := range r.packages {
		p.readTypes()
	}
	for _, p := range r.packages {
		p.readOperations()
	}
	return r.api, errors.Join(r.errs...)
}

// releaseLine is the heading of a release in the changelog.
var releaseLine = regexp.MustCompile(`(?m)^## Release (v\d+\.\d+\.\d+) \((\d{4}-\d\d-\d\d)\)`)

// readRelease reads which release of the SDK this is. The newest one stands first.
func (r *reader) readRelease() error {
	text, err := fs.ReadFile(r.root, "CHANGELOG.md")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if found := releaseLine.FindSubmatch(text); found != nil {
		r.api.Version, r.api.Date = string(found[1]), string(found[2])
	}
	return nil
}

// reader is the state of one reading.
type reader struct {
	root     fs.FS
	fset     *token.FileSet
	api      *API
	packages []*pkg
	observer Observer
	errs     []error
}

// failf records an error at a place in the source.
func (r *reader) failf(at ast.Node, format string, args ...any) {
	r.errs = append(r.errs, fmt.Errorf("%s: %s", r.pos(at), fmt.Sprintf(format, args...)))
}

func (r *reader) pos(at ast.Node) string {
	p := r.fset.Position(at.Pos())
	return fmt.Sprintf("%s:%d", p.Filename, p.Line)
}

// pkg is one package of the SDK while it is read.
type pkg struct {
	*reader
	service *Service
	files   []*file
	// constants are the values of enum constants by their Go name.
	constants map[string]string
	// methods are all methods of the package: receiver's type, then name.
	methods map[string]map[string]*function
	structs map[string]*structDecl
	// docs are the comments on methods of the service interfaces.
	docs map[string]map[string]string
}

// file is a parsed file with its imports by local name.
type file struct {
	ast     *ast.File
	imports map[string]string
}

// function is a method with the file that it stands in.
type function struct {
	decl *ast.FuncDecl
	file *file
}

type structDecl struct {
	spec *ast.StructType
	file *file
}

// parse parses the package below folder, without its tests.
func (r *reader) parse(folder string) (*pkg, error) {
	p := &pkg{
		reader: r,
		service: &Service{
			Name:     path.Base(folder),
			Messages: map[string]*Message{},
			Enums:    map[string]*Enum{},
			Aliases:  map[string]*Type{},
		},
		constants: map[string]string{},
		methods:   map[string]map[string]*function{},
		structs:   map[string]*structDecl{},
		docs:      map[string]map[string]string{},
	}
	names, err := fs.Glob(r.root, path.Join(folder, "*.go"))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := fs.ReadFile(r.root, name)
		if err != nil {
			return nil, err
		}
		parsed, err := parser.ParseFile(r.fset, name, source, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		f := &file{ast: parsed, imports: map[string]string{}}
		for _, i := range parsed.Imports {
			target := strings.Trim(i.Path.Value, `"`)
			local := path.Base(target)
			if i.Name != nil {
				local = i.Name.Name
			}
			f.imports[local] = target
		}
		p.files = append(p.files, f)
	}
	p.index()
	return p, nil
}

// index finds the package's declarations by name.
func (p *pkg) index() {
	for _, f := range p.files {
		for _, d := range f.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil {
					continue
				}
				receiver := receiverName(d)
				if p.methods[receiver] == nil {
					p.methods[receiver] = map[string]*function{}
				}
				p.methods[receiver][d.Name.Name] = &function{decl: d, file: f}
			case *ast.GenDecl:
				p.indexTypes(f, d)
			}
		}
	}
}

func (p *pkg) indexTypes(f *file, d *ast.GenDecl) {
	for _, spec := range d.Specs {
		t, ok := spec.(*ast.TypeSpec)
		if !ok {
			continue
		}
		switch typ := t.Type.(type) {
		case *ast.StructType:
			p.structs[t.Name.Name] = &structDecl{spec: typ, file: f}
		case *ast.InterfaceType:
			// FooService describes the wire's operations; FooInterface repeats them with
			// conveniences and is not needed.
			group, ok := strings.CutSuffix(t.Name.Name, "Service")
			if !ok {
				continue
			}
			p.docs[group] = map[string]string{}
			for _, m := range typ.Methods.List {
				if len(m.Names) == 1 {
					p.docs[group][m.Names[0].Name] = m.Doc.Text()
				}
			}
		}
	}
}

// receiverName is the receiver's type without pointer and type parameters.
func receiverName(d *ast.FuncDecl) string {
	t := d.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if generic, ok := t.(*ast.IndexExpr); ok {
		t = generic.X
	}
	if name, ok := t.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}

// readOperations reads the calls of every group.
func (p *pkg) readOperations() {
	for _, name := range slices.Sorted(maps.Keys(p.structs)) {
		group, ok := strings.CutSuffix(name, "API")
		if !ok {
			continue
		}
		impl := implementation(p.structs[name].spec)
		if impl == "" {
			continue
		}
		p.readGroup(group, impl)
	}
	slices.SortFunc(p.service.Operations, func(a, b *Operation) int {
		return cmp.Or(strings.Compare(a.Group, b.Group), strings.Compare(a.Name, b.Name))
	})
}

// implementation is the type that an API struct embeds: postgresImpl in PostgresAPI.
func implementation(s *ast.StructType) string {
	for _, f := range s.Fields.List {
		if name, ok := f.Type.(*ast.Ident); ok && len(f.Names) == 0 && strings.HasSuffix(name.Name, "Impl") {
			return name.Name
		}
	}
	return ""
}

// readGroup reads the operations of one implementation: a call each, and for lists a function
// that iterates over such calls.
func (p *pkg) readGroup(group, impl string) {
	operations, unreached := map[string]*Operation{}, map[string]bool{}
	methods := p.methods[impl]
	for _, name := range slices.Sorted(maps.Keys(methods)) {
		f := methods[name]
		if !calls(f.decl, "a.client.Do") {
			continue
		}
		o := p.readCall(group, operationName(name), f)
		if o == nil {
			continue
		}
		switch err := p.observer.Observe(p.api, o); {
		case errors.Is(err, ErrUnreached):
			p.api.Unreached = append(p.api.Unreached, o.ID())
			unreached[o.Name] = true
			continue
		case err != nil:
			p.failf(f.decl, "%s: %v", o.ID(), err)
			continue
		}
		operations[o.Name] = o
		p.service.Operations = append(p.service.Operations, o)
	}
	for _, name := range slices.Sorted(maps.Keys(methods)) {
		f := methods[name]
		switch {
		case calls(f.decl, "a.client.Do"):
		case calls(f.decl, "listing.NewIterator"):
			o, ok := operations[name]
			if unreached[name] {
				continue
			}
			if !ok {
				p.failf(f.decl, "%s iterates over no operation of that name", name)
				continue
			}
			o.Paging = p.readIterator(o, f)
		case calls(f.decl, "listing.ToSlice"), calls(f.decl, "listing.ToSliceN"):
			// collects the items of the iterator
		case calls(f.decl, "a.client.ApiClient().Do"), strings.HasPrefix(name, "dataPlaneInfo"):
			// The data plane's address is known only from an answer of the control plane: it has
			// no path that a document could give.
		default:
			p.failf(f.decl, "%s.%s neither calls nor iterates", group, name)
		}
	}
	for _, o := range operations {
		if o.Paging == nil {
			o.Unpaged = p.unpaged(o)
		}
	}
	p.readWaiting(group, operations)
}

// operationName returns the public name of an internal call's operation.
func operationName(method string) string {
	if name, ok := strings.CutPrefix(method, "internal"); ok {
		return name
	}
	return method
}
