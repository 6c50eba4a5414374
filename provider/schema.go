package provider

// Schema is the shape of a value, as OpenAPI 3.0 describes it, with allOf merged. Either Ref or the
// other fields define the shape. Description, ReadOnly and Deprecated may stand beside a Ref; they
// then describe the reference.
type Schema struct {
	Ref         string `json:"ref,omitempty"` // name in the service's shared schemas
	Type        string `json:"type,omitempty"`
	Format      string `json:"format,omitempty"`
	Description string `json:"description,omitempty"`
	ReadOnly    bool   `json:"read_only,omitempty"`
	Deprecated  bool   `json:"deprecated,omitempty"`
	Nullable    bool   `json:"nullable,omitempty"`

	Enum    []any  `json:"enum,omitempty"`
	Default any    `json:"default,omitempty"`
	Example any    `json:"example,omitempty"`
	Pattern string `json:"pattern,omitempty"`
	// NameTemplate is the form of a resource name: projects/{project_id}/branches/{branch_id}.
	NameTemplate string `json:"name_template,omitempty"`
	// Choice names a group of attributes of which at most one is set. An update mask has that name for
	// all of them.
	Choice string `json:"choice,omitempty"`
	// OffPage is set for an attribute that the examples of documentation pages leave out.
	OffPage bool `json:"off_page,omitempty"`
	// RequestID is set where a fresh UUID is sent unless one is given.
	RequestID bool `json:"request_id,omitempty"`
	// Former are names of the attribute in earlier documents.
	Former []string `json:"former,omitempty"`

	Properties []Property `json:"properties,omitempty"` // in document order
	Required   []string   `json:"required,omitempty"`
	Items      *Schema    `json:"items,omitempty"`
	// Additional is the schema of the values of a map.
	Additional *Schema `json:"additional,omitempty"`
}

// Property is a named attribute of an object.
type Property struct {
	Name   string  `json:"name"`
	Schema *Schema `json:"schema"`
}

// Secret reports whether values of this schema are credentials. OpenAPI's hint for such strings
// is the format "password".
func (s *Schema) Secret() bool { return s != nil && s.Format == "password" }

// Property finds an attribute by its exact name.
func (s *Schema) Property(name string) (*Schema, bool) {
	for _, p := range s.Properties {
		if p.Name == name {
			return p.Schema, true
		}
	}
	return nil, false
}
