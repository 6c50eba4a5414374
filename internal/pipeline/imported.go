package pipeline

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/lakeql/lakeql/provider"
)

// WorkspacePlaceholder stands in a query for the workspace that it runs in.
const WorkspacePlaceholder = "{{ " + deploymentName + " }}"

// ReservedNames are the names that no variable of a pipeline may have.
func ReservedNames() []string { return taken() }

// NewDefinition makes a pipeline without tables. Its name, and the names of workspaces, become valid ones.
func NewDefinition(name, description string, workspaces []string, variables map[string]string) *Definition {
	d := &Definition{Name: identifier(name, "pipeline"), Description: description, Workspaces: Workspaces{Names: workspaces}, Variables: variables}
	if len(workspaces) == 0 {
		d.Workspaces = Workspaces{All: true}
	}
	return d
}

// identifier makes a text a name of a pipeline or a table: small letters, digits and single _.
func identifier(text, otherwise string) string {
	made := strings.Trim(regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(text), "_"), "_")
	if made != "" && (made[0] < 'a' || made[0] > 'z') {
		made = otherwise + "_" + made
	}
	return strings.TrimRight(cmp.Or(made, otherwise)[:min(len(cmp.Or(made, otherwise)), longestIdentifier)], "_")
}

// longestIdentifier leaves room for words and a number around it.
const longestIdentifier = 30

// Sketch makes a table of a query whose columns are known. It gives the table a name that the pipeline does not
// have, and chooses the key and the types that the documents do not have by the names of the columns. guessed are
// the columns whose types it chose.
func (d *Definition) Sketch(name, description, query string, columns []provider.Column) (t *Table, guessed []string, err error) {
	t = &Table{Name: d.freeTable(name), Description: description, Query: query, Types: map[string]Type{}}
	t.File = t.Name + ".sql"
	for _, c := range columns {
		if _, ok := typeOf(c); !ok && !strings.EqualFold(c.Name, deploymentName) {
			t.Types[c.Name] = typeByName(c.Name)
			guessed = append(guessed, c.Name)
		}
	}
	if err := t.resolve(columns); err != nil {
		return nil, nil, err
	}
	if len(t.Columns) == 0 {
		return nil, nil, provider.Usagef("the query has no column but the workspace")
	}
	t.Key = likelyKey(t)
	return t, guessed, nil
}

// freeTable makes a text the name of a table that the pipeline does not have.
func (d *Definition) freeTable(text string) string {
	base := identifier(text, "table")
	for _, made := range []string{base, base + "_rows", "of_" + base, "of_" + base + "_rows"} {
		if (&Table{}).say("table", made) == nil { // not …_history, nor lakeql_…
			base = made
			break
		}
	}
	made := base
	for i := 2; d.table(made) != nil; i++ {
		made = fmt.Sprintf("%s_%d", base, i)
	}
	return made
}

// typeByName is the likely type of a computed column.
func typeByName(name string) Type {
	lower := strings.ToLower(name)
	switch {
	case lower == "n" || lower == "count" || lower == "total" || strings.HasSuffix(lower, "_count") || strings.HasPrefix(lower, "num_") || strings.HasPrefix(lower, "count("):
		return Integer
	case strings.HasPrefix(lower, "is_") || strings.HasPrefix(lower, "has_"):
		return Boolean
	}
	return Text
}

// likelyKey chooses the columns that tell the rows of a table apart.
func likelyKey(t *Table) []string {
	among := func(fits func(c Column) bool) []string {
		var found []string
		for _, c := range t.Columns {
			if c.Type != JSON && fits(c) {
				found = append(found, c.Name)
			}
		}
		return found
	}
	joins := regexp.MustCompile(`(?i)\bJOIN\b|\bGROUP\s+BY\b|\bUNION\b|\bjson_each\b`).MatchString(t.Query)
	identifies := func(c Column) bool {
		lower := strings.ToLower(c.Name)
		return slices.Contains([]string{"id", "uid", "name", "full_name", "path", "key"}, lower) || strings.HasSuffix(lower, "_id") || strings.HasSuffix(lower, "_name")
	}
	if !joins {
		for _, name := range []string{strings.TrimSuffix(t.Name, "s") + "_id", "id", "uid", "full_name", "name"} {
			if found := among(func(c Column) bool { return strings.EqualFold(c.Name, name) }); found != nil {
				return found
			}
		}
	}
	if found := among(identifies); found != nil {
		return found
	}
	if found := among(func(Column) bool { return true }); found != nil {
		return found
	}
	return []string{t.Columns[0].Name}
}

