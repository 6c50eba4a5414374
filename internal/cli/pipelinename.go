package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

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

// isPipeline reports whether a folder has a pipeline.
func isPipeline(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, pipeline.ConfigFile))
	return err == nil
}

// folderFlag adds the flag of earlier versions, which still works.
func (c *command) folderFlag(cmd *cobra.Command, flags *pipelineFlags) {
	cmd.Flags().StringVarP(&flags.folder, "folder", "C", ".", "folder of the pipeline")
	_ = cmd.Flags().MarkHidden("folder") // it was just added
}
