package openapi

import (
	"cmp"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/provider"
)

// formerFile lists the names that methods had in earlier documents:
//
//	x-lakeql-former-names:
//	  - {name: things.items.find, verb: select, today: shop.stock.items.get}
//	  - {name: things.items.drop, verb: delete, request: 'DELETE /items/{id}', reason: The API dropped it.}
//
// name is service.resource.method, verb the SQL verb that reached the method, today its full name. A
// method that no document has any more has its request instead, and the reason.
const formerFile = "former-names.yaml"

// formerNames is the key of the list.
const formerNames = "x-lakeql-former-names"

// FormerNames returns the former names of a provider's methods in the order of the file.
func (d *Documents) FormerNames(providerName string) ([]provider.FormerName, error) {
	at := slices.IndexFunc(d.folders, func(f *folder) bool { return f.header.Name == providerName })
	if at < 0 {
		return nil, unknown("provider", providerName, "the documents")
	}
	return d.folders[at].former()
}

// readFormerNames reads the list; a provider without the file has none.
func readFormerNames(fsys fs.FS, name string) ([]provider.FormerName, error) {
	if _, err := fs.Stat(fsys, name); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	doc, err := parseFile(fsys, name)
	if err != nil {
		return nil, err
	}
	r := doc.reader()
	var all []provider.FormerName
	for _, n := range r.list(r.mapping(doc.root).get(formerNames)) {
		fields := r.mapping(n)
		f := provider.FormerName{
			Name: r.text(fields.get("name")), SQLVerb: provider.SQLVerb(r.text(fields.get("verb"))), Today: r.text(fields.get("today")),
			Request: r.text(fields.get("request")), Reason: r.text(fields.get("reason")),
		}
		switch {
		case strings.Count(f.Name, ".") != 2:
			r.fail(n, "the former name %s is not service.resource.method", provider.Quote(f.Name))
		case !slices.Contains(provider.SQLVerbs(), f.SQLVerb):
			r.fail(n, "the former name %s has the unknown verb %s", provider.Quote(f.Name), provider.Quote(string(f.SQLVerb)))
		case f.Today == "" && (f.Request == "" || f.Reason == ""):
			r.fail(n, "the former name %s needs today, or request and reason", provider.Quote(f.Name))
		case f.Today != "" && strings.Count(f.Today, ".") != 3:
			r.fail(n, "%s is not provider.service.resource.method", provider.Quote(f.Today))
		}
		all = append(all, f)
	}
	return all, r.err
}

// meant sets what the names of methods meant in earlier documents, if those were other operations.
func (d *Documents) meant(providerName string, r *provider.Resource) error {
	all, err := d.FormerNames(providerName)
	if err != nil {
		return err
	}
	for _, f := range all {
		service, resource, method := f.Parts()
		if service != r.Service || resource != r.Name || f.Today == r.FullName()+"."+method {
			continue
		}
		for _, m := range r.Methods {
			if m.Name == method {
				m.Meant = cmp.Or(f.Today, f.Request)
			}
		}
	}
	return nil
}

// checkFormerNames checks that each former name leads to a method.
func (d *Documents) checkFormerNames(f *folder) error {
	all, err := f.former()
	if err != nil {
		return err
	}
	for _, name := range all {
		if name.Today == "" {
			continue
		}
		parts := strings.Split(name.Today, ".")
		r, err := d.Resource(parts[0], parts[1], parts[2])
		if err != nil {
			return provider.Change(err, func(e *provider.Error) { e.Message = formerFile + ": " + name.Name + ": " + e.Message })
		}
		if !slices.ContainsFunc(r.Methods, func(m *provider.Method) bool { return m.Name == parts[3] }) {
			return provider.Usagef("%s of %s: %s has today the name of no method, %s", formerFile, f.header.Name, name.Name, provider.Quote(name.Today))
		}
	}
	return nil
}
