package parquet

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"testing"
	"time"
)

// BenchmarkWrite writes a million rows such as lists of the API give. Its peak-MB is the memory that was in use
// at most, looked at every thousand rows.
func BenchmarkWrite(b *testing.B) {
	const rows = 1_000_000
	var peak, size uint64
	b.ReportAllocs()
	for b.Loop() {
		var written counter
		row, i := make([]any, len(everyType)), 0
		n, err := Write(&written, everyType, func() ([]any, error) {
			if i == rows {
				return nil, io.EOF
			}
			i++
			row[0] = fmt.Sprintf("users/someone.%d@example.com", i*7919%rows)
			row[1] = int64(i) * 1_000_003
			row[2] = float64(i) / 7
			row[3] = i%3 == 0
			row[4] = time.UnixMicro(1_700_000_000_000_000 + int64(i)*987_654)
			row[5] = json.RawMessage(fmt.Sprintf(`{"id": %d, "state": "RUNNING", "tags": {"team": "t%d", "cost": %d}}`, i, i%50, i%977))
			if i%1000 == 0 {
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapInuse+m.StackInuse)
			}
			return row, nil
		})
		if err != nil || n != rows {
			b.Fatal(n, err)
		}
		size = uint64(written)
	}
	b.ReportMetric(float64(peak)/(1<<20), "peak-MB")
	b.ReportMetric(float64(size)/(1<<20), "file-MB")
}

type counter uint64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
