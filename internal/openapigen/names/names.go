// Package names decides the resource, method and SQL verb of each operation of the SDK. The names of
// StackQL's published providers have priority, so that statements written for them run here. Other
// operations get names by the same convention.
//
// Three files name the operations. names.csv lists StackQL's names, each beside the SDK's operation, or
// beside StackQL's operation id if the SDK has none. operations.csv names the operations that StackQL
// lacks. name-differences.csv lists every place where our name is not StackQL's, with the reason; it
// wins over the other two.
//
// A fourth, former-names.csv, lists the names that StackQL published earlier, as far as they are not
// today's: former.go.
//
// An operation in none of the first three is new: [Table.Assign] proposes a name by the convention, and a person
// accepts it by moving its line from pending.csv to operations.csv.
package names

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/openapigen/sdk"
)

// The providers' names.
const (
	Workspace = "databricks_workspace"
	Account   = "databricks_account"
)

// ProviderOf is the provider that an operation belongs to.
func ProviderOf(o *sdk.Operation) string {
	if o.Account {
		return Account
	}
	return Workspace
}

// Key finds an operation.
type Key struct {
	Provider, Service string
	// Operation is Group.Name of the SDK, or StackQL's operation id where the SDK lacks it.
	Operation string
}

// KeyOf is the key of an operation of the SDK.
func KeyOf(o *sdk.Operation) Key {
	return Key{Provider: ProviderOf(o), Service: o.Service, Operation: o.Group + "." + o.Name}
}

// Name is where an operation is found.
type Name struct {
	Resource, Method string
	SQLVerb          string // select, insert, update, replace, delete, exec; view for views
	ObjectKey        string // $.items
}

// String is how name-differences.csv writes a name: resource.method verb key.
func (n Name) String() string {
	if n.Resource == "" {
		return ""
	}
	return strings.TrimSpace(n.Resource + "." + n.Method + " " + n.SQLVerb + " " + n.ObjectKey)
}

// Difference is a place where our name is not StackQL's.
type Difference struct {
	StackQL, Ours string // as Name.String writes them; empty where one lacks the operation
	Reason        string
}

// Own is an operation that StackQL lacks: a line of operations.csv, or of pending.csv.
type Own struct {
	Key
	Name string // as [Name.String] writes it
	// Description is the operation's sentence; empty if the overlays describe it, or its name does.
	Description string
}

// Table is the content of the files.
type Table struct {
	StackQL     map[Key]Name
	Differences map[Key]Difference
	Own         map[Key]Own
	Former      []Former // in the order of the file
}

