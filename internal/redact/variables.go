package redact

import (
	"strconv"
	"strings"

	"github.com/lakeql/lakeql/internal/statement"
)

// Kept returns a text of statements as a history keeps it: with [Mark] in place of each hidden part, and with its
// references to variables, which are no secrets. It is empty if nothing else is left of the text.
func (j Judge) Kept(text string, isVariable func(name string) bool) string {
	const stand = "lakeql_variable_" // for a reference, which no grammar has
	var b strings.Builder
	var references []string
	statement.EachVariable(text, func(before, reference, name string, _ byte, _ bool) {
		b.WriteString(before)
		if name == "" || !isVariable(name) {
			b.WriteString(reference)
			return
		}
		b.WriteString(":" + stand + strconv.Itoa(len(references)) + "_")
		references = append(references, reference)
	})
	if len(references) == 0 || strings.Contains(strings.ToLower(text), stand) {
		return j.kept(text)
	}
	for i := range references {
		j.names = append(j.names, stand+strconv.Itoa(i)+"_")
	}
	kept := j.kept(b.String())
	for i, reference := range references {
		kept = strings.Replace(kept, ":"+stand+strconv.Itoa(i)+"_", reference, 1)
	}
	return kept
}

func (j Judge) kept(text string) string {
	shown := j.Read(text)
	if shown.HidesAll() {
		return ""
	}
	return shown.String()
}
