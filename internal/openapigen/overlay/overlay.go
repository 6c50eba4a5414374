// Package overlay reads what people write beside the generated documents: openapi/overlays.
//
//   - providers.yaml: titles and descriptions of providers and services.
//   - facts/<service>.yaml: [Facts], what the SDK's source does not tell.
//   - descriptions/<service>.yaml: [Descriptions], in our own words.
//   - views/<provider>.<service>.yaml: each [View] by its name.
//   - beyond-sdk.csv: [Beyond], attributes and parameters that the API has and the SDK lacks.
//   - former-fields.csv: [FormerField], names of attributes and parameters in earlier documents.
//   - names.csv, operations.csv and name-differences.csv belong to the package names.
//   - column-differences.csv lists what StackQL's methods have and ours lack, for a test of the
//     package catalogtest.
//
// A key that is unknown, or that names something which the SDK does not have, is an error: an
// overlay that no longer applies must not be ignored.
package overlay

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Overlays is everything under openapi/overlays but the names.
type Overlays struct {
	Providers    map[string]Heading
	Services     map[string]Heading
	Facts        map[string]*Facts           // by service
	Descriptions map[string]*Descriptions    // by service
	Views        map[string]map[string]*View // by provider.service and the view's name
	Beyond       []Beyond
	Former       []FormerField
}

// Heading is a title and a sentence.
type Heading struct {
	Title       string `yaml:"title"`
	Description string `yaml:"description"`
}

// Facts holds facts about a service that the SDK's source does not contain. Operations are written
// Group.Name, fields Type.json_name.
type Facts struct {
	// Paths maps a parameter that holds a whole resource name to the real path.
	Paths map[string]Path `yaml:"paths"`
	// Forms replaces forms of resource names that the SDK's comments have, where a segment has several
	// parts: mcp-services/{catalog}.{schema}.{mcp_service}.
	Forms map[string]string `yaml:"forms"`
	// Plain lists the beginnings of paths, up to the parameter {name} or {parent}, if that is a segment and
	// no resource name.
	Plain []string `yaml:"plain"`
	// Templates maps fields that hold resource names to the form of the name; empty: the name has no form.
	Templates map[string]string `yaml:"templates"`
	// ParameterPatterns and Patterns are regular expressions that values must match.
	ParameterPatterns map[string]string `yaml:"parameter_patterns"`
	Patterns          map[string]string `yaml:"patterns"`
	Secrets           []string          `yaml:"secrets"`
	Base64            []string          `yaml:"base64"`
	ReadOnly          []string          `yaml:"read_only"`
	// Lists names, by operation, the attributes of the response that go on in the next one, where
	// that is not just every list: see x-lakeql-paging of the kind merge.
	Lists map[string][]string `yaml:"lists"`
	// Completions maps a list operation to the way to complete its partial items: see x-lakeql-completion.
	Completions map[string]Completion `yaml:"completions"`
	// Selects lists operations that SELECT may make although they are POSTs: see x-lakeql-select.
	Selects []string `yaml:"selects"`
	// OffPage lists fields that the examples of documentation pages leave out.
	OffPage []string `yaml:"off_page"`
	// Choices lists, by type and the choice's name, attributes of which at most one is set, for which an
	// update mask has that name.
	Choices map[string]map[string][]string `yaml:"choices"`
	// Order lists fields of a type that come first, in this order.
	Order map[string][]string `yaml:"order"`
}

// Path describes the SDK's parameter for a whole resource name: the form of the name or, if it has no
// single form, that the parameter keeps its slashes.
type Path struct {
	Template     string `yaml:"template"`
	MultiSegment string `yaml:"multi_segment"` // the parameter's name
}

// Completion describes how to complete the items of a list: an operation of the same group, its
// parameters bound to attributes of the item.
type Completion struct {
	Get  string            `yaml:"get"`
	Bind map[string]string `yaml:"bind"`
	More string            `yaml:"more"` // the attribute that says that an item comes in part
	If   string            `yaml:"if"`   // the parameter that asks for the lists
}

// Descriptions are our own words on a service.
type Descriptions struct {
	// Methods has a sentence for operations, by Group.Name.
	Methods map[string]string `yaml:"methods"`
	// Schemas has phrases by type: under the empty key of the type itself, else of a field.
	Schemas map[string]map[string]string `yaml:"schemas"`
	// Fields has phrases for fields that mean the same in every type of the service. Schemas goes first.
	Fields map[string]string `yaml:"fields"`
	// Parameters has phrases by the parameter's name, or by Group.Name.parameter for one operation.
	Parameters map[string]string `yaml:"parameters"`
}

// Read reads the overlays.
func Read(overlays fs.FS) (*Overlays, error) {
	o := &Overlays{Facts: map[string]*Facts{}, Descriptions: map[string]*Descriptions{}, Views: map[string]map[string]*View{}}
	var headings struct {
		Providers map[string]Heading `yaml:"providers"`
		Services  map[string]Heading `yaml:"services"`
	}
	if err := decode(overlays, "providers.yaml", &headings); err != nil {
		return nil, err
	}
	o.Providers, o.Services = headings.Providers, headings.Services
	var err error
	if o.Beyond, err = readBeyond(overlays); err != nil {
		return nil, err
	}
	if o.Former, err = readFormer(overlays); err != nil {
		return nil, err
	}
	err = eachService(overlays, "facts", func(service, name string) error {
		o.Facts[service] = &Facts{}
		return decode(overlays, name, o.Facts[service])
	})
	if err != nil {
		return nil, err
	}
	err = eachService(overlays, "descriptions", func(service, name string) error {
		o.Descriptions[service] = &Descriptions{}
		return decode(overlays, name, o.Descriptions[service])
	})
	if err != nil {
		return nil, err
	}
	err = eachService(overlays, "views", func(key, name string) error {
		var views map[string]*View
		err := decode(overlays, name, &views)
		o.Views[key] = views
		return err
	})
	if err != nil {
		return nil, err
	}
	return o, nil
}

// FactsOf returns the facts on a service, empty ones where there is no file.
func (o *Overlays) FactsOf(service string) *Facts {
	if f, ok := o.Facts[service]; ok {
		return f
	}
	return &Facts{}
}

// DescriptionsOf returns the words on a service, none where there is no file.
func (o *Overlays) DescriptionsOf(service string) *Descriptions {
	if d, ok := o.Descriptions[service]; ok {
		return d
	}
	return &Descriptions{}
}

// Field returns our description of a field; empty without one.
func (d *Descriptions) Field(typ, field string) string {
	return cmp.Or(d.Schemas[typ][field], d.Fields[field])
}

func eachService(overlays fs.FS, folder string, read func(service, name string) error) error {
	files, err := fs.Glob(overlays, path.Join(folder, "*.yaml"))
	if err != nil {
		return err
	}
	for _, name := range files {
		if err := read(strings.TrimSuffix(path.Base(name), ".yaml"), name); err != nil {
			return err
		}
	}
	return nil
}

func decode(overlays fs.FS, name string, into any) error {
	data, err := fs.ReadFile(overlays, name)
	if err != nil {
		return err
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
