package cli

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/lakeql/lakeql/internal/connect"
	"github.com/lakeql/lakeql/internal/pipeline"
	"github.com/lakeql/lakeql/internal/pipeline/checks"
	"github.com/lakeql/lakeql/internal/pipeline/notify"
	"github.com/lakeql/lakeql/provider"
)

// noNotifications is the value of --notify that allows no kind.
const noNotifications = "none"

// alerts prepares the checks and notifications of a worker. own is the pipeline of a folder, whose files and
// commands are those of the person who runs it; nil: none. kinds are those that others in the store may have;
// none: webhooks.
func (c *command) alerts(ctx context.Context, store *pipeline.Store, own *pipeline.Definition, asker *asker, kinds []string) (*pipeline.Alerts, func(), error) {
	for _, kind := range kinds {
		if kind != noNotifications && !slices.Contains(notify.Kinds(), kind) {
			return nil, nil, provider.Usagef("--notify %s is none of webhook, file, command and none", provider.Quote(kind))
		}
	}
	network, err := c.network.options()
	if err != nil {
		return nil, nil, err
	}
	reader, closeReader, err := c.checkReader(ctx, store, c.storeOf(own), asker)
	if err != nil {
		return nil, nil, err
	}
	client := &http.Client{Transport: connect.Transport(network)}
	sender := notify.Sender{HTTP: client, UserAgent: "lakeql/" + versionNumber(), Kinds: kinds}
	a := &pipeline.Alerts{Reader: reader, Sender: sender, Own: own}
	if own != nil {
		a.OwnSender = sender
		a.OwnSender.Kinds, a.OwnSender.Folder = notify.Kinds(), own.Folder
	}
	return a, func() { closeReader(); client.CloseIdleConnections() }, nil
}

// alertResult notes the checks of a run that do not pass and the notifications that were not delivered.
// result is that of the run itself, which comes first.
func (c *command) alertResult(ctx context.Context, store *pipeline.Store, p *pipeline.Progress, failOn checks.Severity, result error) error {
	outcomes, err := store.CheckOutcomes(ctx, p.Run.ID)
	if err != nil {
		return cmp.Or(result, err)
	}
	report := &checks.Report{FailOn: failOn}
	passed := 0
	var unknown []string
	for _, o := range outcomes {
		if o.Outcome == checks.Unknown {
			unknown = append(unknown, o.Name)
		}
	}
	for _, o := range outcomes {
		report.Results = append(report.Results, &checks.Result{Check: &checks.Check{Name: o.Name, Severity: o.Severity}, Outcome: o.Outcome})
		if o.Outcome == checks.Pass {
			passed++
			continue
		}
		if o.Outcome == checks.Unknown && len(unknown) > 1 {
			continue // one line is for all of them, which one failed workspace may be the reason of
		}
		c.note("check %s (%s): %s: %s", o.Name, o.Severity, o.Outcome, provider.Printable(o.Message))
	}
	if len(unknown) > 1 {
		c.note("%d checks are unknown, because rows that they read are old or missing: %s; lakeql pipeline status --checks has their reasons", len(unknown), firstNames(unknown))
	}
	if len(outcomes) > 0 {
		c.note("%d of %d checks passed", passed, len(outcomes))
	}
	undelivered, err := store.Undelivered(ctx, p.Run.Pipeline)
	if err != nil {
		return cmp.Or(result, err)
	}
	var names []string
	for _, u := range undelivered {
		names = append(names, u.Target)
		c.note("notification %s was not delivered, and is sent again after the next run: %s", u.Target, provider.Printable(u.Error))
	}
	switch failed := report.Error(); {
	case result != nil:
		return result
	case failed != nil:
		return failed
	case len(names) > 0:
		return provider.Errorf(provider.Network, "notifications were not delivered: %s", strings.Join(names, ", "))
	}
	return nil
}
