package live

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/lakeql/lakeql/provider"
)

const (
	rowsKey   = "rows" // of an answer
	rowColumn = "row"  // of the user's query
)

// encoder writes rows of PostgreSQL as JSON objects. Numbers keep all their digits. An array of PostgreSQL is
// one of JSON. Times are as in the API, in UTC. Each other value is the text that PostgreSQL writes.
type encoder struct {
	names [][]byte // of the columns, as JSON, with a colon behind each
	types []uint32
	arena bytes.Buffer
}

// newEncoder makes the encoder for columns. Two columns with one name would be one attribute.
func newEncoder(columns []pgconn.FieldDescription) (*encoder, error) {
	e := &encoder{}
	seen := map[string]bool{}
	for _, c := range columns {
		if seen[c.Name] {
			return nil, provider.Usagef("the query has two columns with the name %s", provider.Quote(c.Name)).
				In(queryParam).Hintf("give one of them another name, with AS")
		}
		seen[c.Name] = true
		e.names = append(e.names, append(quoted(c.Name), ':'))
		e.types = append(e.types, c.DataTypeOID)
	}
	return e, nil
}

// row returns a row as an object. It is good until the next call.
func (e *encoder) row(values [][]byte) []byte {
	e.arena.Reset()
	e.arena.WriteByte('{')
	for i, value := range values {
		if i > 0 {
			e.arena.WriteByte(',')
		}
		e.arena.Write(e.names[i])
		e.arena.Write(valueOf(value, e.types[i]))
	}
	e.arena.WriteByte('}')
	return e.arena.Bytes()
}

// valueOf returns a value, which PostgreSQL wrote as text, as JSON.
func valueOf(value []byte, oid uint32) []byte {
	if value == nil {
		return []byte("null")
	}
	switch oid {
	case pgtype.BoolOID:
		if string(value) == "t" {
			return []byte("true")
		}
		return []byte("false")
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.OIDOID, pgtype.XIDOID, pgtype.Float4OID, pgtype.Float8OID, pgtype.NumericOID:
		if json.Valid(value) { // NaN and Infinity are not
			return value
		}
	case pgtype.JSONOID, pgtype.JSONBOID:
		return value
	case pgtype.TimestamptzOID, pgtype.TimestampOID:
		return quoted(timeOf(string(value)))
	}
	if element := elements()[oid]; element != 0 {
		if list, ok := arrayOf(string(value), element); ok {
			return list
		}
	}
	return quoted(string(value))
}

var isTime = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)(\+00)?$`)
})

// timeOf writes a time as RFC 3339 does, if that can. Others are infinity, or before the year 1 or after 9999.
func timeOf(text string) string {
	parts := isTime().FindStringSubmatch(text)
	if parts == nil {
		return text
	}
	zone := ""
	if parts[3] != "" {
		zone = "Z"
	}
	return parts[1] + "T" + parts[2] + zone
}

// elements returns the types of the elements of PostgreSQL's own array types.
var elements = sync.OnceValue(func() map[uint32]uint32 {
	types := map[uint32]uint32{}
	known := pgtype.NewMap()
	for oid := range uint32(pgtype.TstzmultirangeOID + 1) {
		if t, ok := known.TypeForOID(oid); ok {
			if array, ok := t.Codec.(*pgtype.ArrayCodec); ok {
				types[oid] = array.ElementType.OID
			}
		}
	}
	return types
})

// arrayOf reads PostgreSQL's text of an array: {1,NULL,{"a b","\""}}. One with other lower bounds than 1 is no
// array of JSON.
func arrayOf(text string, element uint32) (list []byte, ok bool) {
	r := arrayReader{text: text, element: element}
	ok = r.array() && r.at == len(r.text)
	return r.out.Bytes(), ok
}

type arrayReader struct {
	text    string
	at      int
	element uint32
	out     bytes.Buffer
}

// take reports whether a character comes next, and skips it.
func (r *arrayReader) take(c byte) bool {
	if r.at < len(r.text) && r.text[r.at] == c {
		r.at++
		return true
	}
	return false
}

func (r *arrayReader) array() bool {
	if !r.take('{') {
		return false
	}
	r.out.WriteByte('[')
	for n := 0; !r.take('}'); n++ {
		if n > 0 {
			if !r.take(',') {
				return false
			}
			r.out.WriteByte(',')
		}
		if !r.item() {
			return false
		}
	}
	r.out.WriteByte(']')
	return true
}

func (r *arrayReader) item() bool {
	switch {
	case r.at >= len(r.text):
		return false
	case r.text[r.at] == '{':
		return r.array()
	case r.take('"'):
		var b strings.Builder
		for !r.take('"') {
			r.take('\\')
			if r.at >= len(r.text) {
				return false
			}
			b.WriteByte(r.text[r.at])
			r.at++
		}
		r.out.Write(valueOf([]byte(b.String()), r.element))
		return true
	}
	end := strings.IndexAny(r.text[r.at:], ",}")
	if end <= 0 {
		return false
	}
	word := r.text[r.at : r.at+end]
	r.at += end
	if word == "NULL" {
		r.out.WriteString("null")
		return true
	}
	r.out.Write(valueOf([]byte(word), r.element))
	return true
}

// quoted writes a text as JSON.
func quoted(text string) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(text) // a text can be written
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
