package emulator

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"path"
	"strings"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/company"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

const notebook = "NOTEBOOK"

// Formats of notebooks.
const (
	sourceFormat  = "SOURCE"
	jupyterFormat = "JUPYTER"
	autoFormat    = "AUTO"
)

// importPath is the route of imports, whose body may be a form.
const importPath = "/api/2.0/workspace/import"

// mount is the prefix that paths of the workspace may have. Records are kept without it.
const mount = "/Workspace"

// unmounted cuts the prefix off a path.
func unmounted(text string) (at string, mounted bool) {
	if rest, ok := strings.CutPrefix(text, mount); ok && (rest == "" || rest[0] == '/') {
		return "/" + strings.TrimPrefix(rest, "/"), true
	}
	return text, false
}

// asAsked puts the prefix of the request's path before the paths of an answer.
func asAsked(req *apiRequest, shown resource.Record) resource.Record {
	if _, mounted := unmounted(req.value("path")); mounted {
		shown = maps.Clone(shown)
		shown["path"] = strings.TrimSuffix(mount+resource.Text(shown["path"]), "/")
	}
	return shown
}

// objectStatus describes a notebook, file or folder. With return_export_info it has the format of a
// notebook, which the documents lack.
func objectStatus(req *apiRequest) (any, error) {
	_, r, err := notebooks().at(req)
	if err != nil {
		return nil, err
	}
	shown := req.shaped(asAsked(req, notebooks().show(r)))
	if req.query.Get("return_export_info") != "true" || r["object_type"] != notebook {
		return shown, nil
	}
	value, err := resource.Decode(shown)
	object, ok := value.(resource.Record)
	if err != nil || !ok {
		return nil, errors.Join(err, errors.New("the status is not an object"))
	}
	object["repos_export_format"] = resource.TextOr(r["format"], sourceFormat)
	return object, nil
}

func exportObject(req *apiRequest) (any, error) {
	at, r, err := notebooks().at(req)
	if err != nil {
		return nil, err
	}
	if r["object_type"] == company.Directory {
		return nil, apierror.New(http.StatusBadRequest, "BAD_REQUEST", "Folder (%s) can be exported as DBC only, which the emulator does not do.", apierror.Printable(at))
	}
	if req.query.Get("direct_download") == "true" {
		raw, err := base64.StdEncoding.DecodeString(resource.Text(r["content"]))
		return &response{status: http.StatusOK, body: raw, header: http.Header{"Content-Type": {"application/octet-stream"}}}, err
	}
	kind := map[string]string{"PYTHON": "py", "SQL": "sql", "SCALA": "scala", "R": "r"}[resource.Text(r["language"])]
	switch {
	case r["format"] == jupyterFormat:
		kind = "ipynb"
	case kind == "":
		kind = "file"
	}
	return resource.Record{"content": resource.Text(r["content"]), "file_type": kind}, nil
}

// importObject imports from JSON with the contents in base64, or from a form, as the official SDK
// uploads.
func importObject(req *apiRequest) (any, error) {
	body := req.object()
	if form, ok, err := importForm(req); err != nil {
		return nil, err
	} else if ok {
		body = form
		req.parsed = form
	}
	at, err := pathOf(req)
	if err != nil {
		return nil, err
	}
	content := resource.Text(body["content"])
	raw, err := base64.StdEncoding.DecodeString(content)
	if err != nil {
		return nil, apierror.Invalid("content is not base64.")
	}
	format := resource.TextOr(body["format"], sourceFormat)
	language := resource.Text(body["language"])
	if format == autoFormat {
		at, language, format = detected(at, raw)
	}
	req.home.changing.Lock()
	defer req.home.changing.Unlock()
	if err := hasFolder(req, at); err != nil {
		return nil, err
	}
	if _, err := notebooks().find(req, at); err == nil && body["overwrite"] != true {
		return nil, apierror.New(http.StatusBadRequest, "RESOURCE_ALREADY_EXISTS", "Path (%s) already exists.", apierror.Printable(at))
	}
	if format == jupyterFormat && language == "" {
		language = "PYTHON"
	}
	notebooks().place(req, at, newObject(raw, language, format))
	return resource.Record{}, nil
}

