package registry

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/stackql/any-sdk/public/formulation"

	"github.com/lakeql/lakeql/provider"
)

// judge loads a bundle with StackQL's own library, as StackQL does: every service, resource, method and view.
// It lists everything that the library refuses, methods of SELECT without columns, and methods of EXEC that
// would crash StackQL with a nil pointer.
func judge(b *bundle, catalogue *provider.Catalogue) error {
	root, err := os.MkdirTemp("", "registry")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(root) }() // a folder that stays behind does no harm
	folder := filepath.Join(root, b.provider, b.version)
	if err := writeFiles(folder, b.files); err != nil {
		return err
	}
	var faults []error
	j := &judged{catalogue: catalogue}
	for _, f := range b.files {
		name, ok := strings.CutPrefix(f.name, "services/")
		if !ok {
			if j.provider, err = formulation.LoadProviderDocFromBytes(f.data); err != nil {
				return fmt.Errorf("%s: %w", f.name, err)
			}
			continue
		}
		if j.service, err = formulation.LoadProviderAndServiceFromPaths(filepath.Join(folder, "provider.yaml"), filepath.Join(folder, filepath.FromSlash(f.name))); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", f.name, err))
			continue
		}
		info, err := catalogue.Service(b.provider, strings.TrimSuffix(name, ".yaml"))
		if err != nil {
			return err
		}
		faults = append(faults, j.judgeService(info))
	}
	return errors.Join(faults...)
}

// judged is a service as any-sdk has loaded it.
type judged struct {
	catalogue *provider.Catalogue
	provider  formulation.Provider
	service   formulation.Service
}

func (j *judged) judgeService(info *provider.Service) error {
	var faults []error
	for _, listed := range info.Resources {
		r, err := j.catalogue.Resource(info.Provider, info.Name, listed.Name)
		if err != nil {
			return err
		}
		loaded, err := j.service.GetResource(r.Name)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", r.FullName(), err))
			continue
		}
		for _, m := range r.Methods {
			if err := j.judgeMethod(m, loaded); err != nil {
				faults = append(faults, fmt.Errorf("%s: %w", m.FullName(), err))
			}
		}
		if r.View == nil {
			continue
		}
		for _, d := range r.View.Definitions {
			if views, ok := loaded.GetViewsForSqlDialect(d.Dialect); !ok || len(views) != 1 {
				faults = append(faults, fmt.Errorf("%s: %d views in %s, not one", r.FullName(), len(views), d.Dialect))
			}
		}
	}
	return errors.Join(faults...)
}

func (j *judged) judgeMethod(m *provider.Method, loaded formulation.Resource) error {
	store, err := loaded.FindMethod(m.Name)
	if err != nil {
		return err
	}
	switch m.SQLVerb {
	case provider.Select:
		schema, _, err := store.GetSelectSchemaAndObjectPath()
		if err != nil {
			return err
		}
		if len(schema.ToDescriptionMap(true)) == 0 {
			return errors.New("its rows have no columns")
		}
		return nil
	case provider.Exec:
		return execColumns(j.provider, j.service, loaded, store)
	default:
		return nil
	}
}

// execColumns looks for the schema of each column that StackQL selects after an EXEC.
func execColumns(p formulation.Provider, s formulation.Service, r formulation.Resource, m formulation.StandardOperationStore) error {
	if m.IsNullary() {
		return nil
	}
	schema, _, err := m.GetResponseBodySchemaAndMediaType()
	if err != nil {
		return err
	}
	formulator := formulation.NewAddressSpaceFormulator(formulation.NewAddressSpaceGrammar(), p, s, r, m, m.GetProjections(), false)
	if err := formulator.Formulate(); err != nil {
		return err
	}
	relation, err := formulator.GetAddressSpace().ToRelation(formulation.NewStandardAddressSpaceExpansionConfig(false, true, false))
	if err != nil {
		return err
	}
	for _, column := range relation.GetColumns() {
		if found := schema.FindByPath(column.GetName(), nil); found == nil || reflect.ValueOf(found).IsNil() || found.IsEmpty() {
			return fmt.Errorf("the column %s has no schema, and StackQL ends with a nil pointer", column.GetName())
		}
	}
	return nil
}
