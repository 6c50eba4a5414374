package postgres

import (
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// UnreachableHint says what to do about an error of [Unreachable].
const UnreachableHint = "check the host and the port, that PostgreSQL runs there, and the user and the password (PGPASSWORD or ~/.pgpass)"

// Unreachable returns why a connection was not made, in one line, and whether err says so. pgx writes a
// line for each attempt, with and without TLS, and most of them are equal.
func Unreachable(err error) (reason string, ok bool) {
	failed, ok := errors.AsType[*pgconn.ConnectError](err)
	if !ok || failed.Unwrap() == nil {
		return "", false
	}
	var lines []string
	for line := range strings.Lines(failed.Unwrap().Error()) {
		if line = strings.TrimSpace(line); line != "" && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return "cannot connect: " + strings.Join(lines, "; "), true
}
