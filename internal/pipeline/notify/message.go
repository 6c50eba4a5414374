// Package notify tells people and programs what changed in a pipeline: checks whose state is another one or
// that have other failing rows, and tables whose rows changed.
//
// A [Message] is what there is to tell after one run. A [Target] is one entry of notify in pipeline.yaml: a
// webhook, a file, or a command. [Sender.Send] brings a message to a target, in the form that slack.go,
// teams.go, or generic JSON give it. Values of rows come from workspaces, where anybody may have written them:
// each form has them as text, and nothing else.
package notify

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/pipeline/checks"
	"github.com/lakeql/lakeql/provider"
)

// Message is what there is to tell after a run. Its JSON is the format generic, which the store keeps until
// the message is delivered.
type Message struct {
	Version  int       `json:"version"` // of the format
	Pipeline string    `json:"pipeline"`
	Run      int64     `json:"run"`
	Time     time.Time `json:"time"`
	// Text is one line for people.
	Text   string  `json:"text"`
	Checks []Check `json:"checks,omitempty"`
	Tables []Table `json:"tables,omitempty"`
	// Omitted counts checks and tables that the limits left out.
	Omitted int `json:"omitted,omitempty"`
}

// Check is a check whose state or failing rows changed.
type Check struct {
	Name        string          `json:"name"`
	State       checks.Outcome  `json:"state"`
	Before      checks.Outcome  `json:"before,omitempty"` // empty: the check is new
	Severity    checks.Severity `json:"severity"`
	Description string          `json:"description,omitempty"`
	Owner       string          `json:"owner,omitempty"`
	Control     string          `json:"control,omitempty"`
	Docs        string          `json:"docs,omitempty"`
	Expect      string          `json:"expect"`
	Value       json.Number     `json:"value,omitempty"`
	// Text is why the check does not pass; empty if it passes.
	Text string `json:"text,omitempty"`
	// Failing counts the rows that fail now; the others are the difference from the run before.
	Failing int  `json:"failing"`
	Added   Rows `json:"added"`
	Changed Rows `json:"changed"`
	Removed Rows `json:"removed"`
}

// Table is a table whose rows changed in the run.
type Table struct {
	Name    string `json:"name"`
	Added   Rows   `json:"added"`
	Changed Rows   `json:"changed"`
	Removed Rows   `json:"removed"`
}

// Rows are some rows: the first of them, and how many there are.
type Rows struct {
	Count int64 `json:"count"`
	Rows  []Row `json:"rows,omitempty"`
}

// Row is a row. From has the values of a changed row before; in a table, Values has the key of the row, and
// From the changed columns with their old and new values.
type Row struct {
	Text   string        `json:"text"`
	Values checks.Values `json:"row"`
	From   checks.Values `json:"from,omitempty"`
}

// The limits of a message.
const (
	// MostRows is how many rows of each kind a message has.
	MostRows = 20
	// mostBytes is how large its JSON may be.
	mostBytes = 256 << 10
	// mostParts is how many checks and tables it has.
	mostParts = 100
)

// OfCheck describes a change of a check.
func OfCheck(change *checks.Change) Check {
	r := change.Result
	c := r.Check
	told := Check{
		Name: c.Name, State: r.Outcome, Before: change.Before, Severity: c.Severity, Description: c.Description, Owner: c.Owner, Control: c.Control, Docs: c.Docs,
		Expect: c.Expect.String(), Value: r.Number, Text: r.Summary(), Failing: len(r.Rows),
	}
	told.Added, told.Removed = ofRows(change.Added), ofRows(change.Removed)
	told.Changed.Count = int64(len(change.Changed))
	for i, row := range change.Changed {
		if i < MostRows {
			told.Changed.Rows = append(told.Changed.Rows, Row{row.Message, row.Values, row.From})
		}
	}
	return told
}

func ofRows(rows []checks.Row) Rows {
	all := Rows{Count: int64(len(rows))}
	for i, row := range rows {
		if i < MostRows {
			all.Rows = append(all.Rows, Row{Text: row.Message, Values: row.Values})
		}
	}
	return all
}

// HistoryRow makes a row of a table's history: the columns are those of its workspace and key, and the last
// value of the row is the changed columns with their values, {"column": {"from": …, "to": …}}, or NULL.
func HistoryRow(columns []provider.Column, row []any) Row {
	var made Row
	var parts []string
	for i, c := range columns {
		value := checks.Value{Name: c.Name, Value: checks.Bounded(row[i])}
		made.Values = append(made.Values, value)
		parts = append(parts, c.Name+" = "+short(value.Text(), 100))
	}
	raw, _ := row[len(row)-1].(json.RawMessage)
	if len(raw) > 0 && json.Unmarshal(raw, &made.From) == nil {
		slices.SortFunc(made.From, func(a, b checks.Value) int { return strings.Compare(a.Name, b.Name) }) // each store has its own order
		for i, c := range made.From {
			var values struct {
				From, To checks.Single
			}
			object, _ := c.Value.(json.RawMessage)
			if json.Unmarshal(object, &values) == nil {
				parts = append(parts, c.Name+": "+short(values.From.Text(), 80)+" → "+short(values.To.Text(), 80))
			}
			made.From[i].Value = checks.Bounded(c.Value)
		}
	}
	made.Text = strings.Join(parts, ", ")
	return made
}