// Read reads the four files.
func Read(overlays fs.FS) (*Table, error) {
	t := &Table{StackQL: map[Key]Name{}, Differences: map[Key]Difference{}, Own: map[Key]Own{}}
	err := readCSV(overlays, "names.csv", 7, func(r []string) error {
		name := Name{Resource: r[3], Method: r[4], SQLVerb: r[5], ObjectKey: r[6]}
		if name.SQLVerb == "view" {
			return nil // views are written by hand, beside the documents
		}
		key := Key{r[0], r[1], r[2]}
		if _, twice := t.StackQL[key]; twice {
			return fmt.Errorf("%s.%s %s stands there twice", r[0], r[1], r[2])
		}
		t.StackQL[key] = name
		return nil
	})
	if err != nil {
		return nil, err
	}
	own, err := ReadOwn(overlays, OwnFile)
	if err != nil {
		return nil, err
	}
	for _, o := range own {
		if _, twice := t.Own[o.Key]; twice {
			return nil, fmt.Errorf("%s: %s.%s %s stands there twice", OwnFile, o.Provider, o.Service, o.Operation)
		}
		t.Own[o.Key] = o
	}
	err = readCSV(overlays, "name-differences.csv", 6, func(r []string) error {
		key := Key{r[0], r[1], r[2]}
		if _, twice := t.Differences[key]; twice {
			return fmt.Errorf("%s.%s %s stands there twice", r[0], r[1], r[2])
		}
		t.Differences[key] = Difference{StackQL: r[3], Ours: r[4], Reason: r[5]}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return t, t.readFormer(overlays)
}

// OwnFile holds the operations that StackQL lacks.
const OwnFile = "operations.csv"

// ReadOwn reads the lines of operations.csv, or of pending.csv.
func ReadOwn(overlays fs.FS, file string) ([]Own, error) {
	var lines []Own
	err := readCSV(overlays, file, 5, func(r []string) error {
		lines = append(lines, Own{Key: Key{r[0], r[1], r[2]}, Name: r[3], Description: r[4]})
		return nil
	})
	return lines, err
}

// readCSV returns every line but the heading to use.
func readCSV(overlays fs.FS, name string, columns int, use func([]string) error) error {
	f, err := overlays.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // closing what was only read loses nothing
	lines := csv.NewReader(f)
	lines.FieldsPerRecord = columns
	for first := true; ; first = false {
		record, err := lines.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if first {
			continue
		}
		if err := use(record); err != nil {
			line, _ := lines.FieldPos(0)
			return fmt.Errorf("%s:%d: %w", name, line, err)
		}
	}
}

// Stale lists the operations of operations.csv that the API does not have.
func (t *Table) Stale(api *sdk.API) []Key {
	stale := maps.Clone(t.Own)
	for _, o := range api.Operations() {
		delete(stale, KeyOf(o))
	}
	return slices.SortedFunc(maps.Keys(stale), func(a, b Key) int {
		return cmp.Or(cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Operation, b.Operation))
	})
}

// Assign names every operation of the API, and proposes names for the new ones. It fails if two
// methods of a resource would have the same name.
func (t *Table) Assign(api *sdk.API) (assigned map[Key]Name, proposed []Own, err error) {
	assigned = map[Key]Name{}
	var fresh []*sdk.Operation
	var errs []error
	c := t.convention()
	for _, o := range api.Operations() {
		key := KeyOf(o)
		name, known, err := t.nameOf(api, o)
		switch {
		case err != nil:
			errs = append(errs, err)
		case known:
			assigned[key] = name
			c.learn(api, o, name)
		default:
			fresh = append(fresh, o)
		}
	}
	// Operations that return or list a type come before those that act on it.
	slices.SortStableFunc(fresh, func(a, b *sdk.Operation) int { return cmp.Compare(c.rank(a), c.rank(b)) })
	for _, o := range fresh {
		name := c.name(api, o)
		name.ObjectKey = objectKey(api, o, name.SQLVerb, "")
		assigned[KeyOf(o)] = name
		c.learn(api, o, name)
		proposed = append(proposed, Own{Key: KeyOf(o), Name: name.String()})
	}
	taken := map[string]Key{}
	for _, o := range api.Operations() {
		key := KeyOf(o)
		name := assigned[key]
		full := key.Provider + "." + key.Service + "." + name.Resource + "." + name.Method
		if other, twice := taken[full]; twice {
			errs = append(errs, fmt.Errorf("%s: %s and %s are both %s; name-differences.csv can tell them apart", o.Pos, other.Operation, key.Operation, full))
		}
		taken[full] = key
	}
	return assigned, proposed, errors.Join(errs...)
}

// nameOf returns the name of an operation that one of the files names.
func (t *Table) nameOf(api *sdk.API, o *sdk.Operation) (name Name, known bool, err error) {
	key := KeyOf(o)
	if d, ok := t.Differences[key]; ok && d.Ours != "" {
		name, err = parse("name-differences.csv", d.Ours)
		return name, true, err
	}
	if own, ok := t.Own[key]; ok {
		name, err = parse(OwnFile, own.Name)
		return name, true, err
	}
	name, known = t.StackQL[key]
	if known {
		name.ObjectKey = objectKey(api, o, name.SQLVerb, name.ObjectKey)
	}
	return name, known, nil
}

// objectKey returns the attribute of the response that holds the rows. The SDK's iterator knows it. In
// other lists it is the only attribute with a list of objects, or else StackQL's, if the response has
// it. A list is an operation whose name says so, or one with pages, unless SELECT reads the pages as
// one object.
func objectKey(api *sdk.API, o *sdk.Operation, verb, stackql string) string {
	if o.Paging != nil {
		if o.Paging.Items == "" {
			return ""
		}
		return "$." + o.Paging.Items
	}
	message, ok := api.Message(o.Response.Type)
	if !ok {
		return ""
	}
	known, lists := "", []string(nil)
	for _, f := range message.JSONFields() {
		if "$."+f.JSON == stackql {
			known = stackql
		}
		if f.Type.Kind == sdk.List {
			if _, ok := api.Message(f.Type.Elem); ok {
				lists = append(lists, "$."+f.JSON)
			}
		}
	}
	isList := strings.Contains(o.Name, "List") || o.Unpaged != nil && verb != "select"
	if known == "" && isList && len(lists) == 1 {
		return lists[0]
	}
	return known
}

// parse is the inverse of Name.String.
func parse(file, text string) (Name, error) {
	parts := strings.Fields(text)
	if len(parts) < 2 || len(parts) > 3 {
		return Name{}, fmt.Errorf("%s: %q is not of the form resource.method verb [key]", file, text)
	}
	resource, method, ok := strings.Cut(parts[0], ".")
	if !ok {
		return Name{}, fmt.Errorf("%s: %q names no method", file, text)
	}
	name := Name{Resource: resource, Method: method, SQLVerb: parts[1]}
	if len(parts) == 3 {
		name.ObjectKey = parts[2]
	}
	return name, nil
}
