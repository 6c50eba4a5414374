package pgcatalog

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/lakeql/lakeql/internal/functions"
	"github.com/lakeql/lakeql/provider"
)

// function is one of PostgreSQL's.
type function struct {
	arguments int // -1: any number
	call      func(s *Session, args []sqlite3.Value) any
}

// isFunction reports whether a function is of the catalogue only.
func isFunction(name string) bool {
	_, ok := ownFunctions()[name]
	return ok && !slices.Contains(functions.Names(), name)
}

// fixed answers the same always.
func fixed(arguments int, value any) function {
	return function{arguments, func(*Session, []sqlite3.Value) any { return value }}
}

// ownFunctions are those that clients call about the catalogue and the connection.
var ownFunctions = sync.OnceValue(func() map[string]function {
	return map[string]function{
		"version":          fixed(0, "PostgreSQL "+Version+" (lakeql)"),
		"current_database": {0, func(s *Session, _ []sqlite3.Value) any { return s.provider }},
		"current_catalog":  {0, func(s *Session, _ []sqlite3.Value) any { return s.provider }},
		"current_user":     {0, func(s *Session, _ []sqlite3.Value) any { return s.client.User }},
		"session_user":     {0, func(s *Session, _ []sqlite3.Value) any { return s.client.User }},
		"current_role":     {0, func(s *Session, _ []sqlite3.Value) any { return s.client.User }},
		"user":             {0, func(s *Session, _ []sqlite3.Value) any { return s.client.User }},
		"current_schema":   fixed(0, "public"),
		"current_schemas": {1, func(_ *Session, args []sqlite3.Value) any {
			if args[0].Bool() {
				return `["pg_catalog","public"]`
			}
			return `["public"]`
		}},
		"lakeql_alone":             {-1, alone},
		"_pg_expandarray":          {1, alone},
		"current_setting":          {-1, currentSetting},
		"set_config":               {3, func(_ *Session, args []sqlite3.Value) any { return args[1].Text() }},
		"pg_backend_pid":           {0, func(s *Session, _ []sqlite3.Value) any { return int64(s.client.ID) }},
		"inet_server_addr":         fixed(0, nil),
		"inet_server_port":         fixed(0, nil),
		"inet_client_addr":         fixed(0, nil),
		"pg_is_in_recovery":        fixed(0, false),
		"pg_postmaster_start_time": {0, func(*Session, []sqlite3.Value) any { return time.Now().UTC().Format(time.RFC3339) }},
		"txid_current":             fixed(0, int64(1)),
		"now":                      {0, func(*Session, []sqlite3.Value) any { return time.Now().UTC().Format(time.RFC3339Nano) }},
		"pg_encoding_to_char":      fixed(1, "UTF8"),
		"pg_char_to_encoding":      fixed(1, int64(6)),
		"pg_client_encoding":       fixed(0, "UTF8"),
		"format_type":              {2, callFormatType},
		"pg_get_userbyid":          fixed(1, "lakeql"),
		"pg_get_expr":              fixed(-1, nil),
		"pg_get_constraintdef":     fixed(-1, nil),
		"pg_get_indexdef":          fixed(-1, nil),
		"pg_get_viewdef": {-1, func(s *Session, args []sqlite3.Value) any {
			if len(args) == 0 {
				return nil
			}
			return s.ask("SELECT coalesce(v.view_definition, '') FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN information_schema.views v ON v.table_schema = n.nspname AND v.table_name = c.relname WHERE c.oid = ?", args[0].Int64())
		}},
		"pg_get_triggerdef":                  fixed(-1, nil),
		"pg_get_ruledef":                     fixed(-1, nil),
		"pg_get_partkeydef":                  fixed(-1, nil),
		"pg_get_serial_sequence":             fixed(-1, nil),
		"pg_get_functiondef":                 fixed(-1, nil),
		"pg_get_function_sqlbody":            fixed(-1, nil),
		"pg_get_function_arguments":          fixed(-1, ""),
		"pg_get_function_result":             fixed(-1, ""),
		"pg_get_function_identity_arguments": fixed(-1, ""),
		"pg_get_statisticsobjdef_columns":    fixed(-1, nil),
		"pg_relation_is_publishable":         fixed(1, false),
		"pg_relation_size":                   fixed(-1, int64(0)),
		"pg_table_size":                      fixed(-1, int64(0)),
		"pg_total_relation_size":             fixed(-1, int64(0)),
		"pg_indexes_size":                    fixed(-1, int64(0)),
		"pg_database_size":                   fixed(-1, int64(0)),
		"pg_tablespace_location":             fixed(1, ""),
		"pg_tablespace_size":                 fixed(1, int64(0)),
		"pg_size_pretty":                     {1, func(_ *Session, args []sqlite3.Value) any { return args[0].Text() + " bytes" }},
		"pg_is_other_temp_schema":            fixed(1, false),
		"pg_my_temp_schema":                  fixed(0, int64(0)),
		"pg_table_is_visible":                fixed(1, true),
		"pg_type_is_visible":                 fixed(1, true),
		"pg_function_is_visible":             fixed(1, true),
		"pg_operator_is_visible":             fixed(1, true),
		"pg_opclass_is_visible":              fixed(1, true),
		"pg_collation_is_visible":            fixed(1, true),
		"pg_conversion_is_visible":           fixed(1, true),
		"pg_statistics_obj_is_visible":       fixed(1, true),
		"pg_ts_config_is_visible":            fixed(1, true),
		"pg_ts_dict_is_visible":              fixed(1, true),
		"pg_ts_parser_is_visible":            fixed(1, true),
		"pg_ts_template_is_visible":          fixed(1, true),
		"has_schema_privilege":               fixed(-1, true),
		"has_table_privilege":                fixed(-1, true),
		"has_any_column_privilege":           fixed(-1, true),
		"has_column_privilege":               fixed(-1, true),
		"has_database_privilege":             fixed(-1, true),
		"has_function_privilege":             fixed(-1, true),
		"has_sequence_privilege":             fixed(-1, true),
		"pg_has_role":                        fixed(-1, true),
		"obj_description":                    {-1, objectDescription},
		"shobj_description": {2, func(s *Session, args []sqlite3.Value) any {
			return s.ask("SELECT description FROM pg_catalog.pg_shdescription WHERE objoid = ?", args[0].Int64())
		}},
		"col_description": {2, func(s *Session, args []sqlite3.Value) any {
			return s.ask("SELECT description FROM pg_catalog.pg_description WHERE objoid = ? AND objsubid = ?", args[0].Int64(), args[1].Int64())
		}},
		"to_regclass":            {1, regclass},
		"pg_regclass":            {1, regclass},
		"to_regtype":             {1, regtype},
		"pg_regtype":             {1, regtype},
		"pg_regnamespace":        {1, regnamespace},
		"to_regnamespace":        {1, regnamespace},
		"array_lower":            {2, func(_ *Session, args []sqlite3.Value) any { return lowest(args[0]) }},
		"getdatabaseencoding":    fixed(0, "UTF8"),
		"pg_stat_get_numscans":   fixed(1, int64(0)),
		"age":                    fixed(-1, int64(0)),
		"pg_advisory_unlock_all": fixed(0, nil),
		"pg_cancel_backend":      fixed(1, false),
		"pg_terminate_backend":   fixed(1, false),
	}
})

