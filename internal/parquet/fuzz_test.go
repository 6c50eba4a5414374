package parquet

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
)

// FuzzWrite makes rows of the fuzzer's bytes and has Arrow read them back.
func FuzzWrite(f *testing.F) {
	f.Add([]byte("x"), uint8(1))
	f.Add([]byte("0123456789abcdefghijklmnopqrstuvwxyz, and so on and on, with 日本語 and \x00\xff"), uint8(3))
	f.Add([]byte(strings.Repeat("every value is there, or is not ", 300)), uint8(70))
	f.Fuzz(func(t *testing.T, data []byte, groupRows uint8) {
		var rows [][]any
		for len(data) > 0 {
			row := make([]any, len(everyType))
			for i, c := range everyType {
				row[i], data = fuzzValue(c.Type, data)
			}
			rows = append(rows, row)
		}
		roundTrip(t, everyType, rows, limits{groupRows: int(groupRows) + 1, groupBytes: 1 << 20, value: 1 << 20})
	})
}

// fuzzValue reads a value from the front of data: a byte that is 0 for NULL, then the value's bytes.
func fuzzValue(typ string, data []byte) (value any, rest []byte) {
	if len(data) == 0 || data[0]%4 == 0 {
		return nil, data[min(1, len(data)):]
	}
	n := int(data[0])
	data = data[1:]
	if typ == Text || typ == JSON {
		n = min(n, len(data))
		text := strings.ToValidUTF8(string(data[:n]), "")
		if typ == Text {
			return text, data[n:]
		}
		raw, _ := json.Marshal(text) // cannot fail: it is a string
		return json.RawMessage(raw), data[n:]
	}
	var word [8]byte
	data = data[copy(word[:], data):]
	bits := binary.LittleEndian.Uint64(word[:])
	switch typ {
	case Integer:
		return int64(bits), data
	case Number:
		return math.Float64frombits(bits), data
	case Boolean:
		return bits%2 == 0, data
	default:
		return time.UnixMicro(int64(bits)), data
	}
}