// For returns the part of the message that a target wants; nil: nothing.
func (m *Message) For(t *Target) *Message {
	own := &Message{Version: 1, Pipeline: m.Pipeline, Run: m.Run, Time: m.Time}
	if t.wants(OnChecks) {
		for _, c := range m.Checks {
			if c.Severity.AtLeast(t.severity()) {
				own.Checks = append(own.Checks, c)
			}
		}
	}
	if t.wants(OnChanges) {
		for _, table := range m.Tables {
			if slices.Contains(t.Tables, table.Name) {
				own.Tables = append(own.Tables, table)
			}
		}
	}
	if len(own.Checks)+len(own.Tables) == 0 {
		return nil
	}
	slices.SortStableFunc(own.Checks, func(a, b Check) int { return rank(a) - rank(b) })
	own.Text = own.title()
	if n := len(own.Checks) - mostParts; n > 0 {
		own.Checks, own.Omitted = own.Checks[:mostParts], n
	}
	return own
}

// rank orders checks: what is wrong first, and the worst of it.
func rank(c Check) int {
	n := len(checks.Severities()) - slices.Index(checks.Severities(), c.Severity)
	if c.State == checks.Pass {
		n += len(checks.Severities())
	}
	return n
}

// title is one line that sums the message up.
func (m *Message) title() string {
	count := map[checks.Outcome]int{}
	for _, c := range m.Checks {
		count[c.State]++
	}
	var parts []string
	for _, kind := range []struct {
		outcome checks.Outcome
		text    string
	}{{checks.Fail, "failing"}, {checks.Broken, "in error"}, {checks.Unknown, "unknown"}, {checks.Pass, "passing again"}} {
		if n := count[kind.outcome]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", plural(n, "check"), kind.text))
		}
	}
	if n := len(m.Tables); n > 0 {
		parts = append(parts, plural(n, "table")+" changed")
	}
	return m.Pipeline + ": " + strings.Join(parts, ", ")
}

func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// Encode returns the message as JSON of a limited size: it leaves out rows, and then checks and tables.
func (m *Message) Encode() ([]byte, error) {
	for most := MostRows; ; most /= 2 {
		body, err := json.Marshal(m)
		if err != nil || len(body) <= mostBytes {
			return body, err
		}
		if most == 0 { // no row is left
			n := (len(m.Checks) + 1) / 2
			if len(m.Checks) == 0 {
				m.Tables, m.Omitted = nil, m.Omitted+len(m.Tables)
				continue
			}
			m.Omitted += n
			m.Checks = m.Checks[:len(m.Checks)-n]
			continue
		}
		m.limitRows(most / 2)
	}
}

// limitRows leaves so many rows of each kind.
func (m *Message) limitRows(most int) {
	cut := func(r *Rows) { r.Rows = r.Rows[:min(len(r.Rows), most)] }
	for i := range m.Checks {
		c := &m.Checks[i]
		cut(&c.Added)
		cut(&c.Changed)
		cut(&c.Removed)
	}
	for i := range m.Tables {
		t := &m.Tables[i]
		cut(&t.Added)
		cut(&t.Changed)
		cut(&t.Removed)
	}
}

// Decode reads a message that a store has kept.
func Decode(body []byte) (*Message, error) {
	var m Message
	err := json.Unmarshal(body, &m)
	return &m, err
}

// headline is the line of a check, without its rows.
func (c *Check) headline() string {
	text := fmt.Sprintf("%s: %s is %s", strings.ToUpper(string(c.Severity)), c.Name, map[checks.Outcome]string{
		checks.Fail: "failing", checks.Pass: "passing again", checks.Unknown: "unknown", checks.Broken: "in error",
	}[c.State])
	if c.Before == c.State {
		text = fmt.Sprintf("%s: %s still fails, with other rows", strings.ToUpper(string(c.Severity)), c.Name)
	}
	return text
}

// notes are the lines about a check below its headline, except its rows.
func (c *Check) notes() []string {
	var all []string
	if c.Description != "" {
		all = append(all, c.Description)
	}
	if c.Text != "" && (c.State != checks.Fail || c.Value != "") {
		all = append(all, c.Text)
	}
	var parts []string
	for _, part := range []struct{ name, value string }{{"owner", c.Owner}, {"control", c.Control}, {"see", c.Docs}} {
		if part.value != "" {
			parts = append(parts, part.name+": "+part.value)
		}
	}
	if len(parts) > 0 {
		all = append(all, strings.Join(parts, "; "))
	}
	return all
}

// rowLines lists rows, a line each, with a sign for their kind: + added, ~ changed, - removed. What the message
// does not have is counted.
func rowLines(most int, added, changed, removed Rows) []string {
	var all []string
	for _, kind := range []struct {
		sign string
		rows Rows
	}{{"+", added}, {"~", changed}, {"-", removed}} {
		n := min(len(kind.rows.Rows), most)
		for _, row := range kind.rows.Rows[:n] {
			all = append(all, kind.sign+" "+oneLine(row.line()))
		}
		if more := kind.rows.Count - int64(n); more > 0 {
			all = append(all, fmt.Sprintf("%s %d more", kind.sign, more))
		}
	}
	return all
}

// line describes a row, with what changed in it.
func (r *Row) line() string {
	text := r.Text
	var parts []string
	for _, old := range r.From {
		for _, now := range r.Values {
			if now.Name == old.Name && now.Text() != old.Text() {
				parts = append(parts, fmt.Sprintf("%s was %s", old.Name, short(old.Text(), 80)))
			}
		}
	}
	if len(parts) > 0 {
		text += " (" + strings.Join(parts, ", ") + ")"
	}
	return text
}

// counts words how many rows of a table changed.
func (t *Table) counts() string {
	return fmt.Sprintf("%d added, %d changed, %d removed", t.Added.Count, t.Changed.Count, t.Removed.Count)
}
