// Package redact decides which parts of a text of statements may be shown: in an error, in the
// excerpt below it, in the shell's history.
//
// The rule: a text that is not understood is treated as a secret. A literal is shown if it is the value
// of a parameter, an attribute or a column that the documents know and that is not a credential. A bare
// word is shown if it is a name of the documents or of the grammar, or if it looks like a name and is at
// the place of a name. If quotes do not match, a part of a literal may look like a word; then only the
// name after the first verb is shown.
package redact

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// Judge decides which parts may be shown.
type Judge struct {
	// Client knows the documents; nil: none are known.
	Client *dispatch.Client
	// Unresolved is set if a name in the statements is unknown. Then it is not certain which columns
	// the literals of a query are compared with.
	Unresolved bool
	// Scope completes short names, as in the session.
	Scope statement.Scope
	// Foreign are texts that were put into the statements from outside. Their words are no names.
	Foreign []string

	names []string // words that are shown
}

// Text is a text of statements of which parts are hidden.
type Text struct {
	source string
	hidden []span // in order, without overlaps

	mask    *provider.Mask
	visible map[string]bool // words that are shown, in lower case
	secret  map[string]bool // words that are hidden, in lower case
}

// span is a part of the source.
type span struct{ from, to int }

// Mark replaces each hidden part.
const Mark = "****"

// Read reads a text.
func (j Judge) Read(source string) *Text {
	r := &reading{judge: j, scanned: scan(source), known: newNames(j.Client)}
	r.known.load(j.Scope.Provider)
	r.known.load(j.Scope.Service)
	for _, name := range j.names {
		r.known.show(name)
	}
	if r.broken {
		r.readBroken()
	} else {
		r.readStatements()
		for _, found := range placeholder().FindAllStringSubmatch(source, -1) {
			r.known.show(found[1])
		}
	}
	return newText(source, r.hidden, r.known.shown)
}

