package shell

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/peterh/liner"

	"github.com/lakeql/lakeql/provider"
)

// lineEnd stands for a line end in statements of the history, which liner shows on one line. A
// blank would not do: it would let a comment swallow the rest, and change a string.
const lineEnd = "␤"

func fold(text string) string   { return strings.ReplaceAll(text, "\n", lineEnd) }
func unfold(line string) string { return strings.ReplaceAll(line, lineEnd, "\n") }

// history keeps the statements that were typed: in liner for this session, and in a file for later ones.
// The file has a statement a line, the newest last. Each statement is written at once, so that two shells
// can share the file and a crash loses nothing.
type history struct {
	path  string // empty when there is no file, or when it cannot be written
	state *liner.State
	last  string
}

// openHistory reads the file if it exists.
func openHistory(path string, state *liner.State) *history {
	h := &history{path: path, state: state}
	if path == "" {
		return h
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return h // whether the file can be written shows when there is something to write
	}
	kept := bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
	if len(kept) > 2*liner.HistoryLimit {
		kept = kept[len(kept)-liner.HistoryLimit:]
		h.rewrite(kept)
	}
	for _, line := range kept {
		// liner shows entries as they are, so a damaged file must not steer the terminal.
		if len(line) > 0 && utf8.Valid(line) && bytes.IndexFunc(line, unicode.IsControl) < 0 {
			h.last = string(line)
			state.AppendHistory(h.last)
		}
	}
	return h
}

// add keeps a statement. An error says that the file does not take it, once: from then on the
// history lives in this session alone.
func (h *history) add(text string) error {
	line := fold(strings.TrimSpace(text))
	if line == h.last || strings.ContainsFunc(line, unicode.IsControl) {
		return nil
	}
	h.last = line
	h.state.AppendHistory(line)
	if h.path == "" {
		return nil
	}
	err := appendLine(h.path, line)
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
