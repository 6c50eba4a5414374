package redact

import (
	"encoding/json"
	"io"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/bind"
	"github.com/lakeql/lakeql/internal/dispatch"
	"github.com/lakeql/lakeql/internal/statement"
	"github.com/lakeql/lakeql/provider"
)

// values returns the literals with a known meaning, by their first byte, each with its hidden parts. All
// other literals are hidden.
func (r *reading) values(tokens []token, st statement.Statement) map[int][]span {
	if r.known.client == nil || st == nil {
		return nil
	}
	found := map[int][]span{}
	switch st := st.(type) {
	case *statement.Exec:
		if !r.exec(st, found) {
			return nil
		}
		return found
	case *statement.Insert:
		if len(st.Into) == 3 {
			r.insert(tokens, st, found)
		}
	}
	_, update := st.(*statement.Update)
	r.compared(tokens, update, found)
	return found
}

// exec judges the values of an EXEC; false if a parameter or attribute is not known, because then a
// value may be meant for another.
func (r *reading) exec(e *statement.Exec, found map[int][]span) bool {
	parts := make([]string, len(e.Method))
	for i, part := range e.Method {
		parts[i] = part.Text
	}
	named, _, err := r.known.client.Catalogue.Lookup(parts...)
	if err != nil || named.Method == nil {
		return false
	}
	m := named.Method
	signature, err := bind.NewSignature(r.known.client.Catalogue, m)
	if err != nil {
		return false
	}
	for _, p := range e.Params {
		at := p.Value.Pos().Offset
		text, places, ok := p.Value.Quoted()
		if !ok {
			text, places = p.Value.Text, nil
		}
		schema, known := r.schemaOf(signature, p)
		switch {
		case !known:
			return false
		case p.Value.Kind == statement.Bound:
		case p.Body && signature.Body == nil:
			return false
		case !ok: // a number or a word
			if r.known.client.IsSecret(m, schema) {
				continue // and so it is hidden
			}
			found[at] = nil
		default:
			hidden, ok := r.inText(m, schema, text, places)
			if !ok {
				continue
			}
			found[at] = hidden
		}
	}
	return true
}

// schemaOf returns the schema of a parameter of an EXEC; nil for the name of a workspace or resource.
func (r *reading) schemaOf(signature *bind.Signature, p statement.Param) (schema *provider.Schema, known bool) {
	m := signature.Method
	if p.Body {
		return signature.Body, m.Body != nil
	}
	if slices.Contains(signature.Names(), p.Name) {
		schema, err := signature.Schema(p.Name)
		return schema, err == nil
	}
	name := strings.TrimPrefix(p.Name, bind.AttributePrefix)
	if signature.IsAttribute(name) {
		schema, err := signature.Schema(name)
		return schema, err == nil
	}
	return nil, false
}

// inText returns the hidden parts of a text with a known schema, or false if all of the text is hidden. A
// nil schema means the name of a workspace or resource. places are the positions of the text's bytes.
func (r *reading) inText(m *provider.Method, schema *provider.Schema, text string, places []int) (hidden []span, ok bool) {
	if dispatch.LooksSecret(text) {
		return nil, false
	}
	if schema == nil {
		return nil, true
	}
	if schema.Type == "array" || schema.Type == "object" || len(schema.Properties) > 0 {
		dec := json.NewDecoder(strings.NewReader(text))
		dec.UseNumber()
		var value any
		if err := dec.Decode(&value); err != nil {
			return nil, false
		}
		if _, err := dec.Token(); err != io.EOF {
			return nil, false
		}
		masked, _, err := r.known.client.MaskWritten(m, schema, value)
		if err != nil {
			return nil, false
		}
		return maskedParts(text, places, masked)
	}
	masked, found, err := r.known.client.MaskWritten(m, schema, text)
	if err != nil || found {
		return nil, false
	}
	_, isText := masked.(string)
	return nil, isText
}

