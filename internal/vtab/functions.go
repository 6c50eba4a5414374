package vtab

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/ext/regexp"

	"github.com/lakeql/lakeql/provider"
)

// AddFunctions adds to a database the functions that StackQL has beyond SQLite's own: regexp_like
// and the other functions of regular expressions, split_part, and json_equal.
func AddFunctions(db *sqlite3.Conn) error {
	const pure = sqlite3.DETERMINISTIC | sqlite3.INNOCUOUS
	err := errors.Join(
		regexp.Register(db),
		addSpelling(db),
		db.CreateFunction("split_part", 3, pure, splitPart),
		db.CreateFunction("json_equal", 2, pure, jsonEqual),
		db.CreateFunction(workspaceFunction, 3, pure, workspaceOf),
	)
	if err != nil {
		return provider.Internalf("add functions to SQLite").Because(err)
	}
	return nil
}

// splitPart is split_part(text, separator, n): the n-th part from 1, or from the end if n is
// negative; an empty text if there are fewer, as in PostgreSQL.
func splitPart(ctx sqlite3.Context, args ...sqlite3.Value) {
	for _, arg := range args {
		if arg.Type() == sqlite3.NULL {
			ctx.ResultNull()
			return
		}
	}
	text, separator, n := args[0].Text(), args[1].Text(), args[2].Int()
	if n == 0 {
		ctx.ResultError(errors.New("split_part: parts count from 1, or from -1 at the end"))
		return
	}
	parts := []string{text}
	if separator != "" {
		parts = strings.Split(text, separator)
	}
	if n < 0 {
		n += len(parts) + 1
	}
	if n < 1 || n > len(parts) {
		ctx.ResultText("")
		return
	}
	ctx.ResultText(parts[n-1])
}

// jsonEqual is json_equal(a, b): 1 if two texts are the same JSON. Blanks, the order of attributes
// and the notation of numbers do not count. A text that is not JSON is an error.
func jsonEqual(ctx sqlite3.Context, args ...sqlite3.Value) {
	var values [2]any
	for i, arg := range args {
		if arg.Type() == sqlite3.NULL {
			ctx.ResultNull()
			return
		}
		dec := json.NewDecoder(strings.NewReader(arg.Text()))
		dec.UseNumber()
		err := dec.Decode(&values[i])
		if _, more := dec.Token(); err != nil || !errors.Is(more, io.EOF) {
			ctx.ResultError(errors.New("json_equal: " + provider.Quote(arg.Text()) + " is not JSON"))
			return
		}
	}
	ctx.ResultBool(sameJSON(values[0], values[1]))
}

// sameJSON compares two decoded JSON values.
func sameJSON(a, b any) bool {
	switch a := a.(type) {
	case json.Number:
		n, ok := b.(json.Number)
		return ok && plainNumber(string(a)) == plainNumber(string(n))
	case []any:
		list, ok := b.([]any)
		return ok && slices.EqualFunc(a, list, sameJSON)
	case map[string]any:
		object, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, object, sameJSON)
	}
	return a == b
}

// plainNumber writes a JSON number in one way: its sign and digits, without zeros at either end,
// and the power of ten behind them.
func plainNumber(text string) string {
	mantissa, power, _ := strings.Cut(strings.ToLower(text), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits, negative := strings.CutPrefix(whole+fraction, "-")
	exponent, err := strconv.ParseInt(cmp.Or(power, "0"), 10, 32)
	if err != nil {
		return text // beyond all reason: the same only as written
	}
	short := strings.TrimRight(digits, "0")
	exponent += int64(len(digits) - len(short) - len(fraction))
	if short = strings.TrimLeft(short, "0"); short == "" {
		return "0"
	}
	if negative {
		short = "-" + short
	}
	return short + "e" + strconv.FormatInt(exponent, 10)
}

// workspaceFunction returns the deployment name of a workspace that the account lists. A workspace
// without one cannot be called; the function fails, so that the workspace is not left out without a
// message. Its arguments are the deployment name, which EXPLAIN follows, the parameter that takes it, and
// the name of the workspace for the message.
const workspaceFunction = "lakeql_workspace"

func workspaceOf(ctx sqlite3.Context, args ...sqlite3.Value) {
	if name := args[0]; name.Type() != sqlite3.NULL && name.Text() != "" {
		ctx.ResultText(name.Text())
		return
	}
	ctx.ResultError(errors.New(args[1].Text() + " = '*': the workspace " + provider.Quote(args[2].Text()) + " of the account has no deployment name; list the workspaces with IN"))
}
