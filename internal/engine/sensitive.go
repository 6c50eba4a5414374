package engine

import (
	"regexp"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/bind"
	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

var (
	// credential matches a text that looks like a token of Databricks or of a cloud, or a JSON Web
	// Token.
	credential = regexp.MustCompile(`\b(dapi|dose|dkea|doiu|dsapi)[0-9a-fA-F]{16,}|\beyJ[\w-]{8,}\.[\w-]+\.|\bAKIA[0-9A-Z]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY`)
	// secretSetting matches a name that suggests a secret, with a value after it.
	secretSetting = regexp.MustCompile(`(?i)(password|secret|token|private_key|credential)\w*["'\s]*[:=]\s*\\?["'][^"']`)
)

// Sensitive reports whether a text holds a credential, and must not be stored: a value for an
// attribute that is secret in the documents, or a text that looks like a credential. A text that
// does not parse is judged by its looks only.
func (s *Session) Sensitive(text string) bool {
	if credential.MatchString(text) {
		return true
	}
	statements, err := statement.Parse(text)
	if err != nil {
		return secretSetting.MatchString(text)
	}
	return slices.ContainsFunc(statements, sensitivity{s.Client, resolver{s.Catalogue}}.statement)
}

// sensitivity judges which values of statements are credentials.
type sensitivity struct {
	client *dispatch.Client
	names  resolver
}

func (s sensitivity) statement(st statement.Statement) bool {
	switch st := st.(type) {
	case *statement.Exec:
		return s.exec(st)
	case *statement.Explain:
		return s.statement(st.Statement)
	case *statement.Insert:
		return s.write(st.Into, st.Columns, st.Whole)
	case *statement.Update:
		columns := make([]statement.Ident, len(st.Set))
		for i, set := range st.Set {
			columns[i] = set.Column
		}
		return s.write(st.Table, columns, st.Whole)
	}
	return false
}

func (s sensitivity) exec(e *statement.Exec) bool {
	m, err := s.names.method(e.Method)
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
			if found, err := s.client.HasSecret(m, value); err != nil || found {
				return true
			}
			continue
		}
		body[strings.TrimPrefix(p.Name, bind.AttributePrefix)] = p.Value.Any()
		if param, ok := m.Param(p.Name); ok {
			if schema, err := s.names.catalogue.Resolve(m, param.Schema); err != nil || schema.Secret() {
				return true
			}
		}
	}
	found, err := s.client.HasSecret(m, body)
	return err != nil || found
}

// write reports whether a write sets a column that is a credential, or may hold one.
func (s sensitivity) write(name statement.Name, columns []statement.Ident, whole *statement.Query) bool {
	if !isResource(name) {
		return secretSetting.MatchString(whole.Text)
	}
	r, err := s.names.resource(name)
	if err != nil {
		return secretSetting.MatchString(whole.Text)
	}
	return slices.ContainsFunc(r.Methods, func(m *provider.Method) bool {
		if m.SQLVerb == provider.Select || m.SQLVerb == provider.Exec {
			return false
		}
		signature, err := bind.NewSignature(s.names.catalogue, m)
		if err != nil {
			return true
		}
		return slices.ContainsFunc(columns, func(c statement.Ident) bool {
			found, err := s.client.HasSecret(m, map[string]any{signature.Top(c.Text): "a text that is no JSON"})
			return err != nil || found
		})
	})
}