// maskedParts finds the parts of a JSON text that are masked in a copy of its value.
func maskedParts(text string, places []int, masked any) (hidden []span, ok bool) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var walk func(masked any) bool
	next := func() int { // where the next token begins
		at := int(dec.InputOffset())
		return at + len(text[at:]) - len(strings.TrimLeft(text[at:], " \t\r\n,:"))
	}
	walk = func(masked any) bool {
		from := next()
		if _, secret := masked.(provider.Secret); secret {
			var skipped json.RawMessage
			if dec.Decode(&skipped) != nil {
				return false
			}
			to := int(dec.InputOffset())
			if text[from] == '"' {
				from, to = from+1, to-1
			}
			if from < to {
				hidden = append(hidden, span{places[from], places[to-1] + 1})
			}
			return true
		}
		t, err := dec.Token()
		if err != nil {
			return false
		}
		switch delim, _ := t.(json.Delim); delim {
		case '[':
			list, ok := masked.([]any)
			for i := 0; dec.More(); i++ {
				if !ok || i >= len(list) || !walk(list[i]) {
					return false
				}
			}
		case '{':
			object, ok := masked.(map[string]any)
			for dec.More() {
				key, err := dec.Token()
				name, isName := key.(string)
				inside, there := object[name]
				if err != nil || !isName || !ok || !there || !walk(inside) {
					return false
				}
			}
		default:
			switch masked.(type) {
			case []any, map[string]any: // JSON in a text
				to := int(dec.InputOffset())
				hidden = append(hidden, span{places[from], places[to-1] + 1})
			}
			return true
		}
		_, err = dec.Token() // the closing bracket
		return err == nil
	}
	if !walk(masked) {
		return nil, false
	}
	return hidden, true
}

// insert judges the literals in VALUES by the columns before them. Each row must have one value for
// each column, or a value may be meant for another one.
func (r *reading) insert(tokens []token, st *statement.Insert, found map[int][]span) {
	i := slices.IndexFunc(tokens, func(t token) bool { return t.kind == word && strings.EqualFold(r.raw(t), "VALUES") })
	if i < 0 || len(st.Columns) == 0 {
		return
	}
	rows := map[int]string{} // columns by where their value begins
	column, depth := 0, 0
	for i++; i < len(tokens); i++ {
		t := tokens[i]
		switch raw := r.raw(t); {
		case raw == "(":
			if depth++; depth == 1 {
				column = 0
			}
		case raw == ")":
			if depth--; depth == 0 && column != len(st.Columns)-1 {
				return
			}
		case raw == "," && depth == 1:
			column++
		case depth == 0 && raw != ",":
			i = len(tokens)
		case t.kind == literal && depth == 1 && column < len(st.Columns):
			before, after := r.raw(tokens[i-1]), ")"
			if i+1 < len(tokens) {
				after = r.raw(tokens[i+1])
			}
			if (before == "(" || before == ",") && (after == ")" || after == ",") {
				rows[t.start] = st.Columns[column].Text
			}
		}
	}
	for _, t := range tokens {
		if column, ok := rows[t.start]; ok {
			r.judge1(t, column, found)
		}
	}
}

// compared judges the literals that SET assigns to a column, and the literals that a query supplies for
// a parameter: name = 'a', name IN ('a', 'b').
func (r *reading) compared(tokens []token, update bool, found map[int][]span) {
	for i, t := range tokens {
		if t.kind == word && strings.EqualFold(r.raw(t), "WHERE") {
			update = false
		}
		if _, ok := found[t.start]; ok || t.kind != literal && t.kind != number || !update && r.judge.Unresolved {
			continue
		}
		if column, ok := r.columnBefore(tokens, i); ok && (update || r.isParameter(column)) {
			r.judge1(t, column, found)
		}
	}
}

