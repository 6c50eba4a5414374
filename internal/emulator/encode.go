package emulator

import (
	"encoding/json"
	"fmt"
)

// encode writes JSON. Only values that the package itself makes come here, and all of them encode.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Appendf(nil, `{"error_code":"INTERNAL_ERROR","message":%q}`, err.Error())
	}
	return b
}
