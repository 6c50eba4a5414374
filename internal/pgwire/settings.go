package pgwire

import (
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/pgwire/pgtext"
	"github.com/lakeql/lakeql/provider"
)

// reported lists the settings that a client is told when it connects, as libpq wants them.
func reported() []string {
	return []string{
		"server_version", "server_encoding", "client_encoding", "application_name", "is_superuser", "session_authorization",
		"DateStyle", "IntervalStyle", "TimeZone", "integer_datetimes", "standard_conforming_strings", "default_transaction_read_only", "in_hot_standby",
	}
}

// settingKey is the name of a setting as the map has it.
func settingKey(name string) string { return strings.ToLower(name) }

// setting returns a setting of the connection.
func (s *session) setting(name string) (string, bool) {
	value, ok := s.settings[settingKey(name)]
	return value, ok
}

// statementTimeout is the shorter one of the server's and the client's.
func (s *session) statementTimeout() time.Duration {
	limit := s.server.options.StatementTimeout
	own, _ := duration(s.settings[statementTimeout]) // assign has read it
	if own > 0 && (limit == 0 || own < limit) {
		limit = own
	}
	return limit
}

// duration reads a time as PostgreSQL writes it: 500, 30s, 2min, 1h, 1d. A number alone is of milliseconds.
func duration(text string) (d time.Duration, ok bool) {
	text = strings.TrimSpace(text)
	digits := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyz ")
	unit, ok := map[string]time.Duration{
		"": time.Millisecond, "us": time.Microsecond, "ms": time.Millisecond, "s": time.Second,
		"min": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
	}[strings.TrimSpace(text[len(digits):])]
	n, err := strconv.ParseFloat(digits, 64)
	if !ok || err != nil || !(n >= 0 && n < float64(math.MaxInt64)/float64(unit)) {
		return 0, false
	}
	return time.Duration(n * float64(unit)), true
}

// local answers the statements that are about the connection.
func (s *session) local(ctx context.Context, p piece, args []any) (rows provider.Rows, tag string, ok bool, err error) {
	if s.transaction == failed && !endsTransaction(p) {
		return nil, "", false, nil
	}
	none := func(tag string) (provider.Rows, string, bool, error) {
		return provider.NewRows(nil, nil), tag, true, nil
	}
	switch p.word(0) {
	case "BEGIN", "START":
		s.beginTransaction(p)
		return none(map[bool]string{true: "BEGIN", false: "START TRANSACTION"}[p.is("BEGIN")])
	case "COMMIT", "END":
		tag := "COMMIT"
		if s.transaction == failed {
			tag = "ROLLBACK"
		}
		s.endTransaction(false)
		return none(tag)
	case "ROLLBACK", "ABORT":
		if slices.Contains(p.words, "TO") {
			if s.transaction == failed {
				s.transaction = inside
			}
			return none("ROLLBACK")
		}
		s.endTransaction(true)
		return none("ROLLBACK")
	case "SAVEPOINT", "RELEASE", "UNLISTEN":
		return none(p.word(0))
	case "LISTEN":
		return nil, "", true, faultf(stateUnsupported, "there are no notifications to LISTEN for")
	case "DISCARD":
		s.discard()
		return none("DISCARD ALL")
	case "DEALLOCATE":
		s.deallocate(p)
		return none("DEALLOCATE")
	case "RESET":
		for name, value := range s.usual() {
			if p.word(1) == "ALL" || strings.EqualFold(name, p.word(1)) {
				s.store(name, value)
			}
		}
		return none("RESET")
	case "SET":
		ok, err := s.set(p)
		if !ok || err != nil {
			return nil, "", ok, err
		}
		return none("SET")
	case "SHOW":
		columns, row, ok := s.show(p)
		if !ok {
			return nil, "", false, nil
		}
		return provider.NewRows(columns, row), "SHOW", true, nil
	case "DECLARE":
		return provider.NewRows(nil, nil), "DECLARE CURSOR", true, s.declare(p, args)
	case "CLOSE":
		return provider.NewRows(nil, nil), "CLOSE CURSOR", true, s.closeCursor(p)
	case "FETCH", "MOVE":
		rows, tag, err := s.fetch(ctx, p)
		return rows, tag, true, err
	}
	return nil, "", false, nil
}

// localColumns describes the rows of a statement that is about the connection.
func (s *session) localColumns(p piece) (columns []provider.Column, ok bool) {
	switch p.word(0) {
	case "BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE", "LISTEN", "UNLISTEN", "DISCARD", "DEALLOCATE", "RESET", "SET", "DECLARE", "CLOSE", "MOVE", "COPY":
		return nil, true
	case "SHOW":
		columns, _, ok := s.show(p)
		return columns, ok
	}
	return nil, false
}

func endsTransaction(p piece) bool {
	return p.is("ROLLBACK") || p.is("ABORT") || p.is("COMMIT") || p.is("END")
}

// beginTransaction says once that there are none: what a statement changes is changed at once.
func (s *session) beginTransaction(p piece) {
	if !s.told {
		s.told = true
		s.notice(stateSuccess, "there are no transactions: each statement takes effect at once, and ROLLBACK takes nothing back")
	}
	s.transaction, s.changed = inside, false
	s.settings[transactionReadOnly] = s.settings[sessionReadOnly]
	if readOnly, found := access(p.text); found {
		s.settings[transactionReadOnly] = readOnly
	}
}

