package pgwire

import (
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/lakeql/lakeql/internal/pgwire/pgcatalog"
	"github.com/lakeql/lakeql/internal/pgwire/pgtext"
	"github.com/lakeql/lakeql/provider"
)

// Settings that decide what a session may do.
const (
	transactionReadOnly = "transaction_read_only"
	sessionReadOnly     = "default_transaction_read_only"
	statementTimeout    = "statement_timeout"
	clientEncoding      = "client_encoding"
	searchPath          = "search_path"
)

// usual returns the value that a setting has for a new connection.
func (s *session) usual() map[string]string {
	settings := pgcatalog.Settings(s.user)
	if s.server.options.ReadOnly {
		settings[sessionReadOnly], settings[transactionReadOnly] = "on", "on"
	}
	return settings
}

// assign gives a setting a value, by SET, in the start of a connection, or by its options. It refuses values that
// would change what clients read, because all values are written in one way only.
func (s *session) assign(name, value string) error {
	key := settingKey(name)
	refused := func(message, hint string) error {
		return &fault{state: stateInvalidValue, message: message, hint: hint}
	}
	switch key {
	case clientEncoding:
		switch strings.ToLower(strings.Trim(value, `'"`)) { // some clients send quotes at the start
		case "utf8", "utf-8", "unicode", "default", "sql_ascii": // the last one is no encoding, as psql without a locale has it
		default:
			if !s.ongoing { // psql takes that of its terminal, which nobody may have chosen
				s.warnings = append(s.warnings, "the encoding is always UTF8, and not "+provider.Printable(value))
				break
			}
			return refused("the encoding is always UTF8, and not "+provider.Printable(value), "let the client convert texts")
		}
		value = "UTF8"
	case "datestyle":
		for part := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == ',' || r == ' ' }) {
			if !slices.Contains([]string{"ISO", "MDY", "DMY", "YMD", "US", "EURO", "EUROPEAN", "DEFAULT"}, strings.ToUpper(part)) {
				return refused("the style of dates is always ISO, and not "+provider.Printable(value), "")
			}
		}
		value = "ISO, MDY"
	case "standard_conforming_strings":
		if on, ok := switched(value); !ok || !on {
			return refused("a backslash in a string is always itself", "write E'…' for a string with escapes")
		}
		value = "on"
	case sessionReadOnly, transactionReadOnly:
		on, ok := switched(value)
		if !ok {
			return refused("a setting that is on or off cannot be "+provider.Printable(value), "")
		}
		value = map[bool]string{true: "on", false: "off"}[on]
		if key == sessionReadOnly && s.transaction == idle {
			s.settings[transactionReadOnly] = value
		}
	case statementTimeout:
		if _, ok := duration(value); !ok {
			return refused("a time-out is a number of milliseconds, or has a unit: 30s, 2min, 1h", "0 sets no limit")
		}
	}
	s.store(key, value)
	return nil
}

// store keeps the value of a setting, and tells the client if it wants to know.
func (s *session) store(key, value string) {
	if key == searchPath && s.ongoing {
		s.follow(value)
	}
	old, had := s.settings[key]
	s.settings[key] = value
	if !s.ongoing || had && old == value {
		return
	}
	for _, name := range reported() {
		if settingKey(name) == key {
			s.backend.Send(&pgproto3.ParameterStatus{Name: name, Value: value})
		}
	}
}

// follow lets the first service of a search_path complete short names. Its other schemas are those of the
// store, which are searched anyway.
func (s *session) follow(path string) {
	var schemas []string
	for schema := range strings.SplitSeq(path, ",") {
		schemas = append(schemas, strings.Trim(strings.TrimSpace(schema), `"`))
	}
	s.runner.UseFirst(s.tables.Provider(), schemas)
}

// switched reads on and off.
func switched(value string) (on, ok bool) {
	switch strings.ToLower(value) {
	case "on", "true", "yes", "1", "t", "y":
		return true, true
	case "off", "false", "no", "0", "f", "n":
		return false, true
	}
	return false, false
}

// assignAll takes the settings of the start of a connection. They come in no order.
func (s *session) assignAll(parameters map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		switch name {
		case "user", "database", "options", "replication":
			continue
		}
		if err := s.assign(name, parameters[name]); err != nil {
			return err
		}
	}
	words := optionWords(parameters["options"])
	for i := 0; i < len(words); i++ {
		word := words[i]
		switch {
		case word == "-c" && i+1 < len(words):
			i++
			word = words[i]
		case strings.HasPrefix(word, "-c"), strings.HasPrefix(word, "--"):
			word = word[2:]
		default:
			continue // of the server's process, which is another one
		}
		name, value, found := strings.Cut(word, "=")
		if !found {
			return &fault{state: stateSyntax, message: "the option " + provider.Quote(word) + " is not of the form name=value"}
		}
		if err := s.assign(strings.ReplaceAll(name, "-", "_"), value); err != nil {
			return err
		}
	}
	return nil
}

// optionWords splits options at spaces that no backslash protects.
func optionWords(text string) []string {
	var words []string
	var word strings.Builder
	protected := false
	end := func() {
		if word.Len() > 0 {
			words = append(words, word.String())
			word.Reset()
		}
	}
	for _, r := range text {
		switch {
		case protected:
			word.WriteRune(r)
			protected = false
		case r == '\\':
			protected = true
		case r == ' ' || r == '\t' || r == '\n':
			end()
		default:
			word.WriteRune(r)
		}
	}
	end()
	return words
}

// assignLocally is SET LOCAL: the value ends with the transaction.
func (s *session) assignLocally(name, value string) error {
	if s.transaction == idle {
		s.notice(stateWarning, "SET LOCAL has no effect outside of a transaction")
		return nil
	}
	key := settingKey(name)
	old, had := s.settings[key]
	if err := s.assign(name, value); err != nil {
		return err
	}
	if _, changed := s.before[key]; !changed {
		if !had {
			old = ""
		}
		s.before[key] = old
	}
	return nil
}

// access reads READ ONLY or READ WRITE of BEGIN and SET TRANSACTION.
func access(text string) (readOnly string, found bool) {
	words := pgtext.Significant(pgtext.Tokens(text))
	for i := 1; i < len(words); i++ {
		if !strings.EqualFold(words[i-1].Text, "READ") {
			continue
		}
		switch strings.ToUpper(words[i].Text) {
		case "ONLY":
			readOnly, found = "on", true
		case "WRITE":
			readOnly, found = "off", true
		}
	}
	return readOnly, found
}
