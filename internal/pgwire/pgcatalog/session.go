package pgcatalog

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/functions"
	"github.com/lakeql/lakeql/internal/pgwire/pgtext"
	"github.com/lakeql/lakeql/internal/sandbox"
	"github.com/lakeql/lakeql/provider"
)

// Client is whose questions a session answers.
type Client struct {
	User, Database string
	ID             uint32
	// Setting returns a setting of the connection.
	Setting func(name string) (string, bool)
	// Used returns what completes short names: provider, or provider.service. It may be nil.
	Used func() string
	// Tables lists the tables and views of the client's store, and returns a version of them. If they are those
	// of the version that is known, it lists none. It may be nil.
	Tables func(known string) (version string, tables []Table, err error)
}

// stored are the tables of a client's store.
type stored struct {
	version string
	tables  []Table
}

// Session answers the questions of one client.
type Session struct {
	catalogue *Catalogue
	client    Client
	provider  string
	services  func() map[string]map[string]bool

	db      *sqlite3.Conn // opened for the first question
	held    *database     // that db has
	own     stored
	reading int // answers whose rows are read
}

// memory is how much SQLite may take for one client's questions, in bytes.
const memory = 64 << 20

// Session makes a session.
func (c *Catalogue) Session(client Client) *Session {
	s := &Session{catalogue: c, client: client, provider: c.providerOf(client.Database)}
	s.services = sync.OnceValue(s.readServices)
	return s
}

// Provider is the one that the client's database names.
func (s *Session) Provider() string { return s.provider }

// used returns the provider and the service that complete short names, in lower case.
func (s *Session) used() (providerName, service string) {
	if s.client.Used == nil {
		return "", ""
	}
	providerName, service, _ = strings.Cut(strings.ToLower(s.client.Used()), ".")
	return providerName, service
}

// isShort reports whether a statement reads a resource by its name alone.
func (s *Session) isShort(words []pgtext.Token) bool {
	providerName, service := s.used()
	if service == "" {
		return false
	}
	for i := 1; i < len(words); i++ {
		if !slices.Contains([]string{"FROM", "JOIN", ","}, strings.ToUpper(words[i-1].Text)) {
			continue
		}
		if name := dotted(words[i:]); len(name) == 1 {
			if _, err := s.catalogue.documents.Resource(providerName, service, name[0]); err == nil {
				return true
			}
		}
	}
	return false
}

// readServices returns the resources of each service, in lower case.
func (s *Session) readServices() map[string]map[string]bool {
	all := map[string]map[string]bool{}
	found, err := s.catalogue.documents.Provider(s.provider)
	if err != nil {
		return all
	}
	for _, service := range found.Services {
		resources := map[string]bool{}
		if full, err := s.catalogue.documents.Service(s.provider, service.Name); err == nil {
			for _, r := range full.Resources {
				resources[strings.ToLower(r.Name)] = true
			}
		}
		all[strings.ToLower(service.Name)] = resources
	}
	return all
}

// Close releases the session's database.
func (s *Session) Close() {
	if s.db != nil {
		_ = sandbox.Close(s.db) // nothing is lost with it
		s.catalogue.release(s.held)
		s.db, s.held = nil, nil
	}
}

// refresh finds out which tables the client's store has now. While an answer is read, they stay what they were.
func (s *Session) refresh() error {
	if s.client.Tables == nil || s.reading > 0 {
		return nil
	}
	version, tables, err := s.client.Tables(s.own.version)
	if err != nil || version == s.own.version {
		return err
	}
	s.Close()
	s.own = stored{version, tables}
	for _, t := range tables {
		if t.Kind != PlainTable {
			s.typeColumns(t)
		}
	}
	return nil
}

// typeColumns gives the columns of a view the types that its query shows.
func (s *Session) typeColumns(t Table) {
	for i, oid := range s.Signature(t.Definition).Types(t.Columns) {
		if c := &t.Columns[i]; c.Type == "" && oid != 0 {
			c.Type, c.Format = columnOf(oid)
		}
	}
}