// DropVariables forgets the variables that no table uses.
func (d *Definition) DropVariables() {
	used := func(name string) bool {
		return slices.ContainsFunc(d.Tables, func(t Table) bool { return strings.Contains(t.Query, "{{ "+name+" }}") })
	}
	maps.DeleteFunc(d.Variables, func(name, _ string) bool { return !used(name) })
}

// Create makes a folder with a pipeline: its pipeline.yaml, with the settings of a new one, and an SQL file for
// each table. It returns the files that it made. If one of them already exists, it makes none.
func Create(folder string, d *Definition) ([]string, error) {
	config, err := d.config()
	if err != nil {
		return nil, err
	}
	files := map[string]string{ConfigFile: config}
	for i := range d.Tables {
		files[d.Tables[i].File] = d.Tables[i].file()
	}
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // SQL files, for everybody to read
		return nil, provider.Usagef("make the folder: %v", err).Because(err)
	}
	for _, name := range append([]string{ConfigFile}, slices.Sorted(maps.Keys(files))...) {
		if _, err := os.Lstat(filepath.Join(folder, name)); !errors.Is(err, fs.ErrNotExist) {
			return nil, provider.Usagef("%s is there already, and nothing was made", provider.Printable(filepath.Join(folder, name)))
		}
	}
	var made []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(files[name]), 0o644); err != nil { //nolint:gosec // SQL files, for everybody to read
			return made, provider.Usagef("make the pipeline: %v", err).Because(err)
		}
		made = append(made, path)
	}
	return made, nil
}

// config is pipeline.yaml as Init makes it, with the name, the workspaces, and the variables of this one.
func (d *Definition) config() (string, error) {
	text, err := fs.ReadFile(templateFiles, "template/"+ConfigFile)
	if err != nil {
		return "", provider.Internalf("read the template: %v", err).Because(err)
	}
	setting := func(key string, value any) (string, error) {
		data, err := yaml.Marshal(map[string]any{key: value})
		if err != nil {
			return "", provider.Internalf("write %s: %v", ConfigFile, err).Because(err)
		}
		return strings.TrimRight(string(data), "\n"), nil
	}
	name := "name: " + d.Name
	if d.Description != "" {
		described, err := setting("description", d.Description)
		if err != nil {
			return "", err
		}
		name += "\n" + described
	}
	workspaces := "workspaces: all"
	if len(d.Workspaces.Names) > 0 {
		if workspaces, err = setting("workspaces", d.Workspaces.Names); err != nil {
			return "", err
		}
	}
	variables := "variables: {}"
	if len(d.Variables) > 0 {
		if variables, err = setting("variables", d.Variables); err != nil {
			return "", err
		}
	}
	settings, _, ok := strings.Cut(string(text), "\nvariables:\n")
	if !ok {
		return "", provider.Internalf("the template has no variables")
	}
	for _, change := range [][2]string{{"\nname: inventory\n", "\n" + name + "\n"}, {"\nworkspaces: all\n", "\n" + workspaces + "\n"}, {"\nstore: inventory.db\n", "\nstore: " + d.Name + ".db\n"}} {
		if strings.Count(settings, change[0]) != 1 {
			return "", provider.Internalf("the template has no line %s", strings.TrimSpace(change[0]))
		}
		settings = strings.Replace(settings, change[0], change[1], 1)
	}
	return strings.Replace(settings, "{{ .token_days }}", "{{ name }}", 1) + "\n" + variables + "\n", nil
}

// file is the SQL file of a table.
func (t *Table) file() string {
	var b strings.Builder
	fmt.Fprintf(&b, "-- table: %s\n", t.Name)
	if t.Description != "" {
		fmt.Fprintf(&b, "-- description: %s\n", t.Description)
	}
	fmt.Fprintf(&b, "-- key: %s\n", strings.Join(t.Key, ", "))
	for _, name := range slices.Sorted(maps.Keys(t.Types)) {
		fmt.Fprintf(&b, "-- types: %s %s\n", name, t.Types[name])
	}
	return b.String() + t.Query + "\n"
}
