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
	built map[string]*database // by provider

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
	name   string
	keeper *sqlite3.Conn // keeps the tables in memory
	once   sync.Once
	err    error
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

// open returns the tables of a provider, made when they are first asked for.
func (c *Catalogue) open(name string) (*database, error) {
	c.mu.Lock()
	d, ok := c.built[name]
	if !ok {
		d = &database{name: name}
		c.built[name] = d
	}
	c.mu.Unlock()
	d.once.Do(func() { d.err = c.build(d) })
	return d, d.err
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
		f.insert("pg_catalog.pg_namespace", "oid, nspname", oid, name)
		f.insert("information_schema.schemata", "catalog_name, schema_name", f.provider, name)
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
	f.insert("pg_catalog.pg_namespace", "oid, nspname", namespace, name)
	f.insert("information_schema.schemata", "catalog_name, schema_name", f.provider, name)
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
	f.table(namespace, Table{Schema: r.Service, Name: r.Name, View: r.View != nil, Comment: comment, Columns: withInputs(columns, inputs)})
	return nil
}

// Table is a table, or a view.
type Table struct {
	Schema, Name string
	View         bool
	Comment      string
	Columns      []provider.Column
}

func (f *filler) table(namespace int64, t Table) {
	oid := f.oid()
	kind, kindText := "r", "BASE TABLE"
	if t.View {
		kind, kindText = "v", "VIEW"
	}
	f.insert("pg_catalog.pg_class", "oid, relname, relnamespace, relkind, relnatts", oid, t.Name, namespace, kind, len(t.Columns))
	f.insert("information_schema.tables", "table_catalog, table_schema, table_name, table_type", f.provider, t.Schema, t.Name, kindText)
	if t.View {
		f.insert("information_schema.views", "table_catalog, table_schema, table_name, is_updatable, is_insertable_into", f.provider, t.Schema, t.Name, "NO", "NO")
	}
	if t.Comment != "" {
		f.insert("pg_catalog.pg_description", "objoid, description", oid, t.Comment)
	}
	for i, c := range t.Columns {
		typ := typeOf(c)
		f.insert("pg_catalog.pg_attribute", "attrelid, attname, atttypid, attlen, attnum", oid, c.Name, typ.oid, typ.size, i+1)
		f.insert("information_schema.columns", "table_catalog, table_schema, table_name, column_name, ordinal_position, data_type, udt_catalog, udt_name, dtd_identifier",
			f.provider, t.Schema, t.Name, c.Name, i+1, typ.long, f.provider, typ.name, strconv.Itoa(i+1))
		if c.Description != "" {
			f.insert("pg_catalog.pg_description", "objoid, objsubid, description", oid, i+1, c.Description)
		}
	}
}