// register gives a connection the functions.
func (s *Session) register(db *sqlite3.Conn) error {
	var errs []error
	for name, f := range ownFunctions() {
		call := f.call
		errs = append(errs, db.CreateFunction(name, f.arguments, sqlite3.DIRECTONLY, func(ctx sqlite3.Context, args ...sqlite3.Value) {
			result(ctx, call(s, args))
		}))
	}
	return errors.Join(errs...)
}

func result(ctx sqlite3.Context, value any) {
	switch value := value.(type) {
	case nil:
		ctx.ResultNull()
	case bool:
		ctx.ResultBool(value)
	case int64:
		ctx.ResultInt64(value)
	case float64:
		ctx.ResultFloat(value)
	case string:
		ctx.ResultText(value)
	case error:
		ctx.ResultError(value)
	}
}

// ask answers a question of a function; nil if there is no row.
func (s *Session) ask(text string, args ...any) any {
	stmt, _, err := s.db.Prepare(text)
	if err != nil {
		return err
	}
	defer stmt.Close() //nolint:errcheck // Err tells
	for i, arg := range args {
		if err := bind(stmt, i+1, arg); err != nil {
			return err
		}
	}
	if !stmt.Step() {
		if err := stmt.Err(); err != nil {
			return err
		}
		return nil
	}
	return valueOf(stmt, 0, provider.Column{})
}

