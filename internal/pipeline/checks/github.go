package checks

import (
	"fmt"
	"io"
	"strings"
	"unicode"
)

// mostAnnotated is how many failing rows an annotation lists: GitHub shows 4 KB of one.
const mostAnnotated = 10

// writeGitHub writes a workflow command of GitHub Actions for each check that does not pass, which becomes
// an annotation of the check's file, and a line with the sum.
func (r *Report) writeGitHub(w io.Writer) error {
	pass := 0
	for _, result := range r.Results {
		c, level := result.Check, "error"
		title := fmt.Sprintf("%s: %s", c.Name, result.Outcome)
		switch {
		case result.Outcome == Pass:
			pass++
			continue
		case result.Outcome == Unknown || result.Outcome == Fail && c.Severity == Warning:
			level = "warning"
		case result.Outcome == Fail && c.Severity == Info:
			level = "notice"
		}
		lines := result.details(mostAnnotated)
		if c.Description != "" {
			lines = append([]string{c.Description}, lines...)
		}
		if c.Docs != "" {
			lines = append(lines, c.Docs)
		}
		if _, err := fmt.Fprintf(w, "::%s file=%s,line=%d,title=%s::%s\n", level, githubProperty(r.Place(c)), result.line(), githubProperty(title), githubData(strings.Join(lines, "\n"))); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "%d of %d checks of %s passed\n", pass, len(r.Results), r.Pipeline)
	return err
}

// githubData escapes the message of a workflow command, so that it is one line. The log is shown on terminals,
// too, so other control characters become U+FFFD.
func githubData(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\r' && r != '\n' && r != '\t' {
			return unicode.ReplacementChar
		}
		return r
	}, text)
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(text)
}

// githubProperty escapes a property of a workflow command.
func githubProperty(text string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(githubData(text))
}
