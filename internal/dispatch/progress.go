package dispatch

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lakeql/lakeql/provider"
)

// Progress describes the progress of work that Await waits for. Its texts are safe for a terminal.
type Progress struct {
	Method  *provider.Method // what was called
	What    string           // what is waited for: "operation projects/p/operations/o", "cluster_id 1"
	State   string           // of an operation one of [InProgress], [Done] and [Failed], else what the API says
	Message string           // the API's; often empty
	Elapsed time.Duration    // since the call was sent
}

// The states of an operation.
const (
	InProgress = "in progress"
	Done       = "done"
	Failed     = "failed"
)

// quiet is the longest time without a message while the work continues.
const quiet = 10 * time.Second

// tell passes on a state, where it is another than before.
func (w *waiting) tell(state, message string) {
	w.client.sent.add(w.client.secrets(w.req)...)
	hide := w.client.sent.hide().Text
	now := Progress{
		Method:  w.req.call.Method,
		What:    hide(w.what()),
		State:   provider.Printable(shorten(hide(state), 100)),
		Message: provider.Printable(shorten(hide(strings.TrimSpace(message)), 2000)),
		Elapsed: w.elapsed,
	}
	if w.told.Method == nil || w.told.State != now.State || w.told.Message != now.Message {
		w.report(now)
	}
}

func (w *waiting) report(now Progress) {
	w.told = now
	if w.client.OnProgress != nil {
		w.client.OnProgress(now)
	}
}

// what names the awaited object, safe for a terminal.
func (w *waiting) what() string {
	if w.wait.Kind == provider.ForOperation {
		name := "operation"
		if given := scalar(w.began["name"]); given != nil {
			name += " " + provider.Printable(shorten(plain(given), textLimit))
		}
		return name
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(w.args)) {
		parts = append(parts, name+" "+provider.Printable(shorten(plain(w.args[name]), textLimit)))
	}
	return strings.Join(parts, ", ")
}

// stopped words that the waiting ends before the work does, and how to look at it.
func (w *waiting) stopped(err error) error {
	return w.explain(err, func(message string) string {
		return message + ", but the work that it began goes on in " + w.place()
	})
}

// unknown words that it cannot be told how far the work has come.
func (w *waiting) unknown(err error) error {
	return w.explain(err, func(message string) string {
		return fmt.Sprintf("%s began its work, which may go on in %s, but how far that has come cannot be told: %s", w.req.call.Method.FullName(), w.place(), message)
	})
}

// explain copies an error with another message, and a hint at how to look at the work.
func (w *waiting) explain(err error, reword func(string) string) error {
	told := provider.Copy(err, provider.Internal)
	told.Message = reword(told.Message)
	if w.poll != nil {
		look := "look at it with " + w.statement()
		if told.Hint != "" {
			look = told.Hint + "; " + look
		}
		told.Hint = look
	}
	return told
}

// place is where the work is done.
func (w *waiting) place() string {
	if len(w.method.ServerVariables()) == 0 {
		return "the account"
	}
	return "the workspace"
}

// statement is the poll as a person would write it.
func (w *waiting) statement() string {
	var params []string
	write := func(name string, value any) {
		text := plain(value)
		if _, isNumber := value.(json.Number); !isNumber {
			text = "'" + strings.ReplaceAll(provider.Printable(text), "'", "''") + "'"
		}
		params = append(params, fmt.Sprintf("@%s = %s", name, text))
	}
	for i := range w.method.Params {
		if value, ok := w.poll.call.Args[w.method.Params[i].Name]; ok {
			write(w.method.Params[i].Name, value)
		}
	}
	if variables := w.method.ServerVariables(); len(variables) > 0 && w.req.call.Deployment != "" {
		write(variables[0].Name, w.req.call.Deployment)
	}
	return strings.TrimSpace("EXEC " + w.method.FullName() + " " + strings.Join(params, ", "))
}
