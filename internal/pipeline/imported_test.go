package pipeline

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lakeql/lakeql/provider"
)

// TestSketch shows which name, key, and types a table of somebody else's query gets.
func TestSketch(t *testing.T) {
	t.Parallel()
	column := func(text string) provider.Column {
		name, typ, _ := strings.Cut(text, " ")
		return provider.Column{Name: name, Type: typ}
	}
	for _, test := range []struct{ name, query, columns, want string }{
		{"clusters", "SELECT", "name string,cluster_id string,state string", "clusters [cluster_id] map[]"},
		{"Old Branch!", "SELECT", "name string,is_default ,n ,host ", "old_branch [name] map[host:text is_default:boolean n:integer]"},
		{"users_history", "SELECT", "id string,userName string", "users_history_rows [id] map[]"},
		{"lakeql_x", "SELECT", "id string", "of_lakeql_x [id] map[]"},
		{"pg_at", "SELECT", "id string", "of_pg_at_rows [id] map[]"},
		{"2024", "SELECT", "a string,b object", "table_2024 [a] map[]"},
		{"jobs", "SELECT … JOIN …", "job_id integer,task_key string,name string", "jobs [job_id name] map[]"},
		{"taken", "SELECT", "only object", "taken_2 [only] map[]"},
		{"", "SELECT", "id string", "table [id] map[]"},
		{strings.Repeat("abcdefghi_", 9), "SELECT", "id string", "abcdefghi_abcdefghi_abcdefghi [id] map[]"},
		{"w", "SELECT", "deployment_name string", "the query has no column but the workspace"},
		{"s", "SELECT", "stale boolean", "the column stale is one that every table or its history has for itself: name it otherwise with AS"},
	} {
		d := NewDefinition("x", "", nil, nil)
		d.Tables = []Table{{Name: "taken"}}
		var columns []provider.Column
		for text := range strings.SplitSeq(test.columns, ",") {
			columns = append(columns, column(text))
		}
		made, _, err := d.Sketch(test.name, "", test.query, columns)
		got := fmt.Sprint(err)
		if err == nil {
			got = fmt.Sprint(made.Name, " ", made.Key, " ", made.Types)
		}
		if got != test.want {
			t.Errorf("%s (%s): %s, want %s", test.name, test.columns, got, test.want)
		}
	}
}
