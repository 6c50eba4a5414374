package resource

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
)

// Parent cuts the last segment off a name.
func Parent(name string) string {
	i := strings.LastIndexByte(name, '/')
	return name[:max(i, 0)]
}

// ID returns the last segment of a name.
func ID(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// Key writes an id as a segment of a name. Names are split at slashes and keys at bars, and an id
// may contain both.
func Key(text string) string {
	return strings.NewReplacer("/", "\x01", "|", "\x02").Replace(text)
}

// JoinKey makes the key of an item that several ids identify.
func JoinKey(parts []string) string {
	keys := make([]string, len(parts))
	for i, p := range parts {
		keys[i] = Key(p)
	}
	return strings.Join(keys, "|")
}

// SplitKey returns the ids of a key.
func SplitKey(key string) []string {
	parts := strings.Split(key, "|")
	for i, p := range parts {
		parts[i] = strings.NewReplacer("\x01", "/", "\x02", "|").Replace(p)
	}
	return parts
}

// NewID makes a random UUID (RFC 9562 §5.4).
func NewID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return FormatUUID(b)
}

// FormatUUID writes 16 bytes as a UUID of version 4 (RFC 9562 §5.4).
func FormatUUID(b [16]byte) string {
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