// placeholder matches {{ name }} and {{ .name }}. The name refers to a value and is not the value.
var placeholder = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\{\{\s*\.?([a-z_]{1,40})\s*\}\}`) })

func newText(source string, hidden []span, visible map[string]bool) *Text {
	slices.SortFunc(hidden, func(a, b span) int { return a.from - b.from })
	t := &Text{source: source, visible: map[string]bool{}, secret: map[string]bool{}}
	at := 0
	for _, s := range hidden {
		s.from = max(s.from, at)
		if s.from >= s.to {
			continue
		}
		if last := len(t.hidden) - 1; last >= 0 && at == s.from {
			t.hidden[last].to = s.to
		} else {
			t.hidden = append(t.hidden, s)
		}
		at = s.to
	}
	var whole []string
	at = 0
	for _, s := range append(slices.Clone(t.hidden), span{len(source), len(source)}) {
		eachWord(source[at:s.from], func(w string) { t.visible[strings.ToLower(w)] = true })
		at = s.to
		piece := source[s.from:s.to]
		whole = append(whole, piece)
		eachWord(piece, func(w string) { t.secret[strings.ToLower(w)] = true })
	}
	for w := range visible {
		t.visible[w] = true
	}
	whole = slices.DeleteFunc(whole, func(piece string) bool { return t.visible[strings.ToLower(piece)] })
	t.mask = provider.NewMask(whole...).Whole()
	return t
}

// HidesAll reports whether nothing but blanks and marks is left of the text.
func (t *Text) HidesAll() bool {
	return len(t.hidden) > 0 && strings.Trim(t.String(), " \t\r\n;*") == ""
}

// String returns the text with [Mark] in place of each hidden part.
func (t *Text) String() string {
	var b strings.Builder
	at := 0
	for _, s := range t.hidden {
		b.WriteString(t.source[at:s.from])
		b.WriteString(Mark)
		at = s.to
	}
	b.WriteString(t.source[at:])
	return b.String()
}

// Line returns the line of the text at a position, cut at that position, with [Mark] in place of each
// hidden part. A position inside a hidden part moves to its beginning. ok is false if no part of the
// line can be shown.
func (t *Text) Line(pos provider.Position) (before, after string, ok bool) {
	lines := strings.SplitAfter(t.source, "\n")
	if pos.Line < 1 || pos.Line > len(lines) {
		return "", "", false
	}
	start := 0
	for _, line := range lines[:pos.Line-1] {
		start += len(line)
	}
	end := start + len(strings.TrimRight(lines[pos.Line-1], "\r\n"))
	at := start
	for range pos.Column - 1 {
		if at >= end {
			break
		}
		_, size := utf8.DecodeRuneInString(t.source[at:end])
		at += size
	}
	for _, s := range t.hidden {
		if s.from < at && at < s.to {
			at = max(s.from, start)
		}
	}
	before, after = t.part(start, at), t.part(at, end)
	return before, after, strings.Trim(before+after, " \t*") != "" || start == end
}

// part returns a part of the text.
func (t *Text) part(from, to int) string {
	var b strings.Builder
	at := from
	for _, s := range t.hidden {
		if s.to <= at || s.from >= to {
			continue
		}
		b.WriteString(t.source[at:max(s.from, at)])
		b.WriteString(Mark)
		at = min(s.to, to)
	}
	b.WriteString(t.source[at:max(at, to)])
	return b.String()
}

// Error returns an error of the statements without the hidden parts. The error of a call stays as it is:
// its statement was understood, and the client has masked the values that it sent.
func (t *Text) Error(err error) error {
	if err == nil || len(t.hidden) == 0 {
		return err
	}
	if e, ok := errors.AsType[*provider.Error](err); ok && e.Method != "" {
		return err
	}
	return provider.Reword(err, t.message)
}

// Message returns a message about the statements without the hidden parts.
func (t *Text) Message(message string) string {
	if len(t.hidden) == 0 {
		return message
	}
	return t.message(message)
}

// message masks the hidden parts of the text, and their words, in a message. Text from outside is in
// double quotes in a message, and is masked as a whole.
func (t *Text) message(message string) string {
	message = t.mask.Text(message)
	var b strings.Builder
	for at := 0; at < len(message); {
		rest := message[at:]
		if rest[0] == '"' {
			if length := quotedLength(rest); length > 0 {
				if t.says(rest[1:length-1], 2) {
					b.WriteString(`"` + Mark + `"`)
				} else {
					b.WriteString(rest[:length])
				}
				at += length
				continue
			}
		}
		length := wordLength(rest)
		switch {
		case length == 0:
			length = 1
			b.WriteByte(rest[0])
		case t.says(rest[:length], 4):
			b.WriteString(Mark)
		default:
			b.WriteString(rest[:length])
		}
		at += length
	}
	return b.String()
}

// says reports whether a text has a word that is hidden, or a part of one. Words with fewer letters
// than shortest occur in every message.
func (t *Text) says(text string, shortest int) bool {
	found := false
	eachWord(text, func(w string) {
		w = strings.ToLower(w)
		switch {
		case found || t.visible[w] || keywords()[strings.ToUpper(w)] || w == "true" || w == "false": // no credential
		case t.secret[w]:
			found = len(w) >= shortest || len(w) > 1 && strings.ContainsAny(w, "0123456789")
		case len(w) >= 5:
			for whole := range t.secret { // a word that was cut
				found = found || len(w)*5 >= len(whole)*3 && strings.Contains(whole, w)
			}
		}
	})
	return found
}

// quotedLength returns the length of the quoted text that s begins with; 0 if it has no end.
func quotedLength(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

// eachWord calls a function with each word of a text.
func eachWord(text string, do func(string)) {
	for at := 0; at < len(text); {
		length := wordLength(text[at:])
		if length == 0 {
			at++
			continue
		}
		do(text[at : at+length])
		at += length
	}
}

// reading is a text while it is read.
type reading struct {
	scanned
	judge  Judge
	known  *names
	hidden []span
}

func (r *reading) raw(t token) string { return r.text[t.start:t.end] }

func (r *reading) hide(from, to int) { r.hidden = append(r.hidden, span{from, to}) }

// readBroken hides everything but the verb of the first statement and the name behind it.
func (r *reading) readBroken() {
	end := 0
	if len(r.statements) > 0 {
		end = r.head(r.statements[0])
	}
	r.hide(end, len(r.text))
}

// head returns where the first verb and the name behind it end: EXEC a.b.c.d. Nothing that was between
// quotes can be there, because nothing but names and blanks comes before.
func (r *reading) head(tokens []token) int {
	end, i := 0, 0
	for i < len(tokens) && tokens[i].kind == hint {
		i++
	}
	for ; i < len(tokens) && r.isKeyword(tokens[i]); i++ {
		end = tokens[i].end
		if next := i + 1; next < len(tokens) && tokens[next].kind == hint && plain(r.raw(tokens[next])) {
			i++
			end = tokens[i].end
		}
	}
	if end == 0 {
		return 0
	}
	for first := i; i < len(tokens); i++ {
		t := tokens[i]
		isPart := t.kind == word && (i-first)%2 == 0 && r.known.namesPart(r.raw(tokens[first]), r.raw(t))
		isDot := t.kind == symbol && r.raw(t) == "." && (i-first)%2 == 1
		if !isPart && !isDot {
			break
		}
		r.known.load(r.raw(t))
		end = t.end
	}
	return end
}

// plain reports whether a comment has nothing but short words in it.
func plain(text string) bool {
	return len(text) < 60 && strings.Trim(strings.ToUpper(text), "ABCDEFGHIJKLMNOPQRSTUVWXYZ_/*+-, \t\r\n") == ""
}

func (r *reading) readStatements() {
	parsed, err := r.judge.Scope.Parse(r.text)
	if err != nil {
		parsed = nil
	}
	for _, tokens := range r.statements {
		var st statement.Statement
		for _, p := range parsed {
			if explain, ok := p.(*statement.Explain); ok {
				p = explain.Statement
			}
			if len(tokens) > 0 && p.Pos().Offset >= tokens[0].start && p.Pos().Offset < tokens[len(tokens)-1].end {
				st = p
			}
		}
		r.readStatement(tokens, st)
	}
}
