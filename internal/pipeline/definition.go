package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/robfig/cron/v3"

	"github.com/lakeql/lakeql/internal/pipeline/checks"
	"github.com/lakeql/lakeql/internal/pipeline/notify"
	"github.com/lakeql/lakeql/internal/template"
	"github.com/lakeql/lakeql/provider"
)

// ConfigFile is the name of the file that makes a folder a pipeline.
const ConfigFile = "pipeline.yaml"

// Definition is a pipeline as it is written down. It is kept in the store with each run, so that workers
// on other machines need nothing but the store.
type Definition struct {
	Name        string            `json:"name"`
	Description string            `json:"description,omitempty"`
	Workspaces  Workspaces        `json:"workspaces"`
	Schedule    string            `json:"schedule,omitempty"` // cron syntax; empty: none
	Timezone    string            `json:"timezone,omitempty"` // of the schedule; empty: UTC
	Concurrency int               `json:"concurrency"`        // queries at once a worker
	Rate        float64           `json:"rate,omitempty"`     // calls a second to one workspace; 0: no limit
	Retention   time.Duration     `json:"retention"`          // of history; 0: for ever
	OnError     OnError           `json:"on_error"`
	Attempts    int               `json:"attempts"` // of a query that fails in a way that may pass
	Variables   map[string]string `json:"variables,omitempty"`
	// The limits of one query in one workspace. They are 0 unless they are set, for the defaults.
	QueryTimeout time.Duration `json:"query_timeout,omitempty"` // how long it may take; below 0: no limit
	QuerySize    int           `json:"query_size,omitempty"`    // bytes of its text, with the variables filled in
	QueryRows    int64         `json:"query_rows,omitempty"`    // rows of its answer
	Tables       []Table       `json:"tables"`
	// Checks run after each run of the tables.
	Checks []checks.Check `json:"checks,omitempty"`
	// CheckTimeout is how long the query of a check may take. 0: checks.DefaultTime.
	CheckTimeout time.Duration `json:"check_timeout,omitempty"`
	// Notify are the targets of notifications.
	Notify []notify.Target `json:"notify,omitempty"`

	// Store is the store for the folder's rows. A run does not need it, and it may hold a password.
	Store string `json:"-"`
	// Folder is where it was read from; empty: from a store.
	Folder string `json:"-"`
	// Adopt lets it take the place of a pipeline of its name that another folder has in a store.
	Adopt bool `json:"-"`
}

// OnError decides about a run after a permanent error of a query.
type OnError string

// The possible decisions about a run.
const (
	// Continue goes on with the other queries.
	Continue OnError = "continue"
	// Stop ends the run: queries that have not started are not sent.
	Stop OnError = "stop"
)

// Workspaces says which workspaces a pipeline is about: one of its fields is set.
type Workspaces struct {
	All   bool     `json:"all,omitempty"`   // what the account lists
	Names []string `json:"names,omitempty"` // deployment names
	Query string   `json:"query,omitempty"` // its first column gives deployment names
}

// allWorkspaces is the query for all that the account lists.
const allWorkspaces = "SELECT deployment_name, workspace_name FROM databricks_account.provisioning.workspaces"

// Defaults for settings that a pipeline does not have.
const (
	defaultConcurrency = 64
	MaxConcurrency     = 1000
	defaultAttempts    = 6
	maxAttempts        = 20
	defaultRetention   = 90 * 24 * time.Hour

	defaultQueryTimeout = time.Hour
	defaultQuerySize    = template.DefaultSize
	defaultQueryRows    = 10_000_000
)

