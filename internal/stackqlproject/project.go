// Package stackqlproject reads what was written for StackQL as queries of an inventory: a project of
// stackql-deploy, whose manifest names the resources and whose files have their statements, or a folder of
// files with statements. [Read] returns the queries, and what is no query with the reason. It makes no call,
// and knows no resources: whether a query is right is for others to judge.
package stackqlproject

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/lakeql/lakeql/provider"
)

// Options say how to read a folder.
type Options struct {
	// Environment selects the values of a manifest that depend on one.
	Environment string
	// Variables are values of placeholders. They go before those of the manifest.
	Variables map[string]string
	// Workspace is the placeholder for the workspace that a query runs in.
	Workspace string
	// Reserved are names that no variable may have.
	Reserved []string
}

// Project is what a folder has.
type Project struct {
	Name, Description string
	Queries           []Query
	// Variables have the values of the placeholders that the queries still have.
	Variables map[string]string
	// Workspaces are those that the queries name; nil, if a query leaves it open.
	Workspaces []string
	Left       []Left
}

// Query is one query, without its semicolon.
type Query struct {
	Name        string // of the resource or the file
	Description string
	Text        string
	Place       string // file:line
}

// Left is a statement, a resource, or a file that is not among the queries.
type Left struct{ Place, Why string }

// Manifest is the file that makes a folder a project of stackql-deploy.
const Manifest = "stackql_manifest.yml"

type manifest struct {
	Name        string     `yaml:"name"`
	Description string     `yaml:"description"`
	Globals     []property `yaml:"globals"`
	Resources   []resource `yaml:"resources"`
}

type resource struct {
	Name        string     `yaml:"name"`
	Description string     `yaml:"description"`
	File        string     `yaml:"file"`
	Type        string     `yaml:"type"`
	SQL         string     `yaml:"sql"`
	Props       []property `yaml:"props"`
}

// Read reads a folder.
func Read(ctx context.Context, folder string, opts Options) (*Project, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, provider.Usagef("read the queries: %v", err).Because(err)
	}
	defer func() { _ = root.Close() }() // it was only read
	r := &reader{root: root, opts: opts, project: &Project{Name: filepath.Base(absolute(folder)), Variables: map[string]string{}}, named: map[string]bool{}, used: map[string]bool{}}
	files, err := r.files()
	if err != nil {
		return nil, err
	}
	base := values{raw: map[string]any{}, environment: map[string][]string{}}
	m, err := r.manifest()
	if err != nil {
		return nil, err
	}
	if m == nil && len(files) == 0 {
		return nil, provider.Usagef("%s has no %s and no files .iql", provider.Printable(folder), Manifest)
	}
	if m != nil {
		base.raw["stack_name"] = m.Name
		if opts.Environment != "" {
			base.raw["stack_env"] = opts.Environment
		}
		r.project.Name, r.project.Description = cmp.Or(m.Name, r.project.Name), strings.Join(strings.Fields(m.Description), " ")
		base = r.withFlags(base.with(m.Globals, opts.Environment))
		for i := range m.Resources {
			r.resource(ctx, &m.Resources[i], base, files)
		}
		for _, file := range files {
			if !r.used[file] {
				r.leave(file, "no resource of "+Manifest+" has this file")
			}
		}
	} else {
		base = r.withFlags(base)
		for _, file := range files {
			r.file(ctx, file, strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)), "", base)
		}
	}
	if !r.open {
		r.project.Workspaces = slices.Sorted(maps.Keys(r.named))
	}
	return r.project, nil
}

// absolute is the folder by its own name.
func absolute(folder string) string {
	full, err := filepath.Abs(folder)
	if err != nil {
		return folder
	}
	return full
}

type reader struct {
	root    *os.Root
	opts    Options
	project *Project
	named   map[string]bool // workspaces that a query names
	open    bool            // a query names none
	used    map[string]bool // files of resources
}