func currentSetting(s *Session, args []sqlite3.Value) any {
	if len(args) == 0 {
		return nil
	}
	value, ok := s.client.Setting(args[0].Text())
	if !ok {
		if len(args) > 1 && args[1].Bool() {
			return nil
		}
		return errors.New("unrecognized configuration parameter " + provider.Quote(args[0].Text()))
	}
	return value
}

func callFormatType(_ *Session, args []sqlite3.Value) any {
	if args[0].Type() == sqlite3.NULL {
		return nil
	}
	return formatType(args[0].Int64(), args[1].Int64())
}

func objectDescription(s *Session, args []sqlite3.Value) any {
	if len(args) == 0 {
		return nil
	}
	return s.ask("SELECT description FROM pg_catalog.pg_description WHERE objoid = ? AND objsubid = 0", args[0].Int64())
}

// regclass turns the name of a table into its oid, and an oid into the name.
func regclass(s *Session, args []sqlite3.Value) any {
	if args[0].Type() == sqlite3.NULL {
		return nil
	}
	text := args[0].Text()
	if _, err := strconv.ParseInt(text, 10, 64); err == nil {
		if args[0].Type() == sqlite3.TEXT {
			return args[0].Int64()
		}
		name := s.ask("SELECT CASE WHEN n.nspname IN ('pg_catalog', 'public') THEN c.relname ELSE n.nspname || '.' || c.relname END FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ?", args[0].Int64())
		if name == nil {
			return text
		}
		return name
	}
	switch strings.TrimPrefix(strings.ToLower(text), "pg_catalog.") { // the oids of the catalogue's own tables, which descriptions name
	case "pg_class":
		return int64(1259)
	case "pg_namespace":
		return int64(2615)
	case "pg_type":
		return int64(1247)
	case "pg_proc":
		return int64(1255)
	case "pg_database":
		return int64(1262)
	case "pg_constraint":
		return int64(2606)
	}
	schema, name, dotted := strings.Cut(text, ".")
	if !dotted {
		return s.ask("SELECT oid FROM pg_catalog.pg_class WHERE relname = ?", strings.Trim(text, `"`))
	}
	return s.ask("SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ? AND c.relname = ?", strings.Trim(schema, `"`), strings.Trim(name, `"`))
}

func regtype(_ *Session, args []sqlite3.Value) any {
	if args[0].Type() == sqlite3.NULL {
		return nil
	}
	if n, err := strconv.ParseInt(args[0].Text(), 10, 64); err == nil {
		return formatType(n, -1)
	}
	t, ok := typeNamed(strings.TrimPrefix(args[0].Text(), "pg_catalog."))
	if !ok {
		return nil
	}
	return int64(t.oid)
}

func regnamespace(s *Session, args []sqlite3.Value) any {
	if args[0].Type() == sqlite3.NULL {
		return nil
	}
	if _, err := strconv.ParseInt(args[0].Text(), 10, 64); err == nil {
		return s.ask("SELECT nspname FROM pg_catalog.pg_namespace WHERE oid = ?", args[0].Int64())
	}
	return s.ask("SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = ?", args[0].Text())
}

// alone stands for a function that returns rows, called between other columns. The tables that clients ask so
// have no rows, such as pg_index.
func alone(_ *Session, args []sqlite3.Value) any {
	if args[0].Type() == sqlite3.NULL {
		return nil
	}
	return errors.New("a function that returns rows stands behind FROM")
}

// lowest is the first subscript of an array; none if it is empty.
func lowest(list sqlite3.Value) any {
	if text := strings.TrimSpace(list.Text()); text == "" || text == "{}" || text == "[]" {
		return nil
	}
	return int64(1)
}
