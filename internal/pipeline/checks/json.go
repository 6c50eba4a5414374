package checks

import (
	"encoding/json"
	"io"
	"time"
)

// The document of the format json.
type (
	jsonReport struct {
		Pipeline string       `json:"pipeline"`
		Time     string       `json:"time"`
		Passed   int          `json:"passed"`
		Failed   int          `json:"failed"`
		Unknown  int          `json:"unknown"`
		Errors   int          `json:"errors"`
		Checks   []jsonResult `json:"checks"`
	}
	jsonResult struct {
		Name        string      `json:"name"`
		State       Outcome     `json:"state"`
		Severity    Severity    `json:"severity"`
		Description string      `json:"description,omitempty"`
		Owner       string      `json:"owner,omitempty"`
		Control     string      `json:"control,omitempty"`
		Docs        string      `json:"docs,omitempty"`
		File        string      `json:"file"`
		Line        int         `json:"line"`
		Expect      Expectation `json:"expect"`
		Value       json.Number `json:"value,omitempty"`
		Rows        []jsonRow   `json:"rows"`
		More        bool        `json:"more_rows,omitempty"` // rows beyond the limits
		Gaps        []string    `json:"gaps,omitempty"`
		Error       string      `json:"error,omitempty"`
		Seconds     float64     `json:"seconds"`
	}
	jsonRow struct {
		Message string `json:"message"`
		Row     Values `json:"row"`
	}
)

func (r *Report) writeJSON(w io.Writer) error {
	doc := jsonReport{Pipeline: r.Pipeline, Time: r.At.UTC().Format(time.RFC3339), Checks: []jsonResult{}}
	for _, result := range r.Results {
		c := result.Check
		one := jsonResult{
			Name: c.Name, State: result.Outcome, Severity: c.Severity, Description: c.Description, Owner: c.Owner, Control: c.Control, Docs: c.Docs, File: r.Place(c), Line: result.line(),
			Expect: c.Expect, Value: result.Number, Rows: []jsonRow{}, More: result.More, Gaps: result.Gaps, Seconds: float64(result.Took.Milliseconds()) / 1000,
		}
		for _, row := range result.Rows {
			one.Rows = append(one.Rows, jsonRow{row.Message, row.Values})
		}
		switch result.Outcome {
		case Pass:
			doc.Passed++
		case Fail:
			doc.Failed++
		case Unknown:
			doc.Unknown++
		case Broken:
			doc.Errors++
			one.Error = result.Summary()
		}
		doc.Checks = append(doc.Checks, one)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(doc)
}
