package engine

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/lakeql/lakeql/internal/sandbox"
	"github.com/lakeql/lakeql/provider"
)

// UsualMemory is how many bytes of memory a statement may take for its answers, and as many for
// SQLite, unless the session sets another number.
const UsualMemory = sandbox.UsualMemory

const (
	// leastMemory is the memory that SQLite needs for a small query.
	leastMemory = 4 << 20
	// mostMemory is the memory that SQLite can address.
	mostMemory = math.MaxUint32 >> 20 << 20
)

// ParseMemory reads an amount of memory, such as 64MiB or 1GiB, in bytes.
func ParseMemory(text string) (int64, error) {
	number, shift := text, 0
	for unit, by := range map[string]int{"MiB": 20, "GiB": 30} {
		if before, ok := strings.CutSuffix(text, unit); ok {
			number, shift = strings.TrimSpace(before), by
		}
	}
	n, err := strconv.ParseInt(number, 10, 32)
	if err != nil || shift == 0 || n<<shift < leastMemory || n<<shift > mostMemory {
		return 0, provider.Usagef("memory: %s is not an amount from %dMiB to %dMiB, such as 512MiB or 1GiB", provider.Quote(text), leastMemory>>20, mostMemory>>20)
	}
	return n << shift, nil
}

// SetMemory sets how many bytes of memory a statement may take for its answers, and as many for
// SQLite.
func (s *Session) SetMemory(bytes int64) {
	s.Memory, s.SQLMemory = int(bytes), bytes
	if s.local != nil {
		s.local.SQLMemory(bytes)
	}
}

// memoryText writes an amount of memory as ParseMemory reads it.
func memoryText(bytes int64) string {
	if bytes <= 0 {
		bytes = UsualMemory
	}
	return fmt.Sprintf("%dMiB", bytes>>20)
}
