package pipeline

import (
	"strings"
	"testing"
)

// TestLabelOfRows: a row is called by a name beside its key, and not by that of somebody else.
func TestLabelOfRows(t *testing.T) {
	t.Parallel()
	for columns, want := range map[string]string{
		"id name": "name", "id display_name user_name": "display_name", "id created_by_user_name label": "label",
		"cluster_id creator_user_name cluster_name": "cluster_name", "id creator_name run_as_user_name": "", "id owner_name state": "",
	} {
		table := storedTable{Key: []string{"id"}}
		for name := range strings.FieldsSeq(columns) {
			table.Columns = append(table.Columns, Column{name, Text})
		}
		got := ""
		if label := table.label(); label != nil {
			got = label.Name
		}
		if got != want {
			t.Errorf("%s: %q, want %q", columns, got, want)
		}
	}
	if table := (storedTable{Key: []string{"name"}, Columns: []Column{{"name", Text}, {"display_name", Text}}}); table.label() != nil {
		t.Error("the key says the name")
	}
	if table := (storedTable{Key: []string{"id"}, Columns: []Column{{"id", Integer}, {"name", JSON}}}); table.label() != nil {
		t.Error("JSON is no name")
	}
}
