package docgen

import (
	"math/rand/v2"
	"testing"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
)

// TestOrderIsUnicodes compares the order of names with the Unicode collation algorithm, as x/text has it.
func TestOrderIsUnicodes(t *testing.T) {
	t.Parallel()
	unicode := collate.New(language.Und)
	own := newOrder()
	random := rand.New(rand.NewPCG(1, 2))
	name := func(alphabet []rune) string {
		text := make([]rune, random.IntN(6))
		for i := range text {
			text[i] = alphabet[random.IntN(len(alphabet))]
		}
		return string(text)
	}
	ascii := make([]byte, 0x80)
	for i := range ascii {
		ascii[i] = byte(i)
	}
	for _, alphabet := range [][]rune{[]rune(string(ascii)), []rune("aAbB_-.1"), []rune("zZ/ $"), []rune("aÁáABb")} {
		for range 50_000 {
			a, b := name(alphabet), name(alphabet)
			if got, want := own.compare(a, b), unicode.CompareString(a, b); got != want {
				t.Fatalf("%q and %q compare as %d, want %d", a, b, got, want)
			}
		}
	}
	for _, pair := range [][2]string{{"ä", "b"}, {"ä", "ö"}, {"z", "я"}, {"а", "б"}} {
		if own.compare(pair[0], pair[1]) >= 0 {
			t.Errorf("%q is not before %q", pair[0], pair[1])
		}
	}
}
