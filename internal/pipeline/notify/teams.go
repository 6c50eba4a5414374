package notify

import "encoding/json"

// The limits of a message to Teams, which takes 28 KB with everything around the texts.
const (
	teamsTotal = 18_000 // bytes of all texts
	teamsParts = 50
)

type (
	teamsMessage struct {
		Type        string            `json:"type"`
		Attachments []teamsAttachment `json:"attachments"`
	}
	teamsAttachment struct {
		ContentType string    `json:"contentType"`
		Content     teamsCard `json:"content"`
	}
	teamsCard struct {
		Schema  string       `json:"$schema"`
		Type    string       `json:"type"`
		Version string       `json:"version"`
		Body    []teamsBlock `json:"body"`
	}
	teamsBlock struct {
		Type      string     `json:"type"`
		Separator bool       `json:"separator,omitempty"`
		Inlines   []teamsRun `json:"inlines"`
	}
	teamsRun struct {
		Type   string `json:"type"`
		Text   string `json:"text"`
		Weight string `json:"weight,omitempty"`
	}
)

// teams is the body for a workflow of Teams that posts Adaptive Cards. Its texts are runs of a RichTextBlock,
// which, unlike a TextBlock, has no Markdown.
func (m *Message) teams() ([]byte, error) {
	line := func(text string, weight string, separator bool) teamsBlock {
		return teamsBlock{"RichTextBlock", separator, []teamsRun{{"TextRun", text, weight}}}
	}
	card := teamsCard{Schema: "http://adaptivecards.io/schemas/adaptive-card.json", Type: "AdaptiveCard", Version: "1.4"}
	card.Body = append(card.Body, line(short(oneLine(m.Text), 300), "Bolder", false))
	left := teamsTotal
	for i, part := range m.parts() {
		if i == teamsParts || left < 300 {
			card.Body = append(card.Body, line("There is more: see lakeql pipeline status --checks", "", true))
			break
		}
		// Each line is a block, which takes about 90 bytes beside its text.
		size := func(text string) int { encoded, _ := json.Marshal(text); return len(encoded) + 90 }
		for j, text := range fitLines(part, left, size) {
			weight := ""
			if j == 0 {
				weight = "Bolder"
			}
			left -= size(text)
			card.Body = append(card.Body, line(text, weight, j == 0))
		}
	}
	return json.Marshal(teamsMessage{"message", []teamsAttachment{{"application/vnd.microsoft.card.adaptive", card}}})
}
