package engine

import (
	"regexp"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/bind"
	"github.com/lakeql/lakeql/internal/statement"
)

// Unfinished reports whether a text goes on: its last statement lacks the semicolon.
func (s *Session) Unfinished(text string) bool { return statement.Unfinished(text) }

var (
	// credential matches what looks like a token of Databricks, of a cloud, or a JSON Web Token.
	credential = regexp.MustCompile(`\b(dapi|dose|dkea|doiu|dsapi)[0-9a-fA-F]{16,}|\beyJ[\w-]{8,}\.[\w-]+\.|\bAKIA[0-9A-Z]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY`)
	// secretSetting matches a name that speaks of a secret with a value behind it.
	secretSetting = regexp.MustCompile(`(?i)(password|secret|token|private_key|credential)\w*["'\s]*[:=]\s*\\?["'][^"']`)
)

// Sensitive reports whether a text holds a credential, so that it must not be written down: a
// value for an attribute that the documents call secret, or anything that looks like one. Of a
// text that does not parse, the looks alone are judged.
func (s *Session) Sensitive(text string) bool {
	if credential.MatchString(text) {
		return true
	}
	statements, err := statement.Parse(text)
	if err != nil {
		return secretSetting.MatchString(text)
	}
	return slices.ContainsFunc(statements, s.statementSensitive)
}

func (s *Session) statementSensitive(st statement.Statement) bool {
	switch st := st.(type) {
	case *statement.Exec:
		return s.execSensitive(st)
	case *statement.Explain:
		return s.statementSensitive(st.Statement)
	case *statement.Insert:
		return s.writeSensitive(st.Into, st.Columns, st.Whole)
	case *statement.Update:
		columns := make([]statement.Ident, len(st.Set))
		for i, set := range st.Set {
			columns[i] = set.Column
		}
		return s.writeSensitive(st.Table, columns, st.Whole)
	}
	return false
}

func (s *Session) execSensitive(e *statement.Exec) bool {
	m, err := s.method(e.Method)
	if err != nil {
		return slices.ContainsFunc(e.Params, func(p statement.Param) bool {
			return secretSetting.MatchString("@" + p.Name + "='" + p.Value.Text)
		})
	}
	body := map[string]any{}
	for _, p := range e.Params {
		if p.Body {
			value, err := p.Value.JSON()
			if err != nil {
				return secretSetting.MatchString(p.Value.Text)
			}
			if found, err := s.Client.HasSecret(m, value); err != nil || found {
				return true
			}
			continue
		}
		body[strings.TrimPrefix(p.Name, bind.AttributePrefix)] = p.Value.Any()
		if param, ok := m.Param(p.Name); ok {
			if schema, err := s.Catalogue.Resolve(m, param.Schema); err != nil || schema.Secret() {
				return true
			}
		}
	}
	found, err := s.Client.HasSecret(m, body)
	return err != nil || found
}

// Suggest gives what may stand in place of the word that ends at the cursor: the names one level
// below the dots before it, a method's parameters behind @, or keywords.
func (s *Session) Suggest(text string, cursor int) []string {
	text = text[:cursor]
	start := strings.LastIndexAny(text, " \t\r\n,;(=") + 1
	word := text[start:]
	switch {
	case strings.HasPrefix(word, "@"):
		return s.parameterNames(text[:start])
	case strings.TrimSpace(text[strings.LastIndexByte(text[:start], ';')+1:start]) == "":
		return strings.Fields("CREATE DELETE DESCRIBE DROP EXEC EXPLAIN INSERT REFRESH REGISTRY REPLACE SELECT SET SHOW UPDATE WITH")
	default:
		return s.childNames(strings.Split(word, "."))
	}
}

// childNames lists what may stand as the last of the parts of a dotted name.
func (s *Session) childNames(parts []string) []string {
	var names []string
	switch len(parts) {
	case 1:
		names = append(strings.Fields(promptWords), s.ownNames()...)
		if all, err := s.Catalogue.Providers(); err == nil {
			for _, p := range all {
				names = append(names, p.Name)
			}
		}
	case 2:
		if p, err := s.Catalogue.Provider(parts[0]); err == nil {
			for _, service := range p.Services {
				names = append(names, service.Name)
			}
		}
	case 3:
		if service, err := s.Catalogue.Service(parts[0], parts[1]); err == nil {
			for _, r := range service.Resources {
				names = append(names, r.Name)
			}
		}
	case 4:
		if r, err := s.Catalogue.Resource(parts[0], parts[1], parts[2]); err == nil {
			for _, m := range r.Methods {
				names = append(names, m.Name)
			}
		}
	}
	return names
}

// promptWords are the keywords that may stand inside a statement.
const promptWords = `ANALYZE AND AS AUTH BY DELETE DISTINCT ERRORS EXEC EXISTS EXTENDED FROM GROUP HAVING IN INNER INSERT INTO JOIN LEFT
	LIKE LIMIT LIST MATERIALIZED METHOD METHODS NOT NULL ON OR ORDER PROVIDERS REPLACE RESOURCES RETURNING SELECT SERVICES SET SETTINGS
	TABLE TABLES TEMP UNION UPDATE USING VALUES VERSION VIEW VIEWS WHERE`

// ownNames lists the tables and views of the stores. A store that cannot be read has none to suggest; a
// statement that needs it reports why.
func (s *Session) ownNames() []string {
	all, _ := s.stores().Objects()
	names := make([]string, len(all))
	for i := range all {
		names[i] = all[i].Name
	}
	return names
}

// fourParts matches the name of a method.
var fourParts = regexp.MustCompile(`(\w+)\.(\w+)\.(\w+)\.(\w+)`)

// parameterNames lists the parameters of the last method that the text names.
func (s *Session) parameterNames(text string) []string {
	all := fourParts.FindAllStringSubmatch(text, -1)
	if len(all) == 0 {
		return nil
	}
	last := all[len(all)-1]
	m, err := s.Catalogue.Method(last[1], last[2], last[3], last[4])
	if err != nil {
		return nil
	}
	signature, err := bind.NewSignature(s.Catalogue, m)
	if err != nil {
		return nil
	}
	names := []string{}
	if m.Body != nil {
		names = append(names, "@@json")
	}
	for _, name := range signature.Names() {
		if !strings.Contains(text, "@"+name) {
			names = append(names, "@"+name)
		}
	}
	return names
}
