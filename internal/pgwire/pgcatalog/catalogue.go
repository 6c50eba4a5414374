// Package pgcatalog answers what clients of PostgreSQL ask about tables, columns and types: pg_catalog and
// information_schema, in SQLite, over the documents.
//
// A provider is a database, because a name of three parts is database.schema.table for PostgreSQL; its
// services are schemas, and resources are tables. Nothing here calls the API. A question comes in PostgreSQL's
// dialect; package dialect makes SQLite's of it, and functions.go has the functions that no statement of
// lakeql has.
package pgcatalog

import (
	_ "embed"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/ncruces/go-sqlite3"
	_ "github.com/ncruces/go-sqlite3/vfs/memdb" // lets the sessions read one copy

	"github.com/lakeql/lakeql/internal/sandbox"
	"github.com/lakeql/lakeql/provider"
)

// Version is the version of PostgreSQL whose catalogue and protocol this is.
const Version = "15.0"

// VersionNumber is the version as a number.
const VersionNumber = "150000"

//go:embed tables.sql
var tables string

// Catalogue knows the tables of all providers.
type Catalogue struct {
	documents *provider.Catalogue
	describe  Describe

	mu    sync.Mutex
	built map[string]*database // by provider, and the version of a store

	describing sync.Mutex
	known      map[string]description // by full name
}

// description is what Describe returned.
type description struct {
	columns []provider.Column
	methods []*provider.Method
	err     error
}

// described calls Describe once for each resource. Calls do not run at the same time.
func (c *Catalogue) described(r *provider.Resource) ([]provider.Column, []*provider.Method, error) {
	c.describing.Lock()
	defer c.describing.Unlock()
	d, ok := c.known[r.FullName()]
	if !ok {
		d.columns, d.methods, d.err = c.describe(r)
		c.known[r.FullName()] = d
	}
	return d.columns, d.methods, d.err
}

// Describe lists the columns that a resource has in SELECT *, and the methods that a SELECT of it may call.
type Describe func(r *provider.Resource) ([]provider.Column, []*provider.Method, error)

// New makes a catalogue. It reads nothing before the first question.
func New(documents *provider.Catalogue, describe Describe) *Catalogue {
	return &Catalogue{documents: documents, describe: describe, built: map[string]*database{}, known: map[string]description{}}
}

// database is the filled tables of one provider.
type database struct {
	name   string // of the provider
	key    string
	users  int
	keeper *sqlite3.Conn // keeps the tables in memory
	once   sync.Once
	err    error

	copying sync.Mutex
}

// usualProvider is the database of a client that names none that there is.
const usualProvider = "databricks_workspace"

// providerOf is the provider whose database a client is in.
func (c *Catalogue) providerOf(database string) string {
	providers, err := c.documents.Providers()
	if err != nil {
		return usualProvider
	}
	for _, p := range providers {
		if strings.EqualFold(p.Name, database) {
			return p.Name
		}
	}
	if len(providers) > 0 && !slices.ContainsFunc(providers, func(p *provider.Provider) bool { return p.Name == usualProvider }) {
		return providers[0].Name
	}
	return usualProvider
}

// open returns the tables of a provider with those of a client's store, made when they are first asked for.
// Whoever opens them has to release them.
func (c *Catalogue) open(name string, own stored) (*database, error) {
	key := name
	if len(own.tables) > 0 {
		key += " " + own.version
	}
	c.mu.Lock()
	d, ok := c.built[key]
	if !ok {
		d = &database{name: name, key: key}
		c.built[key] = d
	}
	d.users++
	c.mu.Unlock()
	d.once.Do(func() {
		if key == name {
			d.err = c.build(d)
		} else {
			d.err = c.extend(d, own.tables)
		}
	})
	if d.err != nil {
		c.release(d)
		return nil, d.err
	}
	return d, nil
}

