package sdk

import (
	"go/ast"
	"go/token"
	"go/types"
	"path"
	"reflect"
	"strconv"
	"strings"
)

// text is an expression as it is written.
func text(e ast.Expr) string { return types.ExprString(e) }

// readTypes reads the messages, enums and aliases of the package's model files.
func (p *pkg) readTypes() {
	for _, f := range p.files {
		name := path.Base(p.fset.Position(f.ast.Pos()).Filename)
		if name != "model.go" && name != "ext_model.go" {
			continue
		}
		for _, d := range f.ast.Decls {
			if g, ok := d.(*ast.GenDecl); ok {
				p.readDeclaration(f, g)
			}
		}
	}
}

func (p *pkg) readDeclaration(f *file, d *ast.GenDecl) {
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			doc := spec.Doc.Text()
			if doc == "" {
				doc = d.Doc.Text()
			}
			p.readType(f, spec, doc)
		case *ast.ValueSpec:
			if d.Tok == token.CONST {
				p.readConstant(spec)
			}
		}
	}
}

func (p *pkg) readType(f *file, spec *ast.TypeSpec, doc string) {
	name := spec.Name.Name
	switch t := spec.Type.(type) {
	case *ast.StructType:
		m := &Message{Service: p.service.Name, Name: name, Doc: doc}
		for _, field := range t.Fields.List {
			if read := p.readField(f, field); read != nil {
				m.Fields = append(m.Fields, read)
			}
		}
		p.service.Messages[name] = m
	case *ast.Ident:
		if t.Name != "string" {
			p.failf(spec, "type %s is a %s", name, t.Name)
			return
		}
		p.service.Enums[name] = &Enum{Service: p.service.Name, Name: name, Doc: doc}
	case *ast.MapType:
		p.service.Aliases[name] = p.readTypeOf(f, t)
	default:
		p.failf(spec, "type %s is none of struct, string and map", name)
	}
}

// readConstant reads a value of an enum; the SDK declares them after their type.
func (p *pkg) readConstant(spec *ast.ValueSpec) {
	typ, ok := spec.Type.(*ast.Ident)
	if !ok || len(spec.Names) != 1 || len(spec.Values) != 1 {
		p.failf(spec, "constant of an unknown form")
		return
	}
	literal, ok := spec.Values[0].(*ast.BasicLit)
	enum := p.service.Enums[typ.Name]
	if !ok || literal.Kind != token.STRING || enum == nil {
		p.failf(spec, "constant %s is not a string of an enum", spec.Names[0].Name)
		return
	}
	value, err := strconv.Unquote(literal.Value)
	if err != nil {
		p.failf(spec, "constant %s: %v", spec.Names[0].Name, err)
		return
	}
	enum.Values = append(enum.Values, value)
	p.constants[spec.Names[0].Name] = value
}

func (p *pkg) readField(f *file, field *ast.Field) *Field {
	if len(field.Names) != 1 {
		p.failf(field, "embedded or grouped field")
		return nil
	}
	name := field.Names[0].Name
	if name == "ForceSendFields" {
		return nil
	}
	if field.Tag == nil {
		p.failf(field, "field %s has no tag", name)
		return nil
	}
	raw, err := strconv.Unquote(field.Tag.Value)
	if err != nil {
		p.failf(field, "field %s: %v", name, err)
		return nil
	}
	tag := reflect.StructTag(raw)
	doc := field.Doc.Text()
	read := &Field{
		Go:         name,
		Type:       p.readTypeOf(f, field.Type),
		Doc:        doc,
		ReadOnly:   saysOutputOnly(doc),
		Deprecated: saysDeprecated(doc),
		Template:   nameTemplate(doc),
		Pos:        p.pos(field),
	}
	_, read.Pointer = field.Type.(*ast.StarExpr)
	json, ok := tag.Lookup("json")
	if !ok {
		p.failf(field, "field %s has no json tag", name)
		return nil
	}
	if json != "-" {
		read.JSON, read.Required = p.readTag(field, json)
	}
	if url, ok := tag.Lookup("url"); ok {
		if url == "-" {
			read.URL = "-"
		} else {
			read.URL, read.RequiredURL = p.readTag(field, url)
		}
	}
	if header, ok := tag.Lookup("header"); ok {
		read.Header, _ = p.readTag(field, header)
	}
	return read
}

// readTag reads "name" or "name,omitempty"; required is the absence of the option.
func (p *pkg) readTag(field *ast.Field, tag string) (name string, required bool) {
	name, options, _ := strings.Cut(tag, ",")
	if name == "" || options != "" && options != "omitempty" {
		p.failf(field, "tag %q of an unknown form", tag)
	}
	return name, options == ""
}

// readTypeOf reads the type of a field. Pointers are of no concern on the wire.
func (p *pkg) readTypeOf(f *file, e ast.Expr) *Type {
	switch e := e.(type) {
	case *ast.StarExpr:
		return p.readTypeOf(f, e.X)
	case *ast.ArrayType:
		if e.Len == nil {
			return &Type{Kind: List, Elem: p.readTypeOf(f, e.Elt)}
		}
	case *ast.MapType:
		if text(e.Key) == "string" {
			return &Type{Kind: Map, Elem: p.readTypeOf(f, e.Value)}
		}
	case *ast.Ident:
		return p.readNamed(e)
	case *ast.SelectorExpr:
		return p.readForeign(f, e)
	}
	p.failf(e, "unknown type %s", text(e))
	return &Type{Kind: Any}
}

func (p *pkg) readNamed(e *ast.Ident) *Type {
	switch e.Name {
	case "string":
		return &Type{Kind: String}
	case "bool":
		return &Type{Kind: Bool}
	case "int":
		return &Type{Kind: Int32}
	case "int64":
		return &Type{Kind: Int64}
	case "float64":
		return &Type{Kind: Float64}
	case "any":
		return &Type{Kind: Any}
	}
	if !ast.IsExported(e.Name) {
		p.failf(e, "unknown type %s", e.Name)
		return &Type{Kind: Any}
	}
	return &Type{Kind: Named, Service: p.service.Name, Name: e.Name}
}

func (p *pkg) readForeign(f *file, e *ast.SelectorExpr) *Type {
	local, ok := e.X.(*ast.Ident)
	if !ok {
		p.failf(e, "unknown type %s", text(e))
		return &Type{Kind: Any}
	}
	from := f.imports[local.Name]
	if service, ok := strings.CutPrefix(from, modulePath+"service/"); ok {
		return &Type{Kind: Named, Service: service, Name: e.Sel.Name}
	}
	switch from + "." + e.Sel.Name {
	case modulePath + "common/types/time.Time":
		return &Type{Kind: Time}
	case modulePath + "common/types/duration.Duration":
		return &Type{Kind: Duration}
	case modulePath + "common/types/fieldmask.FieldMask":
		return &Type{Kind: FieldMask}
	case "encoding/json.RawMessage":
		return &Type{Kind: Any}
	case "io.ReadCloser":
		return &Type{Kind: Bytes}
	}
	p.failf(e, "unknown type %s", text(e))
	return &Type{Kind: Any}
}