// isParameter reports whether a column is a parameter of a resource that the statement names. An alias
// may stand before its name.
func (r *reading) isParameter(column string) bool {
	column = strings.ToLower(column[strings.LastIndexByte(column, '.')+1:])
	for _, resource := range r.known.resources {
		for _, m := range resource.Methods {
			isVariable := slices.ContainsFunc(m.ServerVariables(), func(v provider.Variable) bool { return strings.EqualFold(v.Name, column) })
			isParam := slices.ContainsFunc(m.Params, func(p provider.Parameter) bool {
				return strings.EqualFold(p.Name, column) || strings.EqualFold(p.Spelling(), column)
			})
			if isVariable || isParam || r.isAttribute(resource, m, column) || m.NameParam != nil && strings.EqualFold(m.NameParam.Name, column) {
				return true
			}
		}
	}
	return false
}

// isAttribute reports whether a column is an attribute of the body of a method that SELECT calls, or
// that an error of SELECT writes out as an EXEC.
func (r *reading) isAttribute(resource *provider.Resource, m *provider.Method, column string) bool {
	if !m.Selectable && m.SQLVerb != provider.Exec && len(resource.SelectMethods()) > 0 {
		return false
	}
	attributes, err := r.known.client.Catalogue.Attributes(m)
	return err == nil && slices.ContainsFunc(attributes, func(a provider.Attribute) bool { return strings.EqualFold(a.Name, column) })
}

// columnBefore returns the column that the token at i is compared with.
func (r *reading) columnBefore(tokens []token, i int) (string, bool) {
	raw := func(j int) string {
		if j < 0 {
			return ""
		}
		return strings.ToUpper(r.raw(tokens[j]))
	}
	at := i - 1
	switch raw(at) {
	case "=":
		for at >= 0 && raw(at) == "=" {
			at--
		}
	default: // IN ('a', 'b'
		for at > 0 && raw(at) == "," && (tokens[at-1].kind == literal || tokens[at-1].kind == number) {
			at -= 2
		}
		if raw(at) != "(" || raw(at-1) != "IN" {
			return "", false
		}
		at -= 2
	}
	if at < 0 || tokens[at].kind != word {
		return "", false
	}
	column := r.raw(tokens[at])
	for at > 1 && raw(at-1) == "." && tokens[at-2].kind == word {
		at -= 2
		column = r.raw(tokens[at]) + "." + column
	}
	return column, true
}

// judge1 judges a literal that is a value of a column. The column must be known, and no secret
// wherever it is known.
func (r *reading) judge1(t token, column string, found map[int][]span) {
	text := r.raw(t)
	places := make([]int, 0, len(text))
	if t.kind == literal {
		text = ""
		for i := t.start + 1; i < t.end-1; i++ {
			places = append(places, i)
			text += string([]byte{r.text[i]})
			if r.text[i] == '\'' {
				i++
			}
		}
	}
	var hidden []span
	known := false
	for _, resource := range r.known.resources {
		for _, m := range resource.Methods {
			schema, ok := r.columnSchema(m, column)
			if !ok {
				continue
			}
			parts, ok := r.inText(m, schema, text, places)
			if !ok {
				return
			}
			known, hidden = true, append(hidden, parts...)
		}
	}
	if known {
		found[t.start] = hidden
	}
}

// columnSchema returns the schema of a column of a method. An alias may stand before the column's name.
func (r *reading) columnSchema(m *provider.Method, column string) (schema *provider.Schema, ok bool) {
	signature, err := bind.NewSignature(r.known.client.Catalogue, m)
	if err != nil {
		return nil, false
	}
	for {
		canonical := signature.Canonical(column)
		if top := signature.Top(canonical); slices.Contains(signature.Names(), top) || slices.Contains(signature.Names(), strings.TrimPrefix(canonical, bind.AttributePrefix)) {
			schema, err := signature.Schema(canonical)
			if err != nil || schema == nil && strings.Contains(canonical, ".") {
				return &provider.Schema{Format: "password"}, true // inside of something that is not described
			}
			return schema, true
		}
		if schema, ok := r.known.client.ColumnSchema(m, column); ok {
			return schema, true
		}
		_, rest, dotted := strings.Cut(column, ".")
		if !dotted {
			return nil, false
		}
		column = rest
	}
}