// release gives back tables that hold those of a store, which nobody may need again.
func (c *Catalogue) release(d *database) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d.users--; d.users > 0 || d.key == d.name {
		return
	}
	delete(c.built, d.key)
	if d.keeper != nil {
		_ = sandbox.Close(d.keeper) // it is in memory
	}
}

// schemas are the two databases of SQLite's that each client attaches.
var schemas = []string{"pg_catalog", "information_schema"} //nolint:gochecknoglobals // a table of data

// uri names a schema's tables for all sessions of the process.
func (d *database) uri(schema string) string {
	return fmt.Sprintf("file:/%p-%s?vfs=memdb", d, schema)
}

// attach makes the tables part of a connection.
func (d *database) attach(db *sqlite3.Conn) error {
	for _, schema := range schemas {
		if err := sandbox.Attach(db, d.uri(schema), schema); err != nil {
			return err
		}
	}
	return nil
}

// build fills the tables.
func (c *Catalogue) build(d *database) error {
	db, err := sandbox.Open(0)
	if err != nil {
		return err
	}
	d.keeper = db
	if err := d.attach(db); err != nil {
		return err
	}
	for statement := range strings.SplitSeq(tables, ";\n") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		if err := sandbox.Exec(db, statement); err != nil {
			return provider.Internalf("make the tables of pg_catalog: %s", firstLine(statement)).Because(err)
		}
	}
	f := &filler{db: db, catalogue: c, provider: d.name, prepared: map[string]*sqlite3.Stmt{}}
	err = f.fill()
	for _, stmt := range f.prepared {
		err = errors.Join(err, stmt.Close())
	}
	return err
}

// extend copies the tables of a provider and adds those of a store.
func (c *Catalogue) extend(d *database, own []Table) error {
	base, err := c.open(d.name, stored{})
	if err != nil {
		return err
	}
	defer c.release(base)
	if d.keeper, err = sandbox.Open(0); err != nil {
		return err
	}
	if err := d.attach(d.keeper); err != nil {
		return err
	}
	base.copying.Lock()
	for _, schema := range schemas {
		err = errors.Join(err, base.keeper.Backup(schema, d.uri(schema)))
	}
	base.copying.Unlock()
	if err != nil {
		return provider.Internalf("copy the tables of pg_catalog").Because(err)
	}
	f := &filler{db: d.keeper, catalogue: c, provider: d.name, prepared: map[string]*sqlite3.Stmt{}}
	err = f.fillOwn(own)
	for _, stmt := range f.prepared {
		err = errors.Join(err, stmt.Close())
	}
	return err
}

// fillOwn writes the tables of a store. Their oids come from their names, so that they stay when others are made.
func (f *filler) fillOwn(own []Table) error {
	if err := sandbox.Exec(f.db, "BEGIN"); err != nil {
		return err
	}
	taken := map[int64]bool{}
	oid := func(name string) int64 {
		sum := fnv.New32a()
		_, _ = sum.Write([]byte(name)) // it never fails
		n := int64(firstOwnOID + sum.Sum32()%(1<<28))
		for taken[n] {
			n++
		}
		taken[n] = true
		return n
	}
	namespaces := map[string]int64{}
	for _, t := range own {
		if namespaces[t.Schema] == 0 {
			namespaces[t.Schema] = oid(t.Schema)
			f.namespace(namespaces[t.Schema], t.Schema)
		}
		f.table(oid(t.Schema+"."+t.Name), namespaces[t.Schema], t)
	}
	return errors.Join(append(f.errs, sandbox.Exec(f.db, "COMMIT"))...)
}

func firstLine(text string) string {
	text, _, _ = strings.Cut(strings.TrimSpace(text), "(")
	return text
}

// filler writes the rows.
type filler struct {
	db        *sqlite3.Conn
	catalogue *Catalogue
	provider  string
	nextOID   int64
	errs      []error
	prepared  map[string]*sqlite3.Stmt // by table and columns
}

