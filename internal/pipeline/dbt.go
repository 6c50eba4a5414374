package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/lakeql/lakeql/provider"
)

// DBTFile is the name of the file with sources.
const DBTFile = "sources.yml"

// The parts of a file of dbt's sources.
type (
	dbtSources struct {
		Version int         `yaml:"version"`
		Sources []dbtSource `yaml:"sources"`
	}
	dbtSource struct {
		Name        string        `yaml:"name"`
		Description string        `yaml:"description,omitempty"`
		Schema      string        `yaml:"schema"`
		LoadedAt    string        `yaml:"loaded_at_field"`
		Freshness   *dbtFreshness `yaml:"freshness"`
		Tables      []dbtTable    `yaml:"tables"`
	}
	dbtFreshness struct {
		Warn  dbtAge `yaml:"warn_after"`
		Error dbtAge `yaml:"error_after"`
	}
	dbtAge struct {
		Count  int    `yaml:"count"`
		Period string `yaml:"period"`
	}
	dbtTable struct {
		Name        string         `yaml:"name"`
		Description string         `yaml:"description,omitempty"`
		Config      map[string]any `yaml:"config,omitempty"`
		Tests       []any          `yaml:"data_tests,omitempty"`
		Columns     []dbtColumn    `yaml:"columns"`
	}
	dbtColumn struct {
		Name        string `yaml:"name"`
		Description string `yaml:"description,omitempty"`
		Type        string `yaml:"data_type"`
		Tests       []any  `yaml:"data_tests,omitempty"`
	}
)

// DBT writes the tables of a pipeline, their history, and pipeline_status as sources for dbt: the columns with their
// types, tests of the keys, and the age of rows from which dbt warns and fails.
func (s *Store) DBT(ctx context.Context, pipeline, schema string) ([]byte, error) {
	if err := s.checkPipeline(ctx, s.db, pipeline); err != nil {
		return nil, storeError(s.place, err)
	}
	tables, err := s.tablesWhere(ctx, s.db, "WHERE pipeline = ?1", pipeline)
	if err != nil {
		return nil, storeError(s.place, err)
	}
	source := dbtSource{
		Name: pipeline, Description: "Rows of workspaces that the pipeline " + pipeline + " of lakeql reads.", Schema: schema, LoadedAt: "observed_at",
	}
	if source.Freshness, err = s.dbtFreshness(ctx, pipeline); err != nil {
		return nil, storeError(s.place, err)
	}
	for i := range tables {
		source.Tables = append(source.Tables, s.dbtRows(&tables[i]), s.dbtHistory(&tables[i]))
	}
	source.Tables = append(source.Tables, s.dbtStatus())
	var out bytes.Buffer
	out.WriteString("# Made by lakeql pipeline dbt from the store.\n")
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(dbtSources{2, []dbtSource{source}}); err != nil {
		return nil, provider.Internalf("write the sources: %v", err).Because(err)
	}
	return out.Bytes(), nil
}

// Unscheduled stands for the time between two runs of a pipeline without a schedule.
const Unscheduled = 24 * time.Hour

// dbtFreshness returns the ages from which dbt warns and fails: one and a half, and three times the longest time
// between two runs of the installed schedule.
func (s *Store) dbtFreshness(ctx context.Context, pipeline string) (*dbtFreshness, error) {
	schedules, err := s.Schedules(ctx)
	if err != nil {
		return nil, err
	}
	now, err := s.now(ctx, s.db)
	if err != nil {
		return nil, err
	}
	every := Unscheduled
	for i := range schedules {
		if c := &schedules[i]; c.Pipeline == pipeline {
			every = cmp.Or(c.longest(now), every)
		}
	}
	return &dbtFreshness{Warn: dbtAgeOf(every * 3 / 2), Error: dbtAgeOf(every * 3)}, nil
}

// dbtAgeOf is a time in hours, or in minutes, of which dbt has whole numbers only.
func dbtAgeOf(d time.Duration) dbtAge {
	if d%time.Hour == 0 {
		return dbtAge{int(d / time.Hour), "hour"}
	}
	return dbtAge{int((d + time.Minute - 1) / time.Minute), "minute"}
}

