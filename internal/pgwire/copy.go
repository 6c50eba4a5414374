package pgwire

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/csv"
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/lakeql/lakeql/internal/pgwire/pgtext"
	"github.com/lakeql/lakeql/provider"
)

// copyOut answers COPY (query) TO STDOUT, which \copy of psql sends. It reports whether the statement is a COPY.
func (s *session) copyOut(ctx context.Context, p *portal) (ok bool, err error) {
	if !p.piece.is("COPY") {
		return false, nil
	}
	if s.transaction == failed {
		return true, &fault{state: stateFailed, message: "a statement of this transaction failed; others are passed over until ROLLBACK"}
	}
	c, err := readCopy(p.piece)
	if err != nil {
		return true, err
	}
	inner := &portal{session: s, piece: c.query}
	if err := inner.start(ctx); err != nil {
		return true, shift(err, c.query.start)
	}
	defer inner.close()
	formats := make([]uint16, len(inner.columns))
	for i := range formats {
		switch {
		case c.binary:
			formats[i] = binaryFormat
		case inner.types[i] != pgtype.BoolOID && inner.types[i] != pgtype.TimestamptzOID:
			inner.types[i] = pgtype.TextOID
		}
	}
	overall := byte(textFormat)
	if c.binary {
		overall, inner.formats = binaryFormat, []int16{binaryFormat}
	}
	s.backend.Send(&pgproto3.CopyOutResponse{OverallFormat: overall, ColumnFormatCodes: formats})
	waiting := 0
	head := ""
	if c.binary {
		head = binaryHeader // in one message with the first row, as clients expect it
	}
	line := func(data []byte) error {
		if head != "" {
			data = append([]byte(head), data...)
			head = ""
		}
		s.backend.Send(&pgproto3.CopyData{Data: data})
		if waiting += len(data); waiting < flushEvery {
			return nil
		}
		waiting = 0
		return s.backend.Flush()
	}
	if c.header {
		names := make([][]byte, len(inner.columns))
		for i, column := range inner.columns {
			names[i] = []byte(column.Name)
		}
		if err := line(c.line(names)); err != nil {
			return true, err
		}
	}
	if _, err := inner.send(ctx, 0, func(row [][]byte) error { return line(c.line(row)) }); err != nil {
		return true, err
	}
	p.sent = inner.sent
	if c.binary {
		if err := line([]byte{0xff, 0xff}); err != nil { // -1 columns: there are no more rows
			return true, err
		}
	}
	s.backend.Send(&pgproto3.CopyDone{})
	s.backend.Send(&pgproto3.CommandComplete{CommandTag: []byte("COPY " + asText(inner.sent))})
	return true, nil
}

// binaryHeader begins what COPY writes in binary form: a signature, no flags, and no further header.
const binaryHeader = "PGCOPY\n\xff\r\n\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00"

// copying is how COPY writes rows.
type copying struct {
	query     piece
	binary    bool
	csv       bool
	header    bool
	delimiter string
	null      string
}

// readCopy reads COPY ( query ) TO STDOUT [WITH] [( ] options [ )], and COPY table [( columns )] TO STDOUT.
func readCopy(p piece) (*copying, error) {
	unsupported := func(t pgtext.Token, message string) error {
		return &fault{state: stateUnsupported, message: message, hint: "COPY (SELECT …) TO STDOUT [WITH (FORMAT csv, HEADER)]", at: t.Start + 1}
	}
	c := &copying{delimiter: "\t", null: `\N`}
	var parts []pgtext.Token
	for _, t := range pgtext.Tokens(p.text) {
		if t.Kind != pgtext.Blank {
			parts = append(parts, t)
		}
	}
	if len(parts) < 2 {
		return nil, &fault{state: stateSyntax, message: "COPY needs a query"}
	}
	at := 1
	if parts[1].Text == "(" {
		depth := 0
		for ; at < len(parts); at++ {
			switch parts[at].Text {
			case "(":
				depth++
			case ")":
				depth--
			}
			if depth == 0 {
				break
			}
		}
		if at == len(parts) {
			return nil, &fault{state: stateSyntax, message: "a bracket is open at the end of COPY"}
		}
		from := parts[1].Start + 1
		query := split(p.text[from:parts[at].Start])
		if len(query) != 1 || !reads(query[0]) {
			return nil, unsupported(parts[1], "COPY takes one query")
		}
		c.query = query[0]
		c.query.start += from
		at++
	} else {
		from, columns, table := parts[1].Start, "*", ""
		for at < len(parts) && !strings.EqualFold(parts[at].Text, "TO") && !strings.EqualFold(parts[at].Text, "FROM") {
			switch parts[at].Text {
			case "(":
				table = p.text[from:parts[at].Start]
				from = parts[at].Start + 1
			case ")":
				columns = p.text[from:parts[at].Start]
			}
			at++
		}
		if at < len(parts) {
			if table == "" {
				table = p.text[from:parts[at].Start]
			}
			c.query = split("SELECT " + columns + " FROM " + table)[0]
		}
	}
	if at+1 >= len(parts) || !strings.EqualFold(parts[at].Text, "TO") || !strings.EqualFold(parts[at+1].Text, "STDOUT") {
		return nil, unsupported(parts[min(at, len(parts)-1)], "COPY writes to STDOUT only")
	}
	return c, c.options(parts[at+2:], unsupported)
}

