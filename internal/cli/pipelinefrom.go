package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lakeql/lakeql/internal/pipeline"
	"github.com/lakeql/lakeql/internal/stackqlproject"
	"github.com/lakeql/lakeql/provider"
)

// fromFlags are the flags of pipeline init for a pipeline from queries that are there already.
type fromFlags struct {
	stackql, environment string
	vars                 []string
}

func (c *command) fromFlags(cmd *cobra.Command, flags *fromFlags) {
	f := cmd.Flags()
	f.StringVar(&flags.stackql, "from-stackql", "", "make the pipeline from a project of stackql-deploy, or from a folder of .iql files")
	f.StringVar(&flags.environment, "environment", "", "with --from-stackql: environment of stackql-deploy whose values to take")
	f.StringArrayVar(&flags.vars, "var", nil, "with --from-stackql: name=value, the value of a placeholder; repeatable")
}

// initFrom makes a pipeline from the queries of a folder. It names what it leaves out, and then returns an error.
func (c *command) initFrom(folder string, flags *fromFlags) error {
	ctx, stop := interruptible()
	defer stop()
	variables := map[string]string{}
	for _, v := range flags.vars {
		name, value, ok := strings.Cut(v, "=")
		if !ok || !isName(name) {
			return provider.Usagef("a --var is not name=value").Hintf("a name is letters, digits and _")
		}
		variables[name] = value
	}
	asker, err := c.askers()
	if err != nil {
		return err
	}
	defer asker.connection.close()
	project, err := stackqlproject.Read(ctx, flags.stackql, stackqlproject.Options{
		Environment: flags.environment, Variables: variables,
		Workspace: pipeline.WorkspacePlaceholder, Reserved: pipeline.ReservedNames(),
	})
	if err != nil {
		return err
	}
	d := pipeline.NewDefinition(project.Name, project.Description, project.Workspaces, project.Variables)
	left := project.Left
	leave := func(place string, err error) {
		left = append(left, stackqlproject.Left{Place: place, Why: onOneLine(err)})
	}
	for _, name := range d.Workspaces.Names {
		if err := asker.CheckWorkspace(name); err != nil {
			return provider.Change(err, func(e *provider.Error) { e.Message = "a query names the workspace " + name + ": " + e.Message })
		}
	}
	var guessed []string
	for _, q := range project.Queries {
		t, types, err := c.sketch(ctx, asker, d, q)
		if err != nil {
			leave(q.Place, err)
			continue
		}
		for _, column := range types {
			guessed = append(guessed, t.Name+"."+column)
		}
		d.Tables = append(d.Tables, *t)
	}
	for _, l := range left {
		c.note("%s: left out: %s", provider.Printable(l.Place), provider.Printable(l.Why))
	}
	if len(d.Tables) == 0 {
		return provider.Usagef("%s has no query that a pipeline can run: what was left out is told above", provider.Printable(flags.stackql))
	}
	d.DropVariables()
	made, err := pipeline.Create(folder, d)
	if err != nil {
		return err
	}
	c.note("made %d files in %s", len(made), folder)
	c.note("the keys of the tables follow the names of their columns: read the first lines of each file before the first run")
	if len(guessed) > 0 {
		c.note("so do the types of computed columns: %s", strings.Join(guessed, ", "))
	}
	if err := c.verify(ctx, asker, folder); err != nil {
		return err
	}
	c.note("see what they ask: lakeql pipeline check %s; then: lakeql pipeline run %s", folder, folder)
	if len(left) > 0 {
		return provider.Errorf(provider.Partial, "the pipeline is not complete: what was left out is told above")
	}
	return nil
}

// sketch makes a table of a query, as it would be checked in the pipeline.
func (c *command) sketch(ctx context.Context, asker *asker, d *pipeline.Definition, q stackqlproject.Query) (*pipeline.Table, []string, error) {
	query, err := d.Probe(ctx, &pipeline.Table{Query: q.Text})
	if err != nil {
		return nil, nil, err
	}
	columns, err := asker.Columns(ctx, query)
	if err != nil {
		return nil, nil, err
	}
	return d.Sketch(q.Name, q.Description, q.Text, columns)
}

// verify checks the pipeline as pipeline check does.
func (c *command) verify(ctx context.Context, asker *asker, folder string) error {
	d, err := pipeline.Load(ctx, folder)
	if err == nil {
		err = pipeline.Check(ctx, d, asker)
	}
	return c.reportEach(err)
}

// onOneLine is an error with its hint, on one line.
func onOneLine(err error) string {
	text := err.Error()
	if ours, ok := errors.AsType[*provider.Error](err); ok {
		text = ours.Message
	}
	if hint := provider.HintOf(err); hint != "" {
		text += " (" + hint + ")"
	}
	return strings.Join(strings.Fields(text), " ")
}
