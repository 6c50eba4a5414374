package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lakeql/lakeql/internal/engine"
	"github.com/lakeql/lakeql/internal/pipeline"
	"github.com/lakeql/lakeql/provider"
)

// Every command of pipelines names one in the same way: by its folder, or, with --store, by its name in the
// store. Earlier commands had the folder in --folder, and the name as the argument; that still works.

// namedStore opens the store of a pipeline that an argument names, and returns the pipeline's name. Without an
// argument it opens the store of --store, or of the folder in flags; the name is then empty.
func (c *command) namedStore(ctx context.Context, argument string, flags *pipelineFlags) (store *pipeline.Store, name string, err error) {
	folder, isFolder := flags.folder, argument != "" && isPipeline(argument)
	if isFolder {
		folder = argument
	}
	var d *pipeline.Definition
	if isFolder || c.store == "" {
		d, err = pipeline.LoadConfig(folder)
		switch {
		case err != nil && argument != "" && !isFolder && errors.Is(err, fs.ErrNotExist):
			return nil, "", provider.Usagef("%s is no folder of a pipeline: it has no %s", provider.Printable(argument), pipeline.ConfigFile).
				Hintf("give the folder of the pipeline, or its name and the store: --store")
		case err != nil:
			return nil, "", err
		}
	}
	if name = argument; isFolder {
		name = d.Name
	}
	if err := pipeline.StoreExists(c.storeOf(d)); err != nil {
		return nil, "", err
	}
	store, err = c.openStore(ctx, d, nil)
	return store, name, err
}

// look shows rows of the store of a pipeline, which may be empty; see namedStore.
func (c *command) look(argument string, flags *pipelineFlags, rows func(ctx context.Context, s *pipeline.Store, name string) (provider.Rows, error)) error {
	opts, err := c.renderOptions()
	if err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	store, name, err := c.namedStore(ctx, argument, flags)
	if err != nil {
		return err
	}
	defer store.Close()
	found, err := rows(ctx, store, name)
	if err != nil {
		return err
	}
	return c.show(ctx, found, opts)
}

// lookWhole is look for a command that needs all rows of some tables (none: of all tables). It notes their
// gaps. If rows of a workspace are missing, it shows nothing unless partial results were asked for.
func (c *command) lookWhole(argument string, flags *pipelineFlags, tables []string, rows func(ctx context.Context, s *pipeline.Store, tables []string) (provider.Rows, error)) error {
	onError, err := engine.ParseOnError(c.onError)
	if err != nil {
		return err
	}
	var missing []string
	err = c.look(argument, flags, func(ctx context.Context, s *pipeline.Store, name string) (provider.Rows, error) {
		tables, err := s.TablesOf(ctx, name, tables)
		if err != nil {
			return nil, err
		}
		if missing, err = noteGaps(ctx, s, tables, c.noteLine); err != nil {
			return nil, err
		}
		if len(missing) > 0 && onError == engine.Fail {
			return nil, provider.Errorf(provider.API, "the store does not have all rows of %s: what is old or missing is told above", strings.Join(missing, ", ")).
				Hintf("run the pipeline again, or go on with the rows that are there: --on-error partial")
		}
		return rows(ctx, s, tables)
	})
	if err == nil && len(missing) > 0 {
		return incomplete()
	}
	return err
}

// argumentOf is the pipeline that the first argument names, if there are as many arguments as a command has at most;
// and the other arguments. Without it, the pipeline is that of the store, or of the current folder.
func argumentOf(args []string, most int) (argument string, rest []string) {
	if len(args) < most {
		return "", args
	}
	return args[0], args[1:]
}

// needsSecond returns an error if the only argument of a command that takes a pipeline and something else is a
// pipeline, and neither --store nor the current folder is one: then the other argument is missing.
func (c *command) needsSecond(args []string, flags *pipelineFlags, second string) error {
	if len(args) != 1 || c.store != "" || isPipeline(flags.folder) || !isPipeline(args[0]) {
		return nil
	}
	return provider.Usagef("the %s is missing: %s is the pipeline", second, provider.Printable(args[0])).
		Hintf("give both: <pipeline> <%s>", second)
}

// isPipeline reports whether a folder has a pipeline.
func isPipeline(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, pipeline.ConfigFile))
	return err == nil
}

// needsFolder words the error of a command that reads the queries of a folder, and was given a name and a store.
func (c *command) needsFolder(folder string, err error) error {
	if c.store == "" || isPipeline(folder) || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if info, missing := os.Stat(folder); missing == nil && info.IsDir() {
		return err // it is meant as a folder: the error says how to make a pipeline there
	}
	return provider.Usagef("%s is no folder of a pipeline: it has no %s", provider.Printable(folder), pipeline.ConfigFile).
		Hintf("this command reads the folder; the name in a store suffices for status, test, diff, export, report, stop, forget, and schedule trigger").
		Because(err)
}

// folderFlag adds the flag of earlier versions, which still works.
func (c *command) folderFlag(cmd *cobra.Command, flags *pipelineFlags) {
	cmd.Flags().StringVarP(&flags.folder, "folder", "C", ".", "folder of the pipeline")
	_ = cmd.Flags().MarkHidden("folder") // it was just added
}
