package pipeline

import (
	"bytes"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	prometheus "github.com/prometheus/common/model"
)

// TestMetricsAreReadByPrometheus has Prometheus' own parser read counters and a histogram: of one family, however
// its labels sort among other names, and with every bucket holding those below it.
func TestMetricsAreReadByPrometheus(t *testing.T) {
	t.Parallel()
	m := NewMetrics(nil)
	m.count(metric("rows_total", "pipeline", "a"), 2)
	m.count(metric("rows_total", "pipeline", "a"), 3)
	m.count(metric("rows_total", "pipeline", "b"), 0)
	m.count(metric("calls_total", "pipeline", "a"), 1<<60)
	for _, took := range []time.Duration{0, 5 * time.Millisecond, 6 * time.Millisecond, 10 * time.Second, time.Minute} {
		m.observe(took, "table", "projects", "pipeline", "a")
	}
	var b bytes.Buffer
	m.writeOwn(&b)
	parser := expfmt.NewTextParser(prometheus.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(b.Bytes()))
	if err != nil || len(families) != 3 {
		t.Fatalf("%d families, %v in\n%s", len(families), err, b.String())
	}
	rows := families["lakeql_pipeline_rows_total"].GetMetric()
	if len(rows) != 2 || rows[0].GetCounter().GetValue() != 5 || rows[1].GetCounter().GetValue() != 0 {
		t.Errorf("rows are %v", rows)
	}
	took := families["lakeql_pipeline_query_seconds"].GetMetric()[0]
	if labels := took.GetLabel(); len(labels) != 2 || labels[0].GetValue() != "a" || labels[1].GetName() != "table" {
		t.Errorf("the histogram's labels are %v", labels)
	}
	h := took.GetHistogram()
	if h.GetSampleCount() != 5 || h.GetSampleSum() != 70.011 {
		t.Errorf("%d observations, %v s", h.GetSampleCount(), h.GetSampleSum())
	}
	within := func(b *dto.Bucket) uint64 { return b.GetCumulativeCount() }
	if all := h.GetBucket(); len(all) != 12 || within(all[0]) != 2 || within(all[1]) != 3 || within(all[9]) != 3 || within(all[10]) != 4 || within(all[11]) != 5 {
		t.Errorf("buckets are %v", h.GetBucket())
	}
}
