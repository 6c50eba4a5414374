package pipeline

import (
	"slices"
	"strings"
	"testing"
)

func TestDistinctWorkspaces(t *testing.T) {
	hostOf := func(name string) string {
		return strings.TrimSuffix(strings.ToLower(name), ".cloud.databricks.com")
	}
	got := distinct([]string{"WA", "wa.cloud.databricks.com", "wa", "WB", "wb.cloud.databricks.com", "a"}, hostOf)
	if !slices.Equal(got, []string{"WB", "a", "wa"}) {
		t.Errorf("got %q", got)
	}
}