func (s *Store) dbtColumn(name string, typ Type, description string, tests ...any) dbtColumn {
	return dbtColumn{Name: name, Description: description, Type: s.dbtType(typ), Tests: tests}
}

// dbtType is the name of a type in the database. SQLite has times and JSON as texts.
func (s *Store) dbtType(typ Type) string {
	if s.d.postgres {
		return s.d.typeOf(typ)
	}
	if typ == Timestamp || typ == JSON {
		typ = Text
	}
	return strings.ToLower(s.d.typeOf(typ))
}

// dbtRows describes the current rows of a table.
func (s *Store) dbtRows(t *storedTable) dbtTable {
	key := "deployment_name"
	for _, name := range t.Key {
		key += " || '|' || coalesce(cast(" + quote(name) + " as text), '')"
	}
	made := dbtTable{
		Name: t.Name, Description: t.Description,
		Tests: []any{map[string]any{"unique": map[string]any{"name": t.Name + "_key", "column_name": "(" + key + ")"}}},
		Columns: []dbtColumn{
			s.dbtColumn(deploymentName, Text, "Workspace of the row.", "not_null"),
			s.dbtColumn("observed_at", Timestamp, "Time of the query that read the rows of this workspace.", "not_null"),
			s.dbtColumn(staleColumn, Boolean, "Whether the last query of this workspace failed, so that the row is old."),
		},
	}
	return s.dbtOwn(made, t)
}

// dbtOwn adds the columns of the query.
func (s *Store) dbtOwn(made dbtTable, t *storedTable) dbtTable {
	for _, c := range t.Columns {
		description := ""
		if slices.Contains(t.Key, c.Name) {
			description = "Part of the key of a row within a workspace."
		}
		made.Columns = append(made.Columns, s.dbtColumn(c.Name, c.Type, description))
	}
	return made
}

// dbtHistory describes the changes of a table. Their age says nothing: rows may stay as they are.
func (s *Store) dbtHistory(t *storedTable) dbtTable {
	made := dbtTable{
		Name: t.Name + "_history", Description: strings.TrimSpace("Changes of " + t.Name + "."),
		Config: map[string]any{"freshness": nil, "loaded_at_field": "changed_at"},
		Columns: []dbtColumn{
			s.dbtColumn(deploymentName, Text, "Workspace of the row.", "not_null"),
			s.dbtColumn("change", Text, "Kind of the change.", map[string]any{"accepted_values": map[string]any{"values": []string{addedRow, changedRow, removedRow, columnsRow}}}),
			s.dbtColumn("changed_at", Timestamp, "Time of the query that found the change.", "not_null"),
			s.dbtColumn("run_id", Integer, "Run of that query."),
			s.dbtColumn("changed_columns", JSON, "Changed columns, with their old and new values."),
		},
	}
	return s.dbtOwn(made, t)
}

// dbtStatus describes the view of ages and errors.
func (s *Store) dbtStatus() dbtTable {
	return dbtTable{
		Name: "pipeline_status", Description: "Age and state of the rows of each table and workspace.",
		Config: map[string]any{"freshness": nil},
		Columns: []dbtColumn{
			s.dbtColumn("pipeline", Text, ""), s.dbtColumn("table_name", Text, ""), s.dbtColumn(deploymentName, Text, ""),
			s.dbtColumn("observed_at", Timestamp, "Time of the last query that was answered."),
			s.dbtColumn(staleColumn, Boolean, "Whether the rows are old."),
			s.dbtColumn("run_id", Integer, "Run that read the rows."),
			s.dbtColumn("error", Text, "Error of the last query."),
			s.dbtColumn("state", Text, "fresh, failed, unanswered, or left.", map[string]any{"accepted_values": map[string]any{"values": []SliceState{SliceFresh, SliceFailed, SliceUnanswered, SliceLeft}}}),
		},
	}
}