// The oids that clients know.
const (
	namespaceCatalog     = 11
	namespacePublic      = 2200
	namespaceInformation = 13000
	firstOID             = 16384
	firstOwnOID          = 1 << 24 // of tables of a store
	ownerOID             = 10
)

func (f *filler) insert(table string, columns string, values ...any) {
	stmt := f.prepared[table+columns]
	if stmt == nil {
		var err error
		places := strings.TrimSuffix(strings.Repeat("?,", len(values)), ",")
		if stmt, err = sandbox.Prepare(f.db, "INSERT INTO "+table+" ("+columns+") VALUES ("+places+")"); err != nil {
			f.errs = append(f.errs, fmt.Errorf("%s: %w", table, err))
			return
		}
		f.prepared[table+columns] = stmt
	}
	for i, value := range values {
		if err := bind(stmt, i+1, value); err != nil {
			f.errs = append(f.errs, err)
		}
	}
	if err := stmt.Exec(); err != nil {
		f.errs = append(f.errs, fmt.Errorf("%s: %w", table, err))
	}
}

// bind gives a placeholder a value.
func bind(stmt *sqlite3.Stmt, n int, value any) error {
	switch value := value.(type) {
	case nil:
		return stmt.BindNull(n)
	case string:
		return stmt.BindText(n, value)
	case int:
		return stmt.BindInt64(n, int64(value))
	case int64:
		return stmt.BindInt64(n, value)
	case float64:
		return stmt.BindFloat(n, value)
	case bool:
		return stmt.BindBool(n, value)
	}
	return fmt.Errorf("a value of type %T", value)
}

func (f *filler) fill() error {
	if err := sandbox.Exec(f.db, "BEGIN"); err != nil {
		return err
	}
	f.nextOID = firstOID
	providers, err := f.catalogue.documents.Providers()
	if err != nil {
		return err
	}
	for i, p := range providers {
		f.insert("pg_catalog.pg_database", "oid, datname", i+5, p.Name)
		if p.Description != "" {
			f.insert("pg_catalog.pg_shdescription", "objoid, classoid, description", i+5, 1262, p.Description)
		}
	}
	for oid, name := range map[int]string{namespaceCatalog: "pg_catalog", namespacePublic: "public", namespaceInformation: "information_schema"} {
		f.namespace(int64(oid), name)
	}
	f.insert("pg_catalog.pg_am", "oid, amname, amhandler, amtype", 2, "heap", "heap_tableam_handler", "t")
	f.insert("pg_catalog.pg_language", "oid, lanname, lanowner, lanispl, lanpltrusted", 14, "sql", ownerOID, false, true)
	f.insert("pg_catalog.pg_tablespace", "oid, spcname, spcowner", 1663, "pg_default", ownerOID)
	f.insert("pg_catalog.pg_collation", "oid, collname, collnamespace, collowner, collprovider, collisdeterministic, collencoding", 100, "default", namespaceCatalog, ownerOID, "d", true, -1)
	f.insert("pg_catalog.pg_roles", "oid, rolname", ownerOID, "lakeql")
	for _, t := range types() {
		f.insert("pg_catalog.pg_type", "oid, typname, typlen, typcategory, typelem, typarray, typinput, typtype", t.oid, t.name, t.size, t.category, t.elem, t.array, t.input(), t.kind())
	}
	for name, value := range Settings("") {
		f.insert("pg_catalog.pg_settings", "name, setting", name, value)
	}
	for _, p := range providers {
		if p.Name != f.provider {
			continue
		}
		for _, s := range p.Services {
			if err := f.service(s); err != nil {
				return err
			}
		}
	}
	return errors.Join(append(f.errs, sandbox.Exec(f.db, "COMMIT"))...)
}

func (f *filler) namespace(oid int64, name string) {
	f.insert("pg_catalog.pg_namespace", "oid, nspname", oid, name)
	f.insert("information_schema.schemata", "catalog_name, schema_name", f.provider, name)
}

