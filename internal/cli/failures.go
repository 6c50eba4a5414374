package cli

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/lakeql/lakeql/internal/pipeline"
	"github.com/lakeql/lakeql/provider"
)

const (
	// mostReasons is the number of reasons of failed queries that a summary tells.
	mostReasons = 10
	// mostNames is how many tables, and workspaces, of each are named.
	mostNames = 5
)

// failureGroup is the failed queries of one reason.
type failureGroup struct {
	reason             string
	first              pipeline.Failure
	queries            int
	tables, workspaces []string
}

// groupFailures groups failed queries by their reason, the most frequent first. Queries of one workspace and
// several tables fail for one reason if only the call differs.
func groupFailures(failures []pipeline.Failure) []*failureGroup {
	var all []*failureGroup
	of := map[string]*failureGroup{}
	for _, f := range failures {
		reason := reasonOf(f)
		g := of[reason]
		if g == nil {
			g = &failureGroup{reason: reason, first: f}
			of[reason] = g
			all = append(all, g)
		}
		g.queries++
		if !slices.Contains(g.tables, f.Table) {
			g.tables = append(g.tables, f.Table)
		}
		if n := len(g.workspaces); n == 0 || g.workspaces[n-1] != f.Workspace { // they come in order
			g.workspaces = append(g.workspaces, f.Workspace)
		}
	}
	slices.SortStableFunc(all, func(a, b *failureGroup) int { return cmp.Compare(b.queries, a.queries) })
	return all
}

var (
	// failedMethod is the method at the begin of a message.
	failedMethod = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\w+\.\w+\.\w+\.\w+: `) })
	// failedCall is the call in a message, of which the status is the reason.
	failedCall = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`\((?:GET|HEAD|POST|PUT|PATCH|DELETE) [^\s)]+?(?:: (HTTP \d+))?(?:, request id [^)]*)?\)`)
	})
)

// reasonOf is the message of a failed query without what differs from query to query: its method, its call, and its
// workspace.
func reasonOf(f pipeline.Failure) string {
	text := failedMethod().ReplaceAllString(f.Message, "")
	text = failedCall().ReplaceAllStringFunc(text, func(call string) string {
		if status := failedCall().FindStringSubmatch(call)[1]; status != "" {
			return "(" + status + ")"
		}
		return "(…)"
	})
	if f.Workspace != "" {
		text = strings.ReplaceAll(text, f.Workspace, "…")
	}
	return text
}

// noteFailures lists the reasons of failed queries, each with its tables and workspaces. The message of a reason of
// one workspace is whole.
func (c *command) noteFailures(failures []pipeline.Failure) {
	groups := groupFailures(failures)
	for _, g := range groups[:min(len(groups), mostReasons)] {
		what, where, reason := firstNames(g.tables), g.workspaces[0], g.first.Message
		if n := len(g.workspaces); n > 1 {
			where, reason = fmt.Sprintf("%d workspaces (%s)", n, firstNames(g.workspaces)), g.reason
		}
		c.note("failed: %s in %s: %s", what, where, provider.Printable(reason))
	}
	if more := groups[min(len(groups), mostReasons):]; len(more) > 0 {
		queries := 0
		for _, g := range more {
			queries += g.queries
		}
		c.note("and %d more queries for %d other reasons, which lakeql pipeline status --workspaces tells", queries, len(more))
	}
}

// noteLeft names the workspaces that a run found to have left. The next runs do not name them again.
func (c *command) noteLeft(d *pipeline.Definition, names []string) {
	if len(names) == 0 {
		return
	}
	lists := "the pipeline does not list"
	if d.Workspaces.All {
		lists = "the account does not list"
	}
	what, whose := "the workspace", "its"
	if len(names) > 1 {
		what, whose = fmt.Sprintf("%d workspaces", len(names)), "their"
	}
	c.note("%s %s %s any more: %s rows stay in the store, marked stale, until lakeql pipeline forget", lists, what, firstNames(names), whose)
}

// firstNames joins the first of some names.
func firstNames(names []string) string {
	text := strings.Join(names[:min(len(names), mostNames)], ", ")
	if more := len(names) - mostNames; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