func (r *reader) leave(place, format string, args ...any) {
	r.project.Left = append(r.project.Left, Left{place, fmt.Sprintf(format, args...)})
}

// withFlags puts the values of the command line before the others.
func (r *reader) withFlags(v values) values {
	for name, value := range r.opts.Variables {
		v.raw[name] = value
		delete(v.environment, name)
	}
	return v
}

// files lists the files with statements, outside of hidden folders.
func (r *reader) files() ([]string, error) {
	var files []string
	err := fs.WalkDir(r.root.FS(), ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && path != "." && strings.HasPrefix(e.Name(), ".") {
			return fs.SkipDir
		}
		if !e.IsDir() && strings.EqualFold(filepath.Ext(path), ".iql") {
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		return nil, provider.Usagef("read the queries: %v", err).Because(err)
	}
	return files, nil
}

// manifest reads the manifest; nil without one.
func (r *reader) manifest() (*manifest, error) {
	for _, name := range []string{Manifest, "stackql_manifest.yaml"} {
		data, err := r.root.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, provider.Usagef("read the manifest: %v", err).Because(err)
		}
		var m manifest
		if err := yaml.Unmarshal(data, &m); err != nil {
			return nil, provider.Usagef("%s: %s", name, provider.Printable(strings.TrimPrefix(err.Error(), "yaml: "))).Because(err)
		}
		return &m, nil
	}
	return nil, nil
}

// resource takes the statements of a resource of the manifest.
func (r *reader) resource(ctx context.Context, of *resource, base values, files []string) {
	v := r.withFlags(base.with(of.Props, r.opts.Environment))
	v.raw["resource_name"] = of.Name
	description := strings.Join(strings.Fields(of.Description), " ")
	if of.SQL != "" {
		r.statements(ctx, Manifest+": "+of.Name, of.Name, description, of.SQL, v)
		return
	}
	file := filepath.ToSlash(filepath.Join("resources", cmp.Or(of.File, of.Name+".iql")))
	if of.Type == "script" || of.Type == "command" && !slices.Contains(files, file) {
		r.leave(Manifest, "the resource %s is a %s, and no query", provider.Quote(of.Name), of.Type)
		return
	}
	if !slices.Contains(files, file) {
		r.leave(file, "the file of the resource %s is not there", provider.Quote(of.Name))
		return
	}
	r.used[file] = true
	r.file(ctx, file, of.Name, description, v)
}

func (r *reader) file(ctx context.Context, file, name, description string, v values) {
	text, err := r.root.ReadFile(file)
	if err != nil {
		r.leave(file, "%v", err)
		return
	}
	r.statements(ctx, file, name, description, string(text), v)
}

// statements takes the queries of a text. What a resource exports are its rows. Without exports, the rows are those
// of its tests, unless these only count.
func (r *reader) statements(ctx context.Context, file, name, description, text string, v values) {
	pieces := split(text)
	if len(pieces) == 0 {
		r.leave(file, "it has no statement")
		return
	}
	exports := slices.ContainsFunc(pieces, func(p piece) bool { return p.anchor == "exports" })
	for _, p := range pieces {
		place := fmt.Sprintf("%s:%d", file, p.line)
		isTest := p.anchor == "exists" || p.anchor == "statecheck"
		switch why := notQuery(p.text); {
		case why != "":
			r.leave(place, "%s", why)
			continue
		case isTest && onlyCounts().MatchString(p.text):
			r.leave(place, "the %s of stackql-deploy only counts, and has no rows for a table", p.anchor)
			continue
		case isTest && exports:
			r.leave(place, "the %s of stackql-deploy tests a resource; its rows come from its exports", p.anchor)
			continue
		}
		query, err := r.query(ctx, name, p.text, v)
		if err != nil {
			r.leave(place, "%v", err)
			continue
		}
		r.project.Queries = append(r.project.Queries, Query{Name: name, Description: description, Text: query, Place: place})
	}
}