func (f *filler) oid() int64 {
	f.nextOID++
	return f.nextOID
}

// service makes a schema of a service.
func (f *filler) service(info *provider.ServiceInfo) error {
	name := info.Name
	service, err := f.catalogue.documents.Service(f.provider, name)
	if err != nil {
		return err
	}
	namespace := f.oid()
	f.namespace(namespace, name)
	if info.Description != "" {
		f.insert("pg_catalog.pg_description", "objoid, classoid, description", namespace, 2615, info.Description)
	}
	for _, listed := range service.Resources {
		r, err := f.catalogue.documents.Resource(f.provider, name, listed.Name)
		if err != nil {
			return err
		}
		if r.View == nil && len(r.SelectMethods()) == 0 {
			continue // nothing to select
		}
		if err := f.resource(namespace, r); err != nil {
			return err
		}
	}
	return nil
}

// resource makes a table of a resource, or a view of a view.
func (f *filler) resource(namespace int64, r *provider.Resource) error {
	columns, methods, err := f.catalogue.described(r)
	if err != nil {
		return err
	}
	inputs, err := f.catalogue.inputs(r, methods)
	if err != nil {
		return err
	}
	comment, err := f.catalogue.comment(r, methods, inputs)
	if err != nil {
		return err
	}
	t := Table{Schema: r.Service, Name: r.Name, Kind: PlainTable, Comment: comment, Columns: withInputs(columns, inputs)}
	if r.View != nil {
		t.Kind = View
	}
	f.table(f.oid(), namespace, t)
	return nil
}

// Table is a table, or a view.
type Table struct {
	Schema, Name string
	Kind         TableKind
	Definition   string // of a view: the text of its query
	Comment      string
	Columns      []provider.Column
}

// TableKind is the relkind of a table.
type TableKind string

// The kinds of table.
const (
	PlainTable       TableKind = "r"
	View             TableKind = "v"
	MaterializedView TableKind = "m"
)

func (f *filler) table(oid, namespace int64, t Table) {
	kindText := "BASE TABLE"
	if t.Kind != PlainTable {
		kindText = "VIEW"
	}
	f.insert("pg_catalog.pg_class", "oid, relname, relnamespace, relkind, relnatts", oid, t.Name, namespace, string(t.Kind), len(t.Columns))
	f.insert("information_schema.tables", "table_catalog, table_schema, table_name, table_type", f.provider, t.Schema, t.Name, kindText)
	if t.Kind != PlainTable {
		f.insert("information_schema.views", "table_catalog, table_schema, table_name, view_definition, is_updatable, is_insertable_into", f.provider, t.Schema, t.Name, t.Definition, "NO", "NO")
	}
	if t.Kind == MaterializedView {
		f.insert("pg_catalog.pg_matviews", "schemaname, matviewname, matviewowner, ispopulated, definition", t.Schema, t.Name, "lakeql", true, t.Definition)
	}
	if t.Comment != "" {
		f.insert("pg_catalog.pg_description", "objoid, description", oid, t.Comment)
	}
	for i, c := range t.Columns {
		typ := typeOf(c)
		storage := "x"
		if typ.size > 0 {
			storage = "p"
		}
		f.insert("pg_catalog.pg_attribute", "attrelid, attname, atttypid, attlen, attstorage, attnum", oid, c.Name, typ.oid, typ.size, storage, i+1)
		f.insert("information_schema.columns", "table_catalog, table_schema, table_name, column_name, ordinal_position, data_type, udt_catalog, udt_name, dtd_identifier",
			f.provider, t.Schema, t.Name, c.Name, i+1, typ.long, f.provider, typ.name, strconv.Itoa(i+1))
		if c.Description != "" {
			f.insert("pg_catalog.pg_description", "objoid, objsubid, description", oid, i+1, c.Description)
		}
	}
}
