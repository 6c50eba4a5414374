// Package terminal knows what a terminal can show: its size, whether it takes colours, a pager for long
// output, and a status line while a statement runs.
package terminal

import (
	"os"

	"golang.org/x/term"
)

// Is reports whether a writer or reader is a terminal.
func Is(f any) bool {
	file, ok := f.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// Size returns the width and height of a terminal in characters. For anything else, and for a terminal
// that does not know its size, it is 80 by 24.
func Size(f any) (width, height int) {
	if file, ok := f.(*os.File); ok {
		if width, height, err := term.GetSize(int(file.Fd())); err == nil && width > 0 && height > 0 {
			return width, height
		}
	}
	return 80, 24
}

// HasColor reports whether colours may be written to a terminal: not if NO_COLOR is set (no-color.org),
// and not if TERM names a terminal without them.
func HasColor() bool {
	switch os.Getenv("TERM") {
	case "", "dumb":
		return false
	}
	return os.Getenv("NO_COLOR") == ""
}
