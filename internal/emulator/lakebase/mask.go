package lakebase

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lakeql/lakeql/internal/emulator/apierror"
	"github.com/lakeql/lakeql/internal/emulator/documents"
	"github.com/lakeql/lakeql/internal/emulator/resource"
)

// oneofs are groups of attributes of which a specification has one. A mask may name the group.
var oneofs = map[string][]string{
	"expiration": {"ttl", "expire_time", "no_expiry"},
	"suspension": {"suspend_timeout_duration", "no_suspension"},
}

// masked returns the attributes of a specification that the update mask names. An attribute that
// the mask names and the body lacks is nil: the update resets it.
func masked(req *Request, spec resource.Record) (resource.Record, error) {
	body := req.Shape
	part := resource.Record{}
	for _, path := range req.Mask {
		segments := strings.Split(strings.TrimSpace(path), ".")
		if len(segments) == 1 && segments[0] == "spec" {
			maps.Copy(part, spec)
			continue
		}
		at := body.Field("spec")
		if segments[0] != "spec" {
			return nil, invalidMask(path, at)
		}
		from, to := spec, part
		for i, s := range segments[1:] {
			if s == "project_default_settings" {
				s = "default_endpoint_settings"
			}
			last := i == len(segments)-2
			names, isOneof := oneofs[s]
			switch {
			case last && isOneof:
				for _, name := range names {
					to[name] = from[name]
				}
			case !at.Has(s):
				return nil, invalidMask(path, body.Field("spec"))
			case last:
				to[s] = from[s]
			default:
				from = resource.Object(from, s)
				inner := resource.Object(to, s)
				to[s] = inner
				to, at = inner, at.Field(s)
			}
		}
	}
	if len(req.Mask) == 0 {
		maps.Copy(part, spec)
	}
	return part, nil
}

// invalidMask makes the error of a path that a mask cannot have.
func invalidMask(path string, spec *documents.Shape) error {
	names := []string{}
	if spec != nil {
		for _, p := range spec.Properties {
			names = append(names, "spec."+p.Name)
		}
	}
	return apierror.Invalid("update_mask names %q, which is nothing that can be changed here; there is %s.", apierror.Printable(path), strings.Join(names, ", "))
}

// applied returns a status after a specification took effect.
func applied(status, spec resource.Record, now time.Time) resource.Record {
	status = maps.Clone(status)
	for name, value := range spec {
		switch name {
		case "ttl":
			if d, err := time.ParseDuration(resource.Text(value)); err == nil && value != nil {
				status["expire_time"] = now.Add(d).Format(time.RFC3339Nano)
			}
		case "expire_time", "no_expiry":
			if value != nil && name == "expire_time" {
				status[name] = value
			} else if value == true {
				delete(status, "expire_time")
			}
		case "no_suspension":
			if value == true {
				delete(status, "suspend_timeout_duration")
			}
		case "source_branch_lsn", "source_branch_time", "source_branch":
			if value != nil {
				status[name] = value
			}
		case "default_endpoint_settings":
			status[name] = applied(resource.Object(status, name), resource.Object(spec, name), now)
		case "create_database_if_missing":
		default:
			if value == nil {
				delete(status, name)
			} else {
				status[name] = value
			}
		}
	}
	return status
}

// countOf counts the attributes of a specification that are set.
func countOf(spec resource.Record, names []string) int {
	n := 0
	for _, name := range names {
		if value, ok := spec[name]; ok && value != nil && value != false {
			n++
		}
	}
	return n
}

// anyOf reports whether a specification has one of the attributes, set or not.
func anyOf(spec resource.Record, names []string) bool {
	return slices.ContainsFunc(names, func(n string) bool { _, ok := spec[n]; return ok })
}
