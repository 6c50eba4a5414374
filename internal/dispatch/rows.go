package dispatch

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lakeql/lakeql/provider"
)

// rows are the rows of a call, fetched page by page as they are read.
type rows struct {
	reader *Reader
	req    *Request
	page   *Page
	at     int   // of the next row in page
	ended  error // why there is nothing more: io.EOF, or what went wrong

	masks map[int]ColumnMask // of the columns, if the client masks rows
}

func (r *rows) Columns() []provider.Column { return r.req.shape.columns }

// Cut reports whether the client's page limit left rows out behind the last one.
func (r *rows) Cut() bool { return r.reader.Cut() }

// Usage returns the cost of the call until now.
func (r *rows) Usage() Usage { return r.reader.Usage() }

func (r *rows) Close() error {
	r.end(provider.Internalf("rows are read after they were closed"))
	return nil
}

// end keeps why the rows end, so that whoever asks again is not told that all were given.
func (r *rows) end(why error) {
	r.page = nil
	if r.ended == nil {
		r.ended = why
	}
}

func (r *rows) Next(ctx context.Context) ([]any, error) {
	if r.ended == nil && ctx.Err() != nil {
		r.end(canceledAs(ctx, r.req, notAllRows))
	}
	for r.ended == nil {
		if r.at < r.page.Len() {
			row, err := r.page.Row(r.at, nil)
			if err == nil && r.reader.client.Masked {
				err = r.mask(row)
			}
			if err != nil {
				r.end(err)
				break
			}
			r.at++
			return row, nil
		}
		if err := r.turn(ctx); err != nil {
			r.end(err)
		}
	}
	return nil, r.ended
}

// mask puts masks in place of the credentials in a row.
func (r *rows) mask(row []any) error {
	if r.masks == nil {
		r.masks = map[int]ColumnMask{}
	}
	for i, value := range row {
		if value == nil {
			continue
		}
		if r.req.shape.secret[i] {
			row[i] = provider.Secret("").String()
			continue
		}
		raw, ok := value.(json.RawMessage)
		if !ok {
			continue
		}
		mask, known := r.masks[i]
		if !known {
			var err error
			if mask, err = r.reader.client.MaskColumn(r.req.call.Method, i); err != nil {
				return err
			}
			r.masks[i] = mask
		}
		if mask == nil {
			continue
		}
		masked, _, err := mask(raw)
		if err != nil {
			return err
		}
		row[i] = masked
	}
	return nil
}

// turn goes on to the next page.
func (r *rows) turn(ctx context.Context) error {
	page, err := r.reader.Next(ctx)
	if err != nil {
		return err
	}
	r.page, r.at = page, 0
	return nil
}

// Row takes an item apart into the values of its columns. Where wanted is not nil, only the columns
// that it holds true for are read, and the others are nil.
func (p *Page) Row(i int, wanted []bool) ([]any, error) {
	item, s := p.items.at(i), p.req.shape
	row := make([]any, len(s.columns))
	for i, name := range s.headers {
		at := len(s.columns) - len(s.headers) + i
		if text := p.header.Get(name); text != "" {
			row[at] = headerValue(text, s.columns[at].Type)
		}
	}
	switch {
	case s.stream && utf8.Valid(p.body):
		row[0], row[1] = string(p.body), "utf-8"
		return row, nil
	case s.stream && s.bytes:
		row[0], row[1] = string(p.body), "binary"
		return row, nil
	case s.stream:
		row[0], row[1] = base64.StdEncoding.EncodeToString(p.body), "base64"
		return row, nil
	case s.scalar:
		if err := checkKind(p.req, item, s.item.kind, "an item"); err != nil {
			return nil, err
		}
		row[0] = convert(item, s.columns[0].Type, s.secret[0])
		return row, nil
	}
	if err := checkKind(p.req, item, "object", "an item"); err != nil {
		return nil, err
	}
	known, others := false, false
	for name, raw := range attributes(item) {
		i, ok := s.index[name]
		if !ok {
			if err := s.item.refuse(name); err != nil {
				return nil, unreadable(p.req, item, err)
			}
		}
		known, others = known || ok, others || !ok
		if ok && (wanted == nil || wanted[i]) {
			row[i] = convert(raw, s.columns[i].Type, s.secret[i])
		}
	}
	if others && !known {
		return nil, p.strange(item)
	}
	return row, nil
}

// strange returns the error of an item that has attributes, and none of the documented ones.
func (p *Page) strange(item json.RawMessage) error {
	var names []string
	for name := range attributes(item) {
		names = append(names, name)
	}
	if f := p.req.shape.item; !f.knowsAny(slices.Values(names)) {
		return strange(p.req, "an item", f)
	}
	return nil
}

// headerValue returns a header's value with its documented type.
func headerValue(text, typ string) any {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && typ == "integer" {
		return n
	}
	return text
}

// convert returns a JSON value as the Go value of its row. Where the answer has another type than
// the document says, the answer counts: nothing is bent or lost.
func convert(raw json.RawMessage, typ string, secret bool) any {
	switch {
	case raw[0] == 'n':
		return nil
	case secret:
		return provider.Secret(unquote(raw))
	}
	switch raw[0] {
	case 't', 'f':
		if typ != "boolean" && typ != "" { // SQL has no boolean: as one, it would be the number 1
			return raw
		}
		return raw[0] == 't'
	case '"':
		text := unquote(raw)
		if typ == "integer" { // 64-bit integers come as text from some services
			if n, err := strconv.ParseInt(text, 10, 64); err == nil && strconv.FormatInt(n, 10) == text {
				return n
			}
		}
		return text
	case '{', '[':
		return lastOnes(raw)
	}
	return number(raw, typ)
}

// exactInFloat bounds the integers that float64 holds without a gap.
const exactInFloat = 1 << 53

// number returns an int64 for integers, and a float64 for other numbers and for the documented type
// number. If neither keeps the value, it returns the JSON.
func number(raw json.RawMessage, typ string) any {
	text := string(raw)
	if !strings.ContainsAny(text, ".eE") {
		n, err := strconv.ParseInt(text, 10, 64)
		switch {
		case err != nil:
			return raw
		case typ == "number" && n > -exactInFloat && n < exactInFloat:
			return float64(n)
		default:
			return n
		}
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil && keeps(f, text) {
		return f
	}
	return raw
}

// keeps reports whether a float64 keeps the number of a text: its shortest form is the same number.
func keeps(f float64, text string) bool {
	if len(text) <= 15 && !strings.ContainsAny(text, "eE") {
		return true // any 15 digits fit
	}
	digits, exponent := decimal(text)
	kept, keptExponent := decimal(strconv.FormatFloat(f, 'e', -1, 64))
	return digits == kept && exponent == keptExponent
}

// decimal returns the sign and digits of a JSON number, without zeros at either end, and the power
// of ten of the first digit. Zero has no digits.
func decimal(text string) (digits string, exponent int) {
	text, sign := strings.CutPrefix(text, "-")
	mantissa, power := text, ""
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa, power = text[:i], text[i+1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits = strings.TrimLeft(whole+fraction, "0")
	exponent = len(whole) - (len(whole+fraction) - len(digits))
	digits = strings.TrimRight(digits, "0")
	if digits == "" {
		return "", 0
	}
	n, err := strconv.Atoi(cmp.Or(power, "0"))
	if err != nil {
		return text, 0 // out of all range: equal to nothing that is written from a float64
	}
	if sign {
		digits = "-" + digits
	}
	return digits, exponent + n
}
