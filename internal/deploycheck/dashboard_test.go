package deploycheck

import (
	"encoding/json"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

func dashboards() judged {
	return judged{"monitoring/dashboard.json", drawn, []mistake{
		{`"gridPos"`, `"gridPosition"`, "panels[0].Panel: unexpected field 'gridPosition'"},
		{`"colorMode": "value"`, `"colorMode": 1`, "cannot unmarshal number"},
		{`"displayMode": "list",`, "", "panels[5].options.legend.displayMode: required field is missing from input"},
		{`"w": 4,`, `"w": 40,`, "must be <= 24"},
		{`"expr"`, `"expression"`, "panels[0].targets[0].Dataquery: unexpected field 'expression'"},
	}}
}

// drawn judges a dashboard by the schema of Grafana, with those of its panels and queries.
func drawn(text string) error {
	r := cog.NewRuntime()
	r.RegisterDataqueryVariant(prometheus.VariantConfig())
	r.RegisterPanelcfgVariant(stat.VariantConfig())
	r.RegisterPanelcfgVariant(timeseries.VariantConfig())
	var strict, d dashboard.Dashboard //nolint:staticcheck // its successor is of another kind of file, which older Grafanas do not import
	err := strict.UnmarshalJSONStrict([]byte(text))
	if err != nil && err.Error() != "" { // it returns lists of errors that are empty, and then has no panels
		return err
	}
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return err
	}
	return d.Validate()
}
