package schema_test

import (
	"bytes"
	"testing"

	"github.com/interdict/interdict/schema"
)

// TestContentSumSeesEveryByte: a change anywhere gives another name.
func TestContentSumSeesEveryByte(t *testing.T) {
	for _, n := range []int{1, 512, 513, 1300, 5000} {
		content := bytes.Repeat([]byte("abcdefg"), n/7+1)[:n]
		seen := map[string]int{schema.ContentSum(content): -1}
		for i := range content {
			content[i] ^= 1
			sum := schema.ContentSum(content)
			if other, ok := seen[sum]; ok || len(sum) != 32 {
				t.Fatalf("%d bytes: changes at %d and %d give %s", n, i, other, sum)
			}
			seen[sum] = i
			content[i] ^= 1
		}
		if seen[schema.ContentSum(append(content, 'x'))] != 0 {
			t.Errorf("%d bytes: a byte more gives a name that is there", n)
		}
	}
}

func BenchmarkContentSum(b *testing.B) {
	content := bytes.Repeat([]byte("0123456789"), 128)
	var dst []byte
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		dst = schema.AppendContentSum(dst[:0], content)
	}
}
