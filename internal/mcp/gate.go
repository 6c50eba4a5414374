package mcp

import (
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// gate decides which statements run. What tools say of themselves comes from it as well.
type gate struct {
	writes bool // statements may change something, each after the user said so
}

// longestText bounds a statement, in bytes.
const longestText = 1 << 20

// most returns the greatest effect of a statement that a tool runs.
func (g gate) most(t *tool) statement.Effect {
	if t.writes && g.writes {
		return statement.Changes
	}
	return statement.Reads
}

// annotations tell a client what the tool may do.
func (g gate) annotations(t *tool) *sdk.ToolAnnotations {
	changes := g.most(t) == statement.Changes
	return &sdk.ToolAnnotations{
		Title: t.title, ReadOnlyHint: !changes, DestructiveHint: &changes, IdempotentHint: !changes, OpenWorldHint: &t.calls,
	}
}

// admit returns the effect of the one statement in a text; it is an error if the tool does not run it. A text
// that cannot be read passes as one that reads: the session refuses it, and shows no credential in the error.
func (g gate) admit(t *tool, text string) (statement.Effect, error) {
	if len(text) > longestText {
		return 0, provider.Usagef("the statement is longer than %d bytes", longestText)
	}
	statements, err := statement.Parse(text)
	if err != nil {
		return statement.Reads, nil //nolint:nilerr // see above
	}
	if len(statements) != 1 {
		return 0, provider.Usagef("the text has %d statements", len(statements)).Hintf("send one statement in each call")
	}
	effect := statement.EffectOf(statements[0])
	switch {
	case effect == statement.Sets:
		return 0, provider.Usagef("the statement changes its session, and each call has a session of its own").
			Hintf("whoever starts lakeql mcp makes the settings, by its flags")
	case effect <= g.most(t):
		return effect, nil
	case g.writes:
		return 0, provider.Usagef("%s only reads, and the statement may change something", t.name).
			Hintf("call execute: it asks the user first")
	}
	return 0, provider.Usagef("the statement may change something, and this server only reads").
		Hintf("explain lists its calls; writes need a server that was started with --allow-writes")
}