// importFile writes a file as it is. Like an import with format AUTO, it makes a notebook of a
// source file that says that it is one.
func importFile(req *apiRequest) (any, error) {
	at, err := pathOf(req)
	if err != nil {
		return nil, err
	}
	at, language, format := detected(at, req.body)
	req.home.changing.Lock()
	defer req.home.changing.Unlock()
	if err := hasFolder(req, at); err != nil {
		return nil, err
	}
	held, err := notebooks().find(req, at)
	switch {
	case err != nil:
	case held["object_type"] == company.Directory:
		return nil, apierror.New(http.StatusBadRequest, "RESOURCE_ALREADY_EXISTS", "Path (%s) is a folder.", apierror.Printable(at))
	case req.query.Get("overwrite") == "true":
	case held["object_type"] == notebook:
		return nil, apierror.New(http.StatusBadRequest, "RESOURCE_ALREADY_EXISTS", "Path (%s) already exists.", apierror.Printable(at))
	default:
		return nil, apierror.New(http.StatusConflict, "RESOURCE_ALREADY_EXISTS", "File already exists at (%s).", apierror.Printable(at))
	}
	notebooks().place(req, at, newObject(req.body, language, format))
	return resource.Record{}, nil
}

// newObject makes the record of a notebook, or of a file if there is no language.
func newObject(raw []byte, language, format string) resource.Record {
	r := resource.Record{"content": base64.StdEncoding.EncodeToString(raw), "size": int64(len(raw)), "object_type": "FILE"}
	if language != "" {
		r["object_type"], r["language"], r["format"] = notebook, language, format
	}
	return r
}

// hasFolder refuses a path whose folder does not exist. Imports do not create folders.
func hasFolder(req *apiRequest, at string) error {
	dir := path.Dir(at)
	if r, err := notebooks().find(req, dir); err != nil || r["object_type"] != company.Directory {
		return apierror.New(http.StatusNotFound, "RESOURCE_DOES_NOT_EXIST", "The parent folder (%s) does not exist.", apierror.Printable(dir))
	}
	return nil
}

// detected returns the type and language of a file, from its extension and its first line. The path of
// a notebook has no extension. A file has no language.
func detected(at string, raw []byte) (as, language, format string) {
	extension := path.Ext(at)
	base := strings.TrimSuffix(at, extension)
	if strings.EqualFold(extension, ".ipynb") {
		var n struct {
			Cells    []json.RawMessage `json:"cells"`
			Metadata struct {
				Language struct {
					Name string `json:"name"`
				} `json:"language_info"`
			} `json:"metadata"`
		}
		if json.Unmarshal(raw, &n) != nil || n.Cells == nil {
			return at, "", ""
		}
		return base, strings.ToUpper(resource.TextOr(n.Metadata.Language.Name, "python")), jupyterFormat
	}
	language = company.LanguageOf(at)
	comment := map[string]string{"PYTHON": "#", "R": "#", "SCALA": "//", "SQL": "--"}[language]
	line, _, _ := bytes.Cut(raw, []byte("\n"))
	if language == "" || strings.TrimSpace(string(line)) != comment+" Databricks notebook source" {
		return at, "", ""
	}
	return base, language, sourceFormat
}

// importForm reads a body of type multipart/form-data as the attributes of an import. It is false
// for bodies of other types.
func importForm(req *apiRequest) (form resource.Record, ok bool, err error) {
	kind, params, err := mime.ParseMediaType(req.contentType)
	if err != nil || kind != "multipart/form-data" {
		return nil, false, nil //nolint:nilerr // the body is JSON then, which was checked
	}
	form = resource.Record{}
	parts := multipart.NewReader(bytes.NewReader(req.body), params["boundary"])
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return form, true, nil
		}
		if err != nil {
			return nil, false, apierror.Invalid("The form cannot be read: %s", apierror.Printable(err.Error()))
		}
		raw, err := io.ReadAll(part)
		if err != nil {
			return nil, false, apierror.Invalid("The form cannot be read: %s", apierror.Printable(err.Error()))
		}
		switch part.FormName() {
		case "content":
			form["content"] = base64.StdEncoding.EncodeToString(raw)
		case "overwrite":
			form["overwrite"] = string(raw) == "true"
		default:
			form[part.FormName()] = string(raw)
		}
	}
}
