package dispatch

import (
	"bytes"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/lakeql/lakeql/internal/spill"
)

// TestReadWithin reads bodies of many lengths, with the length that the server announces, with none, and with
// a wrong one.
func TestReadWithin(t *testing.T) {
	store := spill.New(spill.NewBudget(8<<20, nil))
	defer store.Close() //nolint:errcheck // the test is over
	for _, length := range []int{0, 1, 100, 4095, 4096, 4097, blockSize - 1, blockSize, blockSize + 1, 3*blockSize + 7, 2 << 20} {
		want := bytes.Repeat([]byte("0123456789abcdef_"), length/17+1)[:length]
		for _, announced := range []int64{-1, int64(length), 0, int64(length) - 1, int64(length) + 1, 1 << 40} {
			for name, r := range map[string]*strings.Reader{"whole": strings.NewReader(string(want)), "byte": strings.NewReader(string(want))} {
				from := iotest.DataErrReader(r)
				if name == "byte" {
					if length > 5000 {
						continue
					}
					from = iotest.OneByteReader(r)
				}
				b, err := readWithin(from, announced, store)
				if err != nil {
					t.Fatal(err)
				}
				got, err := b.whole(t.Context())
				if err != nil || !bytes.Equal(got, want) || b.length != int64(length) {
					t.Errorf("%d bytes, announced as %d, by %s: %d bytes of %d: %v", length, announced, name, len(got), b.length, err)
				}
				b.held.release()
			}
		}
	}
}

// TestReadWithinLittle shows that a small answer takes little memory.
func TestReadWithinLittle(t *testing.T) {
	store := spill.New(spill.NewBudget(1<<20, nil))
	defer store.Close() //nolint:errcheck // the test is over
	answer := strings.Repeat("x", 1000)
	for _, announced := range []int64{-1, 1000} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		const answers = 200
		for range answers {
			b, err := readWithin(strings.NewReader(answer), announced, store)
			if err != nil || string(b.data) != answer {
				t.Fatalf("%q, %v", b.data, err)
			}
			b.held.release()
		}
		runtime.ReadMemStats(&after)
		if each := (after.TotalAlloc - before.TotalAlloc) / answers; each > 10_000 {
			t.Errorf("announced as %d: an answer of 1,000 bytes takes %d", announced, each)
		}
	}
}