// isOwn reports whether a statement reads or writes a table of the client's store.
func (s *Session) isOwn(words []pgtext.Token) bool {
	if s.refresh() != nil {
		return false // the question itself gets the error
	}
	for i := 1; i < len(words); i++ {
		before := strings.ToUpper(words[i-1].Text)
		if !slices.Contains([]string{"FROM", "JOIN", ",", "INTO", "UPDATE", "TABLE"}, before) {
			continue
		}
		name := dotted(words[i:])
		if slices.ContainsFunc(s.own.tables, func(t Table) bool { return t.isNamed(name) }) {
			return true
		}
	}
	return false
}

// isNamed reports whether a name is the table's, with or without its schema.
func (t Table) isNamed(parts []string) bool {
	switch len(parts) {
	case 1:
		return strings.EqualFold(parts[0], t.Name)
	case 2:
		return strings.EqualFold(parts[0], t.Schema) && strings.EqualFold(parts[1], t.Name)
	}
	return false
}

// Answers reports whether a statement is a question about the catalogue: a query that names a part of it, and no
// resource of the API.
func (s *Session) Answers(text string) bool {
	tokens := pgtext.Tokens(text)
	words := pgtext.Significant(tokens)
	if len(words) == 0 || !slices.Contains([]string{"SELECT", "WITH", "VALUES", "TABLE", "("}, strings.ToUpper(words[0].Text)) {
		return false
	}
	asks := false
	for i, t := range words {
		if t.Kind != pgtext.Word && t.Kind != pgtext.Quoted {
			continue
		}
		name := strings.ToLower(pgtext.Unquote(t.Text))
		following := ""
		if i+1 < len(words) {
			following = words[i+1].Text
		}
		if following == "." && i+4 < len(words) && words[i+3].Text == "." && s.isProvider(name) && !isSchema(words[i+2].Text) {
			return false
		}
		if following == "." && i+2 < len(words) && s.services()[name][strings.ToLower(pgtext.Unquote(words[i+2].Text))] {
			return false
		}
		if name == "pg_catalog" || name == "information_schema" || strings.HasPrefix(name, "pg_") || following == "(" && isFunction(name) || isBareFunction(name) ||
			ofCatalogue.Casts[name] != "" {
			asks = true
		}
	}
	return asks && !s.isOwn(words) && !s.isShort(words)
}

// isSchema reports whether a name is that of a schema of the catalogue.
func isSchema(name string) bool {
	return slices.Contains(schemas, strings.ToLower(pgtext.Unquote(name)))
}

// withoutDatabase leaves the name of the client's database out before pg_catalog and information_schema.
func (s *Session) withoutDatabase(text string) string {
	words := pgtext.Significant(pgtext.Tokens(text))
	b := []byte(text)
	for i := 0; i+3 < len(words); i++ {
		if words[i+1].Text == "." && words[i+3].Text == "." && isSchema(words[i+2].Text) && strings.EqualFold(pgtext.Unquote(words[i].Text), s.provider) {
			for at := words[i].Start; at < words[i+2].Start; at++ {
				b[at] = ' '
			}
		}
	}
	return string(b)
}

func (s *Session) isProvider(name string) bool {
	_, err := s.catalogue.documents.Provider(name)
	return err == nil
}

// prepare compiles a question.
func (s *Session) prepare(text string) (*sqlite3.Stmt, error) {
	if err := errors.Join(s.refresh(), s.open()); err != nil {
		return nil, err
	}
	s.db.SetInterrupt(context.Background()) // that of the question before may have ended
	translated, err := translate(s.withoutDatabase(text))
	if err != nil {
		return nil, err
	}
	stmt, err := sandbox.Prepare(s.db, translated)
	for err != nil {
		_, table, _ := strings.Cut(err.Error(), "no such table: ")
		if made, fault := functions.Provide(s.db, table); fault != nil {
			return nil, fault
		} else if !made {
			break
		}
		stmt, err = sandbox.Prepare(s.db, translated)
	}
	if err != nil {
		return nil, provider.Usagef("this question about the catalogue is not answered: %v", sqliteMessage(err)).
			Hintf("the catalogue knows the questions of psql and common drivers; SHOW and DESCRIBE list services, resources and columns")
	}
	if !stmt.ReadOnly() {
		return nil, errors.Join(provider.Usagef("the catalogue is read only"), stmt.Close())
	}
	return stmt, nil
}

