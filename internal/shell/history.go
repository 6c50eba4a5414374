package shell

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/lakeql/lakeql/provider"
)

// lineEnd stands for a line end in the history's file, which has a text a line. A blank would not do: it
// would let a comment swallow the rest, and change a string.
const lineEnd = "␤"

func fold(text string) string   { return strings.ReplaceAll(text, "\n", lineEnd) }
func unfold(line string) string { return strings.ReplaceAll(line, lineEnd, "\n") }

// historyLimit is the number of texts that a session begins with. The file is shortened to it when it
// has twice as many.
const historyLimit = 1000

// history keeps the texts that were typed: in memory for this session, and in a file for later ones. The
// file has a text a line, the newest last. Each text is written at once, so that two shells can share the
// file and a crash loses nothing.
//
// It is the line editor's source of texts.
type history struct {
	path  string // empty when there is no file, or when it cannot be written
	texts []string
}

// openHistory reads the file if it exists.
func openHistory(path string) *history {
	h := &history{path: path}
	if path == "" {
		return h
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return h // whether the file can be written shows when there is something to write
	}
	kept := bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
	if len(kept) > 2*historyLimit {
		h.rewrite(kept[len(kept)-historyLimit:])
	}
	for _, line := range kept[max(0, len(kept)-historyLimit):] {
		// The editor shows texts as they are, so a damaged file must not steer the terminal.
		if text := string(line); text != "" && utf8.ValidString(text) && !steers(text) {
			h.texts = append(h.texts, unfold(text))
		}
	}
	return h
}

// steers reports whether a text has characters that a terminal obeys, other than tabs and line ends.
func steers(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\t' && r != '\n' })
}

// Len returns the number of texts.
func (h *history) Len() int { return len(h.texts) }

// GetLine returns a text by its place, the oldest first.
func (h *history) GetLine(i int) (string, error) {
	if i < 0 || i >= len(h.texts) {
		return "", errors.New("there is no such text")
	}
	return h.texts[i], nil
}

// Dump returns all texts.
func (h *history) Dump() any { return h.texts }

// Write does nothing: the editor offers the text as it was typed, and the session adds it without
// possible credentials.
func (h *history) Write(string) (int, error) { return len(h.texts), nil }

// add keeps a text for this session, and shown in its place for later ones: it has no credentials. An
// error says that the file does not take it, once: from then on the history lives in this session alone.
func (h *history) add(text, shown string) error {
	text, shown = strings.TrimSpace(text), strings.TrimSpace(shown)
	if last, _ := h.GetLine(len(h.texts) - 1); text == "" || text == last || steers(text) {
		return nil
	}
	h.texts = append(h.texts, text)
	if h.path == "" || shown == "" {
		return nil
	}
	err := appendLine(h.path, fold(shown))
	if err != nil {
		h.path = ""
		return provider.Internalf("statements are not kept: %v", err).Because(err)
	}
	return nil
}

const ownerOnly fs.FileMode = 0o600

func appendLine(path, line string) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, ownerOnly)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
	}()
	// A file that was there already may be open to others.
	if info, err := f.Stat(); err == nil && info.Mode().Perm() != ownerOnly {
		_ = f.Chmod(ownerOnly)
	}
	_, err = f.WriteString(line + "\n")
	return err
}

// rewrite shortens the file. It is only tidying: when it fails, the file stays as it is.
func (h *history) rewrite(kept [][]byte) {
	f, err := os.CreateTemp(filepath.Dir(h.path), ".history-*") // made with mode 0600
	if err != nil {
		return
	}
	_, err = f.Write(append(bytes.Join(kept, []byte("\n")), '\n'))
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), h.path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
}
