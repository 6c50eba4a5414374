package postgres

import (
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/lakeql/lakeql/provider"
)

// Unreachable words, in one line, that no connection to the store at a place was made; it is nil if err is
// another error. pgx writes a line for each attempt, with and without TLS, and most of them are equal.
func Unreachable(place string, err error) error {
	failed, ok := errors.AsType[*pgconn.ConnectError](err)
	if !ok || failed.Unwrap() == nil {
		return nil
	}
	var lines []string
	for line := range strings.Lines(failed.Unwrap().Error()) {
		if line = strings.TrimSpace(line); line != "" && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return provider.Errorf(provider.Network, "the store %s: cannot connect: %s", provider.Printable(place), provider.Printable(strings.Join(lines, "; "))).
		Hintf("check the host and the port, that PostgreSQL runs there, and the user and the password (PGPASSWORD or ~/.pgpass)").
		Because(err)
}