func sqliteMessage(err error) string {
	text := strings.TrimPrefix(err.Error(), "sqlite3: ")
	return provider.Printable(strings.TrimPrefix(text, "SQL logic error: "))
}

func (s *Session) open() error {
	if s.db != nil {
		return nil
	}
	held, err := s.catalogue.open(s.provider, s.own)
	if err != nil {
		return err
	}
	db, err := sandbox.Open(memory)
	if err != nil {
		s.catalogue.release(held)
		return err
	}
	if err := errors.Join(held.attach(db), functions.All(db), s.register(db)); err != nil {
		s.catalogue.release(held)
		return errors.Join(err, sandbox.Close(db))
	}
	s.db, s.held = db, held
	return nil
}

// Columns describes the rows of a question.
func (s *Session) Columns(text string) ([]provider.Column, error) {
	stmt, err := s.prepare(text)
	if err != nil {
		return nil, err
	}
	return columnsOf(stmt), stmt.Close()
}

// formatOID is the format of columns that hold oids.
const formatOID = "oid"

func columnsOf(stmt *sqlite3.Stmt) []provider.Column {
	columns := make([]provider.Column, stmt.ColumnCount())
	for i := range columns {
		columns[i].Name = stmt.ColumnName(i)
		switch strings.ToUpper(stmt.ColumnDeclType(i)) {
		case "BOOLEAN":
			columns[i].Type = "boolean"
		case "INTEGER":
			columns[i].Type = "integer"
		case "NUMERIC":
			columns[i].Type, columns[i].Format = "integer", formatOID
		case "REAL":
			columns[i].Type = "number"
		case "TEXT":
			columns[i].Type = "string"
		}
	}
	return columns
}

// Query answers a question.
func (s *Session) Query(ctx context.Context, text string, args []any) (rows provider.Rows, err error) {
	stmt, err := s.prepare(text)
	if err != nil {
		return nil, err
	}
	for i, arg := range args {
		if i >= stmt.BindCount() {
			break
		}
		if err := bind(stmt, i+1, arg); err != nil {
			return nil, errors.Join(err, stmt.Close())
		}
	}
	s.db.SetInterrupt(ctx)
	s.reading++
	return &answer{session: s, db: s.db, stmt: stmt, columns: columnsOf(stmt)}, nil
}

// answer are the rows of a question.
type answer struct {
	session *Session
	db      *sqlite3.Conn
	stmt    *sqlite3.Stmt
	columns []provider.Column
}

func (a *answer) Columns() []provider.Column { return a.columns }

// Next returns the next row. SQLite cannot go on after a panic, for want of memory: the session's next question
// opens it again.
func (a *answer) Next(context.Context) (row []any, err error) {
	if a.db != a.session.db {
		return nil, provider.Usagef("another question of this connection about the catalogue ended this one, for want of memory")
	}
	ended := false
	err = sandbox.Catch(memory, func() error {
		row, err = a.step()
		ended = true
		return err
	})
	if !ended {
		a.session.reading = 0
		a.session.Close()
	}
	return row, err
}

func (a *answer) step() ([]any, error) {
	if !a.stmt.Step() {
		if err := a.stmt.Err(); err != nil {
			return nil, provider.Usagef("this question about the catalogue cannot be answered: %s", sqliteMessage(err))
		}
		return nil, io.EOF
	}
	row := make([]any, len(a.columns))
	for i, c := range a.columns {
		row[i] = valueOf(a.stmt, i, c)
	}
	return row, nil
}

func valueOf(stmt *sqlite3.Stmt, i int, c provider.Column) any {
	switch stmt.ColumnType(i) {
	case sqlite3.NULL:
		return nil
	case sqlite3.INTEGER:
		if c.Type == "boolean" {
			return stmt.ColumnInt64(i) != 0
		}
		return stmt.ColumnInt64(i)
	case sqlite3.FLOAT:
		return stmt.ColumnFloat(i)
	case sqlite3.TEXT, sqlite3.BLOB:
	}
	return stmt.ColumnText(i)
}

func (a *answer) Close() error {
	if a.stmt == nil || a.db != a.session.db {
		return nil
	}
	err := a.stmt.Close()
	a.stmt = nil
	a.session.reading--
	if errors.Is(err, sqlite3.INTERRUPT) {
		return nil
	}
	return err
}