// names matches valid names of pipelines and tables.
var names = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[a-z][a-z0-9_]{0,40}$`)
})

// LoadConfig reads pipeline.yaml of a folder, and none of its queries.
func LoadConfig(folder string) (*Definition, error) {
	path := filepath.Join(folder, ConfigFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		if _, missing := os.Stat(folder); errors.Is(missing, os.ErrNotExist) {
			return nil, provider.Usagef("there is no folder %s", provider.Printable(folder)).
				Hintf("give the folder of a pipeline, or make one with lakeql pipeline init %s", provider.Printable(folder)).
				Because(err)
		}
		return nil, provider.Usagef("%s is no pipeline: it has no %s", provider.Printable(folder), ConfigFile).
			Hintf("give the folder of a pipeline, or make one with lakeql pipeline init %s", provider.Printable(folder)).
			Because(err)
	}
	if err != nil {
		return nil, provider.Usagef("read the pipeline: %v", err).Because(err)
	}
	d, err := parseConfig(data)
	if err != nil {
		return nil, inFile(path, err)
	}
	d.Folder = folder
	return d, nil
}

// Load reads the pipeline of a folder.
func Load(ctx context.Context, folder string) (*Definition, error) {
	d, err := LoadConfig(folder)
	if err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(escapeGlob(folder), "*.sql"))
	if err != nil {
		return nil, provider.Usagef("read the pipeline: %v", err).Because(err)
	}
	if len(files) == 0 {
		return nil, provider.Usagef("the pipeline %s has no SQL files: each makes one table", provider.Printable(folder))
	}
	slices.Sort(files)
	of := map[string]string{}
	for _, file := range files {
		text, err := readText(file)
		if err != nil {
			return nil, err
		}
		t, err := d.parseTable(ctx, text)
		if err != nil {
			return nil, inFile(file, err)
		}
		if other, taken := of[t.Name]; taken {
			return nil, inFile(file, provider.Usagef("the table %s is that of %s too", t.Name, filepath.Base(other)))
		}
		of[t.Name] = file
		t.File = filepath.Base(file)
		d.Tables = append(d.Tables, *t)
	}
	if err := d.checkNotify(); err != nil {
		return nil, inFile(filepath.Join(folder, ConfigFile), err)
	}
	return d, d.loadChecks(ctx)
}

// readText reads an SQL file.
func readText(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", provider.Usagef("read the pipeline: %v", err).Because(err)
	}
	if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		return "", inFile(file, provider.Usagef("it is not text in UTF-8").Hintf("save the file as UTF-8"))
	}
	return string(text), nil
}

// escapeGlob keeps the characters of a folder's name from being patterns.
func escapeGlob(folder string) string {
	return regexp.MustCompile(`[\\*?\[]`).ReplaceAllString(folder, `\$0`)
}

// Hash identifies a definition: definitions with different effects have different hashes.
func (d *Definition) Hash() string {
	sum := sha256.Sum256(d.encode())
	return hex.EncodeToString(sum[:16])
}

func (d *Definition) encode() []byte {
	data, _ := json.Marshal(d) // has no value that cannot be JSON
	return data
}

func decodeDefinition(data []byte) (*Definition, error) {
	var d Definition
	if err := json.Unmarshal(data, &d); err != nil {
		return nil, provider.Internalf("read a pipeline that the store keeps").Because(err)
	}
	return &d, d.checkStored()
}

// checkStored checks the names and types of a definition from a store, because they become SQL, and anybody
// may have written the store.
func (d *Definition) checkStored() error {
	for i := range d.Tables {
		t := &d.Tables[i]
		fault := ""
		if !names().MatchString(t.Name) {
			fault = t.Name
		}
		for _, c := range t.Columns {
			if !variableName().MatchString(c.Name) || !slices.Contains(types(), c.Type) {
				fault = t.Name + "." + c.Name + " " + string(c.Type)
			}
		}
		if fault != "" {
			return provider.Usagef("the store is damaged, or something else has written to it: its pipeline %s has %s", provider.Quote(d.Name), provider.Quote(fault))
		}
	}
	for i := range d.Checks {
		if err := d.Checks[i].Valid(); err != nil {
			return provider.Usagef("the store is damaged, or something else has written to it: its pipeline %s has a check that is none: %v", provider.Quote(d.Name), err)
		}
	}
	for i := range d.Notify {
		if err := d.Notify[i].Valid(); err != nil {
			return provider.Usagef("the store is damaged, or something else has written to it: its pipeline %s has a notification that is none: %v", provider.Quote(d.Name), err)
		}
	}
	return nil
}

// table finds a table by its name.
func (d *Definition) table(name string) *Table {
	for i := range d.Tables {
		if d.Tables[i].Name == name {
			return &d.Tables[i]
		}
	}
	return nil
}

// deploymentName is the variable and the column that tell the workspace.
const deploymentName = "deployment_name"

// location is the time zone of the schedule.
func (d *Definition) location() (*time.Location, error) {
	loc, err := time.LoadLocation(cmp.Or(d.Timezone, "UTC"))
	if err != nil || d.Timezone == "Local" {
		return nil, provider.Usagef("timezone: %s is not the name of a time zone, such as Europe/Lisbon", provider.Quote(d.Timezone))
	}
	return loc, nil
}

// next is when the schedule comes after a time.
func (d *Definition) next(after time.Time) (time.Time, error) {
	loc, err := d.location()
	if err != nil {
		return time.Time{}, err
	}
	if strings.Contains(d.Schedule, "TZ=") {
		return time.Time{}, provider.Usagef("schedule: the time zone is said by timezone")
	}
	parsed, err := cron.ParseStandard(d.Schedule)
	if err != nil {
		return time.Time{}, provider.Usagef("schedule: %s is not cron syntax (minute hour day month weekday): %v", provider.Quote(d.Schedule), err)
	}
	at := parsed.Next(after.In(loc))
	if at.IsZero() {
		return time.Time{}, provider.Usagef("schedule: %s never comes", provider.Quote(d.Schedule))
	}
	return at, nil
}

// The look-ahead of longest: a week has all the days of most schedules, and a year all the months of others.
const (
	lookAhead     = 8 * 24 * time.Hour
	lookAheadRuns = 13
)

// longest returns the longest time between two runs of the schedule, as over the days at which it does not run.
func (d *Definition) longest(from time.Time) (time.Duration, error) {
	began, err := d.next(from)
	if err != nil {
		return 0, err
	}
	var gap time.Duration
	for at, runs := began, 0; runs < lookAheadRuns || at.Sub(began) < lookAhead; runs++ {
		next, err := d.next(at)
		if err != nil {
			return gap, err
		}
		gap = max(gap, next.Sub(at))
		at = next
	}
	return gap, nil
}

// fill puts the workspace and the variables in place of {{ .name }} and {{ name }} in a query.
func (d *Definition) fill(ctx context.Context, text, workspace string) (string, error) {
	size := cmp.Or(d.QuerySize, defaultQuerySize)
	if !strings.Contains(text, "{{") {
		if len(text) > size {
			return "", d.inLimit("query_size", provider.Usagef("the query has more than %d bytes", size))
		}
		return text, nil
	}
	values := map[string]string{}
	functions := template.Functions{
		"quote": func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" },
	}
	if workspace != "" { // else the query is that of all workspaces, or a check's
		values[deploymentName], functions[deploymentName] = workspace, func() string { return workspace }
	}
	for name, value := range d.Variables {
		values[name] = value
		if _, taken := functions[name]; !taken {
			functions[name] = func() string { return value }
		}
	}
	filled, err := template.Fill(ctx, "query", text, functions, values, template.Limits{Size: size, Steps: template.DefaultSteps})
	if _, isOurs := errors.AsType[*provider.Error](err); isOurs {
		return "", d.inLimit("query_size", err)
	}
	if err != nil {
		return "", fillError(err)
	}
	return filled, nil
}

// inLimit says which setting has the limit that was reached.
func (d *Definition) inLimit(setting string, err error) error {
	return provider.Change(err, func(e *provider.Error) {
		if e.Code == provider.Usage && e.Hint == "" {
			e.Hint = fmt.Sprintf("%s in %s sets another limit", setting, ConfigFile)
		}
	})
}

// templatePlace is how text/template says where: template: query:3:12: executing "query" at <.days>: map has…
var templatePlace = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^template: query:(\d+):(?:(\d+):)? (?:executing "query" at )?`)
})

func fillError(err error) error {
	e := provider.Usagef("fill in the variables: %s", provider.Printable(templatePlace().ReplaceAllString(err.Error(), ""))).
		Hintf("variables are named in %s; deployment_name is the workspace", ConfigFile).
		Because(err)
	if place := templatePlace().FindStringSubmatch(err.Error()); place != nil {
		e.Position.Line, _ = strconv.Atoi(place[1])
		e.Position.Column, _ = strconv.Atoi(cmp.Or(place[2], "0")) // it counts from 0, and tells no column of what it cannot read
		e.Position.Column++
	}
	return e
}

// inFile says which file an error is about.
func inFile(path string, err error) error {
	return provider.Change(err, func(e *provider.Error) {
		place := provider.Printable(path)
		if e.Position.Line > 0 {
			place = fmt.Sprintf("%s:%d:%d", place, e.Position.Line, e.Position.Column)
		}
		e.Position, e.Message = provider.Position{}, place+": "+e.Message
	})
}
