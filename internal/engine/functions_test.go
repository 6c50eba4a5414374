package engine_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/internal/engine"
)

// only runs a text and returns the rows of its last statement.
func only(t *testing.T, s *engine.Session, text string, args ...engine.Arg) ([][]any, error) {
	t.Helper()
	var all [][]any
	for rows, err := range s.RunArgs(t.Context(), text, args) {
		if err != nil {
			return nil, err
		}
		all = nil
		for err == nil {
			var row []any
			if row, err = rows.Next(t.Context()); err == nil {
				all = append(all, row)
			}
		}
		if err := rows.Close(); err != nil {
			t.Error(err)
		}
		if !errors.Is(err, io.EOF) {
			return nil, err
		}
	}
	return all, nil
}

// TestFunctions compares the functions that lakeql adds, and the functions of SQLite that it documents, with
// their documented results.
func TestFunctions(t *testing.T) {
	s := session(t)
	for expression, want := range map[string]string{
		`split_part('a/b/c', '/', 1)`:                                           "a",
		`split_part('a/b/c', '/', 3)`:                                           "c",
		`split_part('a/b/c', '/', 4)`:                                           "",
		`split_part('a/b/c', '/', -1)`:                                          "c",
		`split_part('a/b/c', '/', -4)`:                                          "",
		`split_part('abc', '', 1)`:                                              "abc",
		`split_part('abc', '', 2)`:                                              "",
		`split_part('', '/', 1)`:                                                "",
		`split_part('a::b', '::', 2)`:                                           "b",
		`split_part('ä/ö', '/', 2)`:                                             "ö",
		`split_part(NULL, '/', 1)`:                                              "<nil>",
		`split_part('a', '/', NULL)`:                                            "<nil>",
		`split_part('a', '/', 0)`:                                               "error: split_part: parts count from 1",
		`split_part('a', '/', 9223372036854775807)`:                             "",
		`split_part('a', '/', -9223372036854775807 - 1)`:                        "",
		`json_equal('{"a": 1, "b": [2]}', '{"b":[2],"a":1}')`:                   "1",
		`json_equal('{"a": 1.0, "b": 1e2}', '{"a": 1, "b": 100}')`:              "1",
		`json_equal('-0.50', '-5e-1')`:                                          "1",
		`json_equal('0', '-0.0e9')`:                                             "1",
		`json_equal('9007199254740993', '9007199254740992')`:                    "0",
		`json_equal('1e999999999999', '1e999999999998')`:                        "0",
		`json_equal('[1, 2]', '[2, 1]')`:                                        "0",
		`json_equal('{"a": null}', '{}')`:                                       "0",
		`json_equal('"1"', '1')`:                                                "0",
		`json_equal('[1', '1')`:                                                 `error: json_equal: "[1" is not JSON`,
		`json_equal('1 ]', '1')`:                                                `error: json_equal: "****" is not JSON`,
		`json_equal('1', '1 2')`:                                                `error: json_equal: "****" is not JSON`,
		`json_equal(NULL, '1')`:                                                 "<nil>",
		`regexp_like('lakebase', '^lake')`:                                      "1",
		`regexp_like('lakebase', '^base')`:                                      "0",
		`regexp_like('a', '(')`:                                                 "error: ",
		`regexp_substr('job 42 of 7', '\d+')`:                                   "42",
		`regexp_replace('a-b-c', '-', '+')`:                                     "a+b+c",
		`regexp_replace('John Smith', '(\w+) (\w+)', '$2 $1')`:                  "Smith John",
		`datetime(1700000000000 / 1000, 'unixepoch')`:                           "2023-11-14 22:13:20",
		`strftime('%Y', '2024-02-29T12:00:00Z')`:                                "2024",
		`unixepoch('2024-02-29T12:00:00Z') - unixepoch('2024-02-28T12:00:00Z')`: "86400",
		`'{"a": {"b": [1, 2]}}' ->> '$.a.b[1]'`:                                 "2",
	} {
		rows, err := only(t, s, "SELECT "+expression)
		got := ""
		switch {
		case err != nil:
			got = "error: " + err.Error()
		default:
			got = fmt.Sprint(rows[0][0])
		}
		if got != want && (!strings.HasPrefix(want, "error: ") || err == nil || !strings.Contains(err.Error(), strings.TrimPrefix(want, "error: "))) {
			t.Errorf("%s = %s, want %s", expression, got, want)
		}
	}
}

