package dispatch

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/lakeql/lakeql/provider"
)

// ColumnMask copies JSON with a mask in place of each credential in it, and reports whether there was
// one. JSON without a credential stays as it is.
type ColumnMask func(json.RawMessage) (json.RawMessage, bool, error)

// SecretColumns reports which columns of a method's rows are themselves credentials, by their place. It may be
// shorter than the columns are many: the others are none.
func (c *Client) SecretColumns(m *provider.Method) ([]bool, error) {
	s, err := c.shapeOf(m)
	if err != nil {
		return nil, err
	}
	return s.secret, nil
}

// MaskColumn returns a function that masks the credentials inside the objects and lists of a column of a
// method's rows; nil if the document names no credential there. A column that is itself a credential
// holds a [provider.Secret] already.
func (c *Client) MaskColumn(m *provider.Method, column int) (ColumnMask, error) {
	s, err := c.shapeOf(m)
	if err != nil || column >= len(s.schemas) || !c.holdsSecret(m, s.schemas[column]) {
		return nil, err
	}
	schema := s.schemas[column]
	return func(raw json.RawMessage) (json.RawMessage, bool, error) {
		value, err := parse(string(raw))
		if err != nil {
			return nil, false, provider.Internalf("read the JSON of a row again").Because(err)
		}
		masked, found, err := masker{c, m, false}.mask(schema, value)
		if err != nil || !found {
			return raw, false, err
		}
		encoded, err := json.Marshal(masked)
		return encoded, true, err
	}, nil
}

// MaskWritten copies a value of a request, with a mask in place of each credential, and reports whether
// it had any. schema is the schema of the method's body or parameter. Besides the values that the
// document marks, it masks possible credentials in undocumented parts: unknown attributes, and the
// settings of a map whose name or value looks like that of a credential.
func (c *Client) MaskWritten(m *provider.Method, schema *provider.Schema, value any) (any, bool, error) {
	return masker{c, m, true}.mask(schema, value)
}

// HasSecret reports whether a request body for the method holds a credential.
func (c *Client) HasSecret(m *provider.Method, body any) (bool, error) {
	if m.Body == nil {
		return false, nil
	}
	_, found, err := c.MaskWritten(m, m.Body.Schema, body)
	return found, err
}

// masker masks credentials in JSON.
type masker struct {
	client *Client
	method *provider.Method
	// written is set for values of a request: a part that is not understood counts as a credential.
	written bool
}

// mask copies a value with a mask in place of each credential, and reports whether there was one.
func (k masker) mask(schema *provider.Schema, value any) (any, bool, error) {
	schema, err := k.client.Catalogue.Resolve(k.method, schema)
	switch {
	case err != nil || value == nil || schema == nil && !k.written:
		return value, false, err
	case schema == nil:
		masked, found := free(value)
		return masked, found, nil
	}
	if schema.Secret() {
		return provider.Secret(""), true, nil
	}
	if text, ok := value.(string); ok && (schema.Type == "array" || schema.Type == "object") {
		// check reads it as JSON.
		if parsed, err := parse(text); err == nil {
			value = parsed
		} else if k.written || k.client.holdsSecret(k.method, schema) {
			return provider.Secret(""), true, nil
		}
	}
	found := false
	switch value := value.(type) {
	case string:
		if k.written && LooksSecret(value) {
			return provider.Secret(""), true, nil
		}
	case []any:
		copied := slices.Clone(value)
		for i := range copied {
			masked, secret, err := k.mask(schema.Items, copied[i])
			if err != nil {
				return nil, false, err
			}
			copied[i], found = masked, found || secret
		}
		return copied, found, nil
	case map[string]any:
		copied := make(map[string]any, len(value))
		for name, attribute := range value {
			masked, secret, err := k.attribute(schema, name, attribute)
			if err != nil {
				return nil, false, err
			}
			copied[name], found = masked, found || secret
		}
		return copied, found, nil
	}
	return value, false, nil
}

// attribute masks an attribute of an object or an entry of a map.
func (k masker) attribute(schema *provider.Schema, name string, value any) (any, bool, error) {
	property, ok := schema.Property(name)
	switch {
	case ok:
		return k.mask(property, value)
	case !k.written:
		return k.mask(schema.Additional, value)
	case schema.Additional == nil && len(schema.Properties) > 0 || NamesSecret(name):
		return provider.Secret(""), true, nil
	case schema.Additional == nil: // the document says nothing about it
		masked, found := free(value)
		return masked, found, nil
	}
	return k.mask(schema.Additional, value)
}

// free masks values that look like credentials in a value without a schema.
func free(value any) (masked any, found bool) {
	switch value := value.(type) {
	case string:
		if LooksSecret(value) {
			return provider.Secret(""), true
		}
	case []any:
		copied := slices.Clone(value)
		for i := range copied {
			var secret bool
			copied[i], secret = free(value[i])
			found = found || secret
		}
		return copied, found
	case map[string]any:
		copied := make(map[string]any, len(value))
		for name, item := range value {
			secret := NamesSecret(name)
			if copied[name] = provider.Secret(""); !secret {
				copied[name], secret = free(item)
			}
			found = found || secret
		}
		return copied, found
	}
	return value, false
}

var (
	// secretName matches the names of settings and headers with credentials as values.
	secretName = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)pass(word|wd|phrase|code)?($|[^a-z])|password|passphrase|pwd|secret|token|credential|private|auth|signature|cookie|bearer|jwt|(^|[^a-z])(sas|pem|dsn)($|[^a-z])|api_?key|[-_.]key($|[^a-z])|[a-z](Key|KEY)($|[^a-z])|keyjson|^key$|connectionstring|connection_string`)
	})
	// secretText matches a token of Databricks, of a cloud or of another well-known service, a JSON Web
	// Token, a private key, and a URL or connection string with a password.
	secretText = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`\b(dapi|dose|dkea|doiu|dsapi)[0-9a-fA-F]{16,}|\beyJ[\w-]{8,}\.[\w-]+\.|\b(AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\bxox[abprs]-[\w-]{10,}|\bsk-[\w-]{20,}|-----BEGIN [A-Z ]*PRIVATE KEY|://[^/\s:@]*:[^/\s@]+@|(?i)\b(accountkey|sharedaccesskey|password|pwd)\s*=\s*[^;\s]`)
	})
)

// NamesSecret reports whether a setting with the name usually is a credential.
func NamesSecret(name string) bool { return secretName().MatchString(name) }

// LooksSecret reports whether a text looks like a credential or has one in it.
func LooksSecret(text string) bool { return secretText().MatchString(text) }

// IsSecret reports whether a value of a schema may be a credential or hold one.
func (c *Client) IsSecret(m *provider.Method, schema *provider.Schema) bool {
	return c.holdsSecret(m, schema)
}

// ColumnSchema finds the schema of a column of a method's rows; names are compared in any case.
func (c *Client) ColumnSchema(m *provider.Method, column string) (*provider.Schema, bool) {
	s, err := c.shapeOf(m)
	if err != nil {
		return nil, false
	}
	i := slices.IndexFunc(s.columns, func(known provider.Column) bool { return strings.EqualFold(known.Name, column) })
	if i < 0 || i >= len(s.schemas) {
		return nil, false
	}
	schema, err := c.Catalogue.Resolve(m, s.schemas[i])
	return schema, err == nil
}