var (
	onlyCounts = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?is)^SELECT\s+count\s*\(\s*[^()]*\)(?:\s+(?:AS\s+)?["\x60]?\w+["\x60]?)?\s+FROM\b`)
	})
	firstWord = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\w+`) })
)

// notQuery says why a statement is no query; empty if it is one.
func notQuery(text string) string {
	if strings.Contains(text, "{%") {
		return "Jinja's blocks {% … %} are not supported"
	}
	switch word := strings.ToUpper(firstWord().FindString(text)); word {
	case "SELECT", "WITH", "VALUES":
		return ""
	case "INSERT", "UPDATE", "DELETE", "REPLACE", "EXEC":
		return word + " writes, and a pipeline only reads"
	case "CREATE", "DROP", "ALTER", "REFRESH", "TRUNCATE":
		return word + " defines tables or views, which a pipeline's own tables replace"
	case "":
		return "it does not begin with a word of SQL"
	default:
		return word + " is no query, and a table is made by a SELECT"
	}
}

var (
	// ownWorkspace matches a condition on the workspace: one name, or a list.
	ownWorkspace = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?is)\bdeployment_name\s*(?:=\s*'((?:[^'{}]|\{\{.*?\}\})*)'|IN\s*\(((?:\s*'[^'{}]*'\s*,?)+)\))`)
	})
	anyWorkspace = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)\bdeployment_name\s*(?:=|<|>|!|IN\b|LIKE\b|NOT\b)`)
	})
	oneText = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`'([^']*)'`) })
)

// query makes a query of a pipeline from a statement: it names the workspace that it runs in, and variables that
// the project has values of.
func (r *reader) query(ctx context.Context, name, text string, v values) (string, error) {
	const mark = "\x00"
	var named []string
	text = ownWorkspace().ReplaceAllStringFunc(text, func(condition string) string {
		found := ownWorkspace().FindStringSubmatch(condition)
		if found[2] != "" {
			for _, one := range oneText().FindAllStringSubmatch(found[2], -1) {
				named = append(named, one[1])
			}
		} else if workspace, err := v.fill(ctx, found[1], 0); err == nil && workspace != "" {
			named = append(named, workspace)
		}
		return mark
	})
	if anyWorkspace().MatchString(text) {
		return "", errors.New("it compares deployment_name with more than names; a pipeline runs each query in each workspace")
	}
	variables := map[string]string{}
	text, err := replaced(text, func(p string) (string, error) {
		plain := plainName().FindStringSubmatch(p)
		if plain == nil {
			return v.computed(ctx, p, 0)
		}
		if "{{ "+plain[1]+" }}" == r.opts.Workspace {
			return r.opts.Workspace, nil
		}
		value, err := v.lookup(ctx, plain[1], 0)
		if err != nil {
			return "", err
		}
		variable := r.variable(name, plain[1], written(value))
		variables[variable] = written(value)
		return "{{ " + variable + " }}", nil
	})
	if err != nil {
		return "", err
	}
	maps.Copy(r.project.Variables, variables)
	r.open = r.open || len(named) == 0
	for _, workspace := range named {
		r.named[workspace] = true
	}
	return strings.ReplaceAll(text, mark, "deployment_name = '"+r.opts.Workspace+"'"), nil
}

// variable is the name of a variable with a value: its own, or with the resource's before it, if another resource
// has another value of this name.
func (r *reader) variable(resource, name, value string) string {
	free := func(name string) bool {
		other, taken := r.project.Variables[name]
		return (!taken || other == value) && !slices.Contains(r.opts.Reserved, name)
	}
	made := name
	for i := 1; !free(made); i++ {
		made = regexp.MustCompile(`\W+`).ReplaceAllString(resource, "_") + "_" + name
		if i > 1 {
			made += fmt.Sprintf("_%d", i)
		}
		if made[0] >= '0' && made[0] <= '9' {
			made = "_" + made
		}
	}
	return made
}