// TestPlaceholders passes values to placeholders in every kind of statement that takes them, and
// checks that too few and too many are errors.
func TestPlaceholders(t *testing.T) {
	at := func(values ...any) []engine.Arg {
		var args []engine.Arg
		for i, v := range values {
			args = append(args, engine.Arg{Ordinal: i + 1, Value: v})
		}
		return args
	}
	named := []engine.Arg{{Name: "a", Ordinal: 1, Value: "x"}, {Name: "b", Ordinal: 2, Value: int64(2)}}
	tests := map[string]struct {
		text string
		args []engine.Arg
		want string
	}{
		"by position":        {"SELECT ?, ?", at("x", int64(2)), "[[x 2]]"},
		"by number":          {"SELECT ?2, ?1, ?2", at("x", 2.5), "[[2.5 x 2.5]]"},
		"by name":            {"SELECT :a, @b, $a", named, "[[x 2 x]]"},
		"NULL and booleans":  {"SELECT ? IS NULL, ?", at(nil, true), "[[1 1]]"},
		"64 bits":            {"SELECT ?", at(int64(9007199254740993)), "[[9007199254740993]]"},
		"in quotes":          {"SELECT '?', ':a', ?", at("x"), "[[? :a x]]"},
		"hostile":            {"SELECT ?", at("'; DROP TABLE t; --"), "[['; DROP TABLE t; --]]"},
		"into a table":       {"CREATE TABLE t1 (a, b); INSERT INTO t1 VALUES (?, ?); SELECT * FROM t1", at("x", int64(2)), "[[x 2]]"},
		"in a change":        {"CREATE TABLE t2 AS SELECT 1 AS a, 2 AS b; UPDATE t2 SET a = ? WHERE b = ?; SELECT a FROM t2", at("x", int64(2)), "[[x]]"},
		"in a table's query": {"CREATE TABLE t3 AS SELECT ? AS a; SELECT * FROM t3", at("x"), "[[x]]"},
		"in an explanation":  {"EXPLAIN SELECT name FROM databricks_workspace.postgres.postgres_branches WHERE project_id = ?", at("p"), "[[postgres_branches.list 1 + pages project_id = ?1 name GET /api/2.0/postgres/projects/{project_id}/branches]]"},
		"by name explained":  {"EXPLAIN SELECT name FROM databricks_workspace.postgres.postgres_branches WHERE project_id = :a", named[:1], "[[postgres_branches.list 1 + pages project_id = :a name GET /api/2.0/postgres/projects/{project_id}/branches]]"},
		"too few":            {"SELECT ?, ?", at("x"), "error: no value for the placeholder ?2"},
		"no such name":       {"SELECT :c", named, "error: no value for the placeholder :c"},
		"too many":           {"SELECT ?", at("x", "y"), "error: a value is given for ?2, and there is no such placeholder"},
		"a name too many":    {"SELECT :a", named, "error: a value is given for :b, and there is no such placeholder"},
		"none wanted":        {"SHOW PROVIDERS", at("x"), "error: a value is given for ?1"},
		"none in EXEC":       {"EXEC databricks_workspace.postgres.postgres_projects.get @name = 'projects/p'", at("x"), "error: a value is given for ?1"},
		"none in a view":     {"CREATE VIEW v AS SELECT ? AS a", at("x"), "error: parameters are not allowed in views"},
	}
	s := session(t)
	defer s.Close()
	for name, test := range tests {
		rows, err := only(t, s, test.text, test.args...)
		got := fmt.Sprint(rows)
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != test.want && (err == nil || !strings.Contains(got, strings.TrimPrefix(test.want, "error: "))) {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
	if _, err := only(t, s, "SELECT ?"); err == nil {
		t.Error("the values of an earlier text count")
	}
}
