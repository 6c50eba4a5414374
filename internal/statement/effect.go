package statement

// Effect is what a statement may do besides returning rows.
type Effect int

const (
	// Reads is nothing: the statement asks, and changes nothing.
	Reads Effect = iota
	// Sets changes the session only, which ends with its user.
	Sets
	// Changes may change something that outlives the session: in a workspace, or in a store.
	Changes
)

// EffectOf returns what a statement may do. Every door that limits its users asks this function. An EXEC
// counts as a change whatever its method is. EXPLAIN ANALYZE runs its statement, so it has the same effect.
// The effect of a kind of statement that is not known here is a change.
//
// A query reads, because SQLite refuses every text that would write, and because a SELECT makes only the
// calls that the documents mark as reading.
func EffectOf(st Statement) Effect {
	switch st := st.(type) {
	case *Query, *NativeQuery, *Show, *Describe, *Registry:
		return Reads
	case *Explain:
		if st.Analyze {
			return EffectOf(st.Statement)
		}
		return Reads
	case *Set, *Use, *Purge, *Sleep:
		return Sets
	}
	return Changes
}

// MayChange reports whether a text has a statement that may change something. A text that cannot be read has
// none, because nothing of it runs; so the scope has to be the one in which the text would run.
func (sc Scope) MayChange(text string) bool {
	statements, err := sc.Parse(text)
	if err != nil {
		return false
	}
	for _, st := range statements {
		if EffectOf(st) == Changes {
			return true
		}
	}
	return false
}
