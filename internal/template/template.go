// Package template fills in the placeholders of statements and queries, which are templates of
// text/template, within limits: [Fill].
//
// text/template has no limits: a loop over a number runs as often as the number says, a template may
// call itself, print makes a text of any length, and nothing can stop them. So Fill counts steps. It
// inserts a step at the beginning of each loop body and each template, replaces the functions that make
// texts, and writes to a buffer of limited size. A step fails after too many steps, or when the context
// has ended.
package template

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"text/template"
	"text/template/parse"

	"github.com/lakeql/lakeql/provider"
)

// Functions are the functions that a template may call, by name. Their types: func() string, func() any,
// func(string) string, func(any) string, and func(any) (string, error).
type Functions map[string]any

// Limits bound a template.
type Limits struct {
	Size  int // bytes of the text that the template becomes, and of each text on the way
	Steps int // iterations of loops; a call of a template counts as ten
}

// The limits of a template, unless its user sets others.
const (
	DefaultSize  = 1 << 20
	DefaultSteps = 100_000
)

// Fill fills in a template. values supplies {{ .name }}, and functions supplies {{ name }}. An exceeded
// limit and an ended context are errors of package provider. Any other error comes from text/template,
// with name before the position.
func Fill(ctx context.Context, name, text string, functions Functions, values any, limits Limits) (string, error) {
	c := &counter{ctx: ctx, limits: limits}
	t, err := template.New(name).Option("missingkey=error").Funcs(c.texts()).Funcs(c.wrap(functions)).Funcs(template.FuncMap{stepFunction: c.step}).Parse(text)
	if err != nil {
		return "", err
	}
	for _, defined := range t.Templates() {
		if defined.Tree != nil && defined.Root != nil {
			insertSteps(defined.Root)
			prepend(defined.Root, callSteps)
		}
	}
	if err := t.Execute(c, values); err != nil {
		if c.failed != nil { // text/template words it as the error of a function
			return "", c.failed
		}
		return "", err
	}
	return c.out.String(), nil
}

const (
	// stepFunction is the name of the function that counts.
	stepFunction = "lakeql_template_step"
	// callSteps is the number of steps that a call of a template counts: recursion needs memory for each.
	callSteps = 10
)

// insertSteps puts a step at the beginning of the body of each loop.
func insertSteps(list *parse.ListNode) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		switch node := node.(type) {
		case *parse.RangeNode:
			insertSteps(node.List)
			insertSteps(node.ElseList)
			prepend(node.List, 1)
		case *parse.IfNode:
			insertSteps(node.List)
			insertSteps(node.ElseList)
		case *parse.WithNode:
			insertSteps(node.List)
			insertSteps(node.ElseList)
		}
	}
}

// prepend inserts steps at the beginning of a list.
func prepend(list *parse.ListNode, steps int) {
	known := template.FuncMap{stepFunction: func(int) string { return "" }}
	made := template.Must(template.New("").Funcs(known).Parse(fmt.Sprintf("{{%s %d}}", stepFunction, steps)))
	list.Nodes = append(made.Root.Nodes, list.Nodes...)
}

// counter holds how much of its limits a template has used, and its output.
type counter struct {
	ctx    context.Context //nolint:containedctx // text/template passes none to its functions
	limits Limits
	steps  int
	out    strings.Builder
	failed error
}

// step counts. It returns no text.
func (c *counter) step(steps int) (string, error) { return "", c.count(steps) }

func (c *counter) count(steps int) error {
	c.steps += steps
	switch {
	case c.failed != nil:
	case c.ctx.Err() != nil:
		c.failed = provider.Stopped(c.ctx, "the template was not filled in to its end")
	case c.steps > c.limits.Steps:
		c.failed = provider.Usagef("the template makes more than %d steps", c.limits.Steps).
			Hintf("a loop is too long, or a template calls itself without end")
	}
	return c.failed
}

// Write implements [io.Writer].
func (c *counter) Write(b []byte) (int, error) {
	if err := c.fits(c.out.Len() + len(b)); err != nil {
		return 0, err
	}
	return c.out.Write(b)
}

// fits refuses a text of too many bytes.
func (c *counter) fits(size int) error {
	if size > c.limits.Size && c.failed == nil {
		c.failed = provider.Usagef("the template becomes a text of more than %d bytes", c.limits.Size)
	}
	return c.failed
}

// made counts a text that a function has made: a step for each KiB.
func (c *counter) made(text string) (string, error) {
	if err := c.fits(len(text)); err != nil {
		return "", err
	}
	return text, c.count(len(text) >> 10)
}

// texts are the functions of text/template that make texts, within the limits.
func (c *counter) texts() template.FuncMap {
	limited := func(print func(...any) string) func(...any) (string, error) {
		return func(args ...any) (string, error) {
			total, _ := sizes(args)
			if err := c.fits(total); err != nil {
				return "", err
			}
			return c.made(print(args...))
		}
	}
	return template.FuncMap{
		"print": limited(fmt.Sprint), "println": limited(fmt.Sprintln),
		"html": limited(template.HTMLEscaper), "js": limited(template.JSEscaper), "urlquery": limited(template.URLQueryEscaper),
		"printf": c.printf,
	}
}

// sizes returns how long values are as texts: all together, and the longest.
func sizes(args []any) (total, longest int) {
	for _, arg := range args {
		text, ok := arg.(string)
		if !ok {
			text = fmt.Sprint(arg)
		}
		total, longest = total+len(text), max(longest, len(text))
	}
	return total, longest
}

// directive matches the beginning of a directive of a format, with its width and its precision.
var directive = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`%[-+# 0]*(?:\[\d+\])?(\d*)(?:\.(?:\[\d+\])?(\d*))?`)
})

// printf formats values. Each directive of the format may print the longest of them.
func (c *counter) printf(format string, args ...any) (string, error) {
	_, longest := sizes(args)
	size := len(format)
	for _, found := range directive().FindAllStringSubmatch(format, -1) {
		size += longest
		for _, number := range found[1:] {
			n, _ := strconv.Atoi(number) // 0 where there is none; what is too large is no width for fmt either
			size += n
		}
	}
	if strings.Contains(format, "*") { // the width is one of the values
		for _, arg := range args {
			if n, ok := arg.(int); ok && n > 0 {
				size += n
			}
		}
	}
	if err := c.fits(size); err != nil {
		return "", err
	}
	return c.made(fmt.Sprintf(format, args...))
}

// wrap counts the texts that other functions return: a loop may pass a result on to the next call.
func (c *counter) wrap(functions Functions) template.FuncMap {
	wrapped := template.FuncMap{}
	for name, function := range functions {
		switch f := function.(type) {
		case func(string) string:
			wrapped[name] = func(s string) (string, error) { return c.made(f(s)) }
		case func(any) string:
			wrapped[name] = func(v any) (string, error) { return c.made(f(v)) }
		case func(any) (string, error):
			wrapped[name] = func(v any) (string, error) {
				text, err := f(v)
				if err != nil {
					return "", err
				}
				return c.made(text)
			}
		default:
			wrapped[name] = f
		}
	}
	return wrapped
}
