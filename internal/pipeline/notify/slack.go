package notify

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/lakeql/lakeql/internal/pipeline/checks"
)

// The limits of Slack's Block Kit: blocks of a message, and characters of a header and of a section. A message
// of all blocks at their largest is refused, so all sections together have a limit, too.
const (
	slackBlocks  = 50
	slackHeader  = 150
	slackSection = 3000
	slackTotal   = 12_000
)

type (
	slackMessage struct {
		Text   string       `json:"text"` // of notifications, and for readers without blocks
		Blocks []slackBlock `json:"blocks"`
	}
	slackBlock struct {
		Type string     `json:"type"`
		Text *slackText `json:"text,omitempty"`
	}
	slackText struct {
		Type  string `json:"type"` // plain_text has no formatting, links, or mentions
		Text  string `json:"text"`
		Emoji bool   `json:"emoji"` // whether :smile: becomes a picture
	}
)

// slack is the body for an incoming webhook of Slack. All texts are plain_text.
func (m *Message) slack() ([]byte, error) {
	plain := func(text string) *slackText { return &slackText{Type: "plain_text", Text: text} }
	made := slackMessage{
		Text:   short(slackEscape(oneLine(m.Text)), slackSection),
		Blocks: []slackBlock{{"header", plain(short(oneLine(m.Text), slackHeader))}},
	}
	left := slackTotal
	for _, part := range m.parts() {
		if len(made.Blocks) == slackBlocks-1 || left < 200 {
			made.Blocks = append(made.Blocks, slackBlock{"section", plain("There is more: see lakeql pipeline status --checks")})
			break
		}
		lines := fitLines(part, min(slackSection, left), func(line string) int { return utf8.RuneCountInString(slackEscape(line)) })
		text := slackEscape(strings.Join(lines, "\n"))
		left -= utf8.RuneCountInString(text)
		made.Blocks = append(made.Blocks, slackBlock{"section", plain(text)})
	}
	return json.Marshal(made)
}

// slackEscape escapes the three characters with which Slack writes links and mentions, as <!channel>.
func slackEscape(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

// mostListed is how many rows of each kind a message for people lists.
const mostListed = 10

// parts are the lines about each check and table.
func (m *Message) parts() [][]string {
	var all [][]string
	add := func(lines []string) {
		for i := range lines {
			lines[i] = short(oneLine(lines[i]), 500)
		}
		all = append(all, lines)
	}
	for i := range m.Checks {
		c := &m.Checks[i]
		lines := append([]string{c.headline()}, c.notes()...)
		if c.Value == "" || c.State == checks.Pass {
			lines = append(lines, rowLines(mostListed, c.Added, c.Changed, c.Removed)...)
		}
		add(lines)
	}
	for i := range m.Tables {
		t := &m.Tables[i]
		lines := []string{"The table " + t.Name + " changed: " + t.counts()}
		add(append(lines, rowLines(mostListed, t.Added, t.Changed, t.Removed)...))
	}
	if m.Omitted > 0 {
		add([]string{plural(m.Omitted, "more change") + ": see lakeql pipeline status --checks"})
	}
	return all
}
