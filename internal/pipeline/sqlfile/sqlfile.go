// Package sqlfile reads the SQL files of a pipeline's folder: the settings in the comment at the top, and
// the query below it. Tables and checks have different settings in files of this one form.
package sqlfile

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/lakeql/lakeql/provider"
)

// File is the text of an SQL file, split.
type File struct {
	Settings []Setting
	// Query is the text below the comment, without blank lines at either end. It begins with the blanks of
	// its first line, so that columns in errors are right.
	Query string
	// Lines is the number of lines above the query.
	Lines int
}

// Setting is one line of the comment: -- name: value.
type Setting struct {
	Name, Value string
	Line        int // from 1
}

// Parse splits a file. A line of the comment whose text before the colon is not one word is a remark. A
// setting that stands there twice is an error, except those named in repeated.
func Parse(text string, repeated ...string) (*File, error) {
	text = strings.TrimPrefix(text, "\ufeff")
	f := &File{}
	lines := strings.Split(text, "\n")
	said := map[string]bool{}
	for _, name := range repeated {
		said[name] = false
	}
	for _, line := range lines {
		comment, ok := strings.CutPrefix(strings.TrimSpace(line), "--")
		if !ok {
			break
		}
		f.Lines++
		name, value, ok := strings.Cut(comment, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok || name == "" || strings.Contains(name, " ") {
			continue
		}
		if said[name] {
			return nil, AtLine(f.Lines, provider.Usagef("%s is said twice", provider.Printable(name)))
		}
		if _, mayRepeat := said[name]; !mayRepeat {
			said[name] = true
		}
		f.Settings = append(f.Settings, Setting{name, value, f.Lines})
	}
	for f.Lines < len(lines) && strings.TrimSpace(lines[f.Lines]) == "" {
		f.Lines++
	}
	f.Query = strings.TrimRightFunc(strings.Join(lines[f.Lines:], "\n"), unicode.IsSpace)
	return f, nil
}

// Shift moves the place of an error in the query to its place in the file.
func Shift(err error, lines int) error {
	return provider.Change(err, func(e *provider.Error) {
		if e.Position.Line > 0 {
			e.Position.Line += lines
		}
	})
}

// AtLine places an error at the beginning of a line of the file.
func AtLine(line int, err *provider.Error) error {
	return err.At(provider.Position{Line: line, Column: 1})
}

// AppendKey appends the columns of a key, which stand between commas. None may stand in it twice.
func AppendKey(key []string, value string) ([]string, error) {
	for column := range strings.SplitSeq(value, ",") {
		column = strings.TrimSpace(column)
		if column == "" || slices.Contains(key, column) {
			return nil, fmt.Errorf("the key %s has an empty column, or one twice", provider.Quote(value))
		}
		key = append(key, column)
	}
	return key, nil
}
