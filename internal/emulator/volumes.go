package emulator

import (
	"encoding/base64"
	"net/http"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/company"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

func downloadFile(req *apiRequest) (any, error) {
	at, r, err := volumes().at(req)
	if err != nil {
		return nil, err
	}
	if r["object_type"] == company.Directory {
		return nil, apierror.New(http.StatusNotFound, "NOT_FOUND", "%s is a folder.", apierror.Printable(at))
	}
	raw, _ := base64.StdEncoding.DecodeString(resource.Text(r["content"]))
	changed, _ := r["modified_at"].(int64)
	return &response{status: http.StatusOK, body: raw, header: http.Header{
		"Content-Type": {"application/octet-stream"}, "Last-Modified": {time.UnixMilli(changed).UTC().Format(http.TimeFormat)},
	}}, nil
}

func uploadFile(req *apiRequest) (any, error) {
	at, err := pathOf(req)
	if err != nil {
		return nil, err
	}
	req.home.changing.Lock()
	defer req.home.changing.Unlock()
	if _, err := volumes().find(req, at); err == nil && req.query.Get("overwrite") != "true" {
		return nil, apierror.New(http.StatusConflict, "ALREADY_EXISTS", "%s already exists.", apierror.Printable(at))
	}
	volumes().place(req, at, resource.Record{"content": base64.StdEncoding.EncodeToString(req.body), "size": int64(len(req.body))})
	return resource.Record{}, nil
}