func (c *copying) options(parts []pgtext.Token, unsupported func(pgtext.Token, string) error) error {
	delimiter, null := "", "\x00"
	for i := 0; i < len(parts); i++ {
		value := ""
		if i+1 < len(parts) {
			value = parts[i+1].Text
		}
		switch strings.ToUpper(parts[i].Text) {
		case "WITH", "(", ")", ",", "AS":
		case "FORMAT":
			i++
			switch strings.ToLower(pgtext.Unquote(value)) {
			case "csv":
				c.csv = true
			case "binary":
				c.binary = true
			case "text":
			default:
				return unsupported(parts[i-1], "COPY writes text, csv and binary only")
			}
		case "CSV":
			c.csv = true
		case "BINARY":
			c.binary = true
		case "HEADER":
			c.header = true
			if strings.EqualFold(value, "false") || strings.EqualFold(value, "off") || value == "0" {
				c.header = false
				i++
			} else if strings.EqualFold(value, "true") || strings.EqualFold(value, "on") || value == "1" {
				i++
			}
		case "DELIMITER", "NULL":
			option := parts[i].Text
			i++
			if strings.EqualFold(value, "AS") && i+1 < len(parts) {
				i++
				value = parts[i].Text
			}
			if value = copyString(value); strings.EqualFold(option, "NULL") {
				null = value
			} else {
				delimiter = value
			}
		case "ENCODING":
			i++
		default:
			return unsupported(parts[i], "COPY does not know the option "+provider.Printable(parts[i].Text))
		}
	}
	if c.binary && (c.csv || c.header || delimiter != "" || null != "\x00") {
		return &fault{state: "22023", message: "COPY in binary form has no other options"}
	}
	if c.csv {
		c.delimiter, c.null = ",", ""
	}
	if delimiter != "" {
		c.delimiter = delimiter
	}
	if null != "\x00" {
		c.null = null
	}
	if len(c.delimiter) != 1 || strings.ContainsAny(c.delimiter, "\"\r\n\\") {
		return &fault{state: "22023", message: "the delimiter of COPY is one byte, and no quote, backslash or end of line"}
	}
	return nil
}

func copyString(text string) string {
	if strings.HasPrefix(text, "E'") || strings.HasPrefix(text, "e'") {
		return strings.NewReplacer(`\t`, "\t", `\\`, `\`).Replace(pgtext.Unquote(text[1:]))
	}
	return pgtext.Unquote(text)
}

// line writes a row.
func (c *copying) line(row [][]byte) []byte {
	if c.binary {
		b := binary.BigEndian.AppendUint16(nil, uint16(len(row))) //nolint:gosec // SQLite has at most 2,000 columns
		for _, value := range row {
			if value == nil {
				b = append(b, 0xff, 0xff, 0xff, 0xff)
				continue
			}
			b = append(binary.BigEndian.AppendUint32(b, uint32(len(value))), value...) //nolint:gosec // SQLite's values are below 2 GiB
		}
		return b
	}
	if c.csv {
		return c.csvLine(row)
	}
	var b []byte
	for i, value := range row {
		if i > 0 {
			b = append(b, c.delimiter...)
		}
		if value == nil {
			b = append(b, c.null...)
			continue
		}
		for _, char := range value {
			switch char {
			case '\\':
				b = append(b, `\\`...)
			case '\n':
				b = append(b, `\n`...)
			case '\r':
				b = append(b, `\r`...)
			case '\t':
				b = append(b, `\t`...)
			case c.delimiter[0]:
				b = append(b, '\\', char)
			default:
				b = append(b, char)
			}
		}
	}
	return append(b, '\n')
}

// csvLine quotes what encoding/csv does, and an empty text, which is not NULL.
func (c *copying) csvLine(row [][]byte) []byte {
	var b bytes.Buffer
	for i, value := range row {
		if i > 0 {
			b.WriteString(c.delimiter)
		}
		switch {
		case value == nil:
			b.WriteString(c.null)
		case string(value) == c.null:
			b.WriteString(`"` + c.null + `"`)
		default:
			var field bytes.Buffer
			w := csv.NewWriter(&field)
			w.Comma = rune(c.delimiter[0])
			_ = w.Write([]string{string(value)}) // a buffer takes everything, and the delimiter is one byte
			w.Flush()
			b.Write(bytes.TrimSuffix(field.Bytes(), []byte("\n")))
		}
	}
	b.WriteByte('\n')
	return b.Bytes()
}
