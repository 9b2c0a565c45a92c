package pipeline

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// TestSections: what goes in in any pieces comes out in any pieces, section by
// section, and a stream that is cut is never taken for a whole one.
func TestSections(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var stream bytes.Buffer
		var want [][]byte
		for range rapid.IntRange(1, 4).Draw(t, "sections") {
			var all []byte
			err := writeSection(&stream, func(w io.Writer) error {
				for range rapid.IntRange(0, 4).Draw(t, "writes") {
					size := rapid.SampledFrom([]int{0, 1, 7, maxBlock - 1, maxBlock, maxBlock + 1, 2*maxBlock + 5}).Draw(t, "size")
					part := bytes.Repeat([]byte{byte(len(all)), 1, 0}, size/3+1)[:size]
					all = append(all, part...)
					if n, err := w.Write(part); n != size || err != nil {
						return io.ErrShortWrite
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, all)
		}
		whole := stream.Bytes()
		var r io.Reader = bytes.NewReader(whole)
		if rapid.Bool().Draw(t, "halves") {
			r = iotest.DataErrReader(iotest.HalfReader(r))
		}
		for i, w := range want {
			s := &section{r: r}
			got, err := io.ReadAll(s)
			if err != nil || !bytes.Equal(got, w) || !s.done {
				t.Fatalf("section %d: %d bytes of %d, %v", i, len(got), len(w), err)
			}
		}
		s := &section{r: r}
		if n, err := s.Read(make([]byte, 1)); n != 0 || err != io.EOF || s.done {
			t.Fatalf("behind the last section: %d %v", n, err)
		}
		cut := rapid.IntRange(0, len(whole)-1).Draw(t, "cut")
		r = bytes.NewReader(whole[:cut])
		for range want {
			s := &section{r: r}
			if _, err := io.ReadAll(s); err != nil || !s.done {
				return
			}
		}
		t.Fatalf("cut at %d of %d bytes: read as whole", cut, len(whole))
	})
}

func TestSectionWriterFails(t *testing.T) {
	full := errWriter{}
	for _, size := range []int{0, 10, 3 * maxBlock} {
		if writeSection(full, func(w io.Writer) error { _, err := w.Write(make([]byte, size)); return err }) == nil {
			t.Errorf("%d bytes into a writer that fails", size)
		}
	}
}

type errWriter struct{}

func (errWriter) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

// FuzzRestore: a damaged snapshot is an error, never a panic or a hang.
func FuzzRestore(f *testing.F) {
	l := diaryLane()
	give(f, l, 0, alertEntry("t", "a", 1), controlEntry(killSwitch("on")), watermarkEntry("t", 1, 1))
	l.Commit()
	f.Add(snapshotOf(f, l))
	f.Add([]byte{2, 0, 0, 0, '{', '}', 0, 0, 0, 0})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		n := diaryLane()
		if err := n.Restore(bytes.NewReader(data)); err != nil {
			return
		}
		again := diaryLane()
		if err := again.Restore(bytes.NewReader(snapshotOf(t, n))); err != nil || !bytes.Equal(snapshotOf(t, again), snapshotOf(t, n)) {
			t.Fatalf("what was restored does not restore: %v", err)
		}
	})
}
