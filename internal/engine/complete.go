package engine

import (
	"regexp"
	"strings"

	"github.com/lakeql/lakeql/internal/bind"
	"github.com/lakeql/lakeql/internal/statement"
)

// Waits returns what the end of a text waits for; see [statement.Waits].
func (s *Session) Waits(text string) string { return statement.Waits(text) }

// Suggest lists the candidates for the word that ends at the cursor: the names below the name before its
// last dot, a method's parameters after @, or keywords.
func (s *Session) Suggest(text string, cursor int) []string {
	text = text[:cursor]
	start := strings.LastIndexAny(text, " \t\r\n,;(=") + 1
	word := text[start:]
	switch {
	case strings.HasPrefix(word, "@"):
		return completion{s}.parameters(text[:start])
	case strings.TrimSpace(text[strings.LastIndexByte(text[:start], ';')+1:start]) == "":
		return strings.Fields("CREATE DELETE DESCRIBE DROP EXEC EXPLAIN INSERT REFRESH REGISTRY REPLACE SELECT SET SHOW UPDATE WITH")
	default:
		return completion{s}.children(strings.Split(word, "."))
	}
}

// completion suggests names.
type completion struct {
	session *Session
}

// children lists the names that may replace the last part of a dotted name.
func (c completion) children(parts []string) []string {
	var names []string
	switch len(parts) {
	case 1:
		names = append(strings.Fields(promptWords), c.own()...)
		if all, err := c.session.Catalogue.Providers(); err == nil {
			for _, p := range all {
				names = append(names, p.Name)
			}
		}
	case 2:
		if p, err := c.session.Catalogue.Provider(parts[0]); err == nil {
			for _, service := range p.Services {
				names = append(names, service.Name)
			}
		}
	case 3:
		if service, err := c.session.Catalogue.Service(parts[0], parts[1]); err == nil {
			for _, r := range service.Resources {
				names = append(names, r.Name)
			}
		}
	case 4:
		if r, err := c.session.Catalogue.Resource(parts[0], parts[1], parts[2]); err == nil {
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

// own lists the tables and views of the stores. An unreadable store has no suggestions; a statement that
// needs it reports the reason.
func (c completion) own() []string {
	all, _ := c.session.stores().Objects()
	names := make([]string, len(all))
	for i := range all {
		names[i] = all[i].Name
	}
	return names
}

// fourParts matches the name of a method.
var fourParts = regexp.MustCompile(`(\w+)\.(\w+)\.(\w+)\.(\w+)`)

// parameters lists the parameters of the last method that the text names.
func (c completion) parameters(text string) []string {
	all := fourParts.FindAllStringSubmatch(text, -1)
	if len(all) == 0 {
		return nil
	}
	last := all[len(all)-1]
	m, err := c.session.Catalogue.Method(last[1], last[2], last[3], last[4])
	if err != nil {
		return nil
	}
	signature, err := bind.NewSignature(c.session.Catalogue, m)
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