func (s *session) endTransaction(back bool) {
	if back && s.changed {
		s.notice(stateWarning, "ROLLBACK took nothing back: what the statements changed stays changed")
	}
	s.transaction, s.changed = idle, false
	for name, value := range s.before {
		s.store(name, value)
	}
	clear(s.before)
	s.settings[transactionReadOnly] = s.settings[sessionReadOnly]
	s.dropCursors(true)
}

func (s *session) discard() {
	s.statements = map[string]*prepared{}
	s.dropCursors(false)
	application := s.settings["application_name"]
	for name, value := range s.usual() {
		s.store(name, value)
	}
	s.store("application_name", application)
}

func (s *session) deallocate(p piece) {
	name := p.word(1)
	if name == "PREPARE" {
		name = p.word(2)
	}
	for known := range s.statements {
		if name == "ALL" || strings.EqualFold(known, strings.Trim(name, `"`)) {
			delete(s.statements, known)
		}
	}
}

// set sets a setting of the connection: SET [SESSION|LOCAL] name TO|= value, SET TIME ZONE value, SET TRANSACTION ….
func (s *session) set(p piece) (ok bool, err error) {
	var parts []pgtext.Token
	for _, t := range pgtext.Tokens(p.text) {
		if t.Kind != pgtext.Blank {
			parts = append(parts, t)
		}
	}
	parts = parts[1:]
	assign := s.assign
	if len(parts) > 0 && (strings.EqualFold(parts[0].Text, "SESSION") || strings.EqualFold(parts[0].Text, "LOCAL")) {
		if strings.EqualFold(parts[0].Text, "LOCAL") {
			assign = s.assignLocally
		}
		parts = parts[1:]
	}
	if len(parts) == 0 {
		return false, nil
	}
	switch strings.ToUpper(parts[0].Text) {
	case "TRANSACTION", "CHARACTERISTICS":
		readOnly, found := access(p.text)
		switch {
		case found && strings.EqualFold(parts[0].Text, "TRANSACTION"):
			s.settings[transactionReadOnly] = readOnly
		case found:
			return true, s.assign(sessionReadOnly, readOnly)
		}
		return true, nil
	case "CONSTRAINTS", "AUTHORIZATION", "ROLE":
		return true, nil
	case "NAMES":
		if len(parts) > 1 {
			return true, s.assign(clientEncoding, pgtext.Unquote(parts[1].Text))
		}
		return true, nil
	case "TIME":
		if len(parts) > 2 {
			return true, assign("timezone", pgtext.Unquote(parts[2].Text))
		}
		return true, nil
	}
	name := parts[0].Text
	rest := parts[1:]
	for len(rest) > 1 && rest[0].Text == "." {
		name += "." + rest[1].Text
		rest = rest[2:]
	}
	if _, known := s.settings[settingKey(name)]; !known && !strings.Contains(name, ".") && s.runner.HasSetting(name) {
		return false, nil
	}
	if len(rest) < 2 || rest[0].Text != "=" && !strings.EqualFold(rest[0].Text, "TO") {
		return false, nil
	}
	var values []string
	for _, t := range rest[1:] {
		if t.Text != "," {
			values = append(values, pgtext.Unquote(t.Text))
		}
	}
	value := strings.Join(values, ", ")
	if len(rest) == 2 && strings.EqualFold(rest[1].Text, "DEFAULT") {
		value = s.usual()[settingKey(name)]
	}
	err = assign(name, value)
	if known, ok := errors.AsType[*fault](err); ok {
		known.at = rest[1].Start + 1
	}
	return true, err
}

// show answers SHOW of a setting.
func (s *session) show(p piece) (columns []provider.Column, rows [][]any, ok bool) {
	name := p.word(1)
	switch {
	case p.is("SHOW", "ALL"):
		columns = []provider.Column{{Name: "name", Type: "string"}, {Name: "setting", Type: "string"}, {Name: "description", Type: "string"}}
		names := make([]string, 0, len(s.settings))
		for name := range s.settings {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			rows = append(rows, []any{name, s.settings[name], ""})
		}
		return columns, rows, true
	case p.is("SHOW", "TRANSACTION", "ISOLATION"):
		name = "transaction_isolation"
	case p.is("SHOW", "TIME", "ZONE"):
		name = "timezone"
	case p.is("SHOW", "SESSION", "AUTHORIZATION"):
		name = "session_authorization"
	case len(p.words) > 2:
		return nil, nil, false
	}
	key := settingKey(pgtext.Unquote(name))
	value, known := s.settings[key]
	if !known {
		return nil, nil, false
	}
	for _, name := range reported() {
		if settingKey(name) == key {
			key = name
		}
	}
	return []provider.Column{{Name: key, Type: "string"}}, [][]any{{value}}, true
}

// mayRun refuses a text that changes something, where that is not allowed, and notes it in a transaction.
func (s *session) mayRun(p piece, text string) error {
	changes := s.runner.MayChange(text)
	if changes && s.server.options.ReadOnly {
		return &fault{
			state: stateReadOnly, message: "the " + p.word(0) + " may change something, and this server only reads",
			hint: "it was started with --read-only",
		}
	}
	if changes && s.settings[transactionReadOnly] == "on" {
		return &fault{
			state: stateReadOnly, message: "the " + p.word(0) + " may change something, and this transaction only reads",
			hint: "the client asked for that; BEGIN READ WRITE, or SET default_transaction_read_only = off",
		}
	}
	s.changed = s.changed || changes
	return nil
}
