package pipeline

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/syntax"
	"github.com/klauspost/compress/zstd"
)

// maxWholeFile bounds a file that is one JSON document (an array, or objects over
// several lines) or CSV: it is read as a whole. Files of lines have no bound.
const maxWholeFile = 1 << 30

// FileRecord is one record of a file.
type FileRecord struct {
	Number int64 // from 1: the line, the row, or 1 for a file that is one document
	Value  []byte
}

// FileTime is when a file was last written: the time of records in it that have
// none. Zero for standard input and what cannot be asked.
func FileTime(name string) schema.Millis {
	info, err := os.Stat(name)
	if name == "-" || err != nil {
		return 0
	}
	return schema.FromTime(info.ModTime())
}

// ReadRecords reads a file of alerts ("-" is standard input) and yields its
// records: the lines of NDJSON or text, the rows of CSV and Zeek logs as objects,
// or the whole of a file that is one JSON text or XML. gzip and zstd are recognized by their first
// bytes. A value is valid until yield returns. Blank lines are no records.
func ReadRecords(ctx context.Context, name string, stdin io.Reader, yield func(FileRecord) error) error {
	var r io.Reader = stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		r = f
	}
	br := bufio.NewReaderSize(r, 1<<20)
	head, err := br.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	base := name
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(br)
		if err != nil {
			return fmt.Errorf("reading %s as gzip: %w", name, err)
		}
		defer z.Close()
		br = bufio.NewReaderSize(z, 1<<20)
		base = strings.TrimSuffix(base, ".gz")
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(br, zstd.WithDecoderMaxMemory(256<<20))
		if err != nil {
			return fmt.Errorf("reading %s as zstd: %w", name, err)
		}
		defer z.Close()
		br = bufio.NewReaderSize(z, 1<<20)
		base = strings.TrimSuffix(base, ".zst")
	}
	wrap := func(err error) error {
		if err != nil {
			return fmt.Errorf("reading %s: %w", name, err)
		}
		return nil
	}
	if strings.EqualFold(filepath.Ext(base), ".csv") {
		return wrap(readRows(ctx, br, "CSV", syntax.CSVRows, yield))
	}
	if table, _ := br.Peek(64); syntax.HasZeekHeader(table) {
		return wrap(readRows(ctx, br, "Zeek log", syntax.ZeekRows, yield))
	}
	if oneDocument(br) {
		data, err := readWhole(br, "JSON or XML text", "write it as one object a line")
		if err != nil {
			return wrap(err)
		}
		return yield(FileRecord{1, data})
	}
	return wrap(readLines(ctx, br, yield))
}

// oneDocument reports whether the text is better read as a whole: it begins with
// an array (lines of text may begin with a bracket, too) or is XML, or its first line is not a JSON value by itself although it begins
// like an object.
func oneDocument(br *bufio.Reader) bool {
	for size := 4 << 10; ; size *= 4 {
		head, err := br.Peek(min(size, br.Size()))
		text := bytes.TrimLeft(head, " \t\r\n\xef\xbb\xbf")
		if len(text) > 1 && text[0] == '[' {
			inner := bytes.TrimLeft(text[1:], " \t\r\n")
			return len(inner) == 0 || bytes.IndexByte([]byte(`{["]`), inner[0]) >= 0
		}
		if bytes.HasPrefix(text, []byte("<?xml")) || bytes.HasPrefix(text, []byte("<Event")) {
			return true
		}
		if len(text) > 0 && text[0] != '{' {
			return false
		}
		if line, rest, found := bytes.Cut(text, []byte("\n")); found {
			// A broken first line of an NDJSON file must not swallow the file: it is
			// one document only if what follows is no object of its own.
			return !json.Valid(line) && !bytes.HasPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte("{"))
		}
		if err != nil || size >= br.Size() {
			return false
		}
	}
}

func readLines(ctx context.Context, br *bufio.Reader, yield func(FileRecord) error) error {
	var long []byte
	for n := int64(1); ; n++ {
		if n&1023 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		line, err := br.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			long = long[:0]
			for errors.Is(err, bufio.ErrBufferFull) {
				if len(long) > maxWholeFile {
					return fmt.Errorf("line %d: longer than %d bytes", n, maxWholeFile)
				}
				long = append(long, line...)
				line, err = br.ReadSlice('\n')
			}
			long = append(long, line...)
			line = long
		}
		if n == 1 {
			line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
		}
		if v := bytes.TrimRight(line, "\r\n"); len(bytes.TrimSpace(v)) > 0 {
			if err := yield(FileRecord{n, v}); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
}

// readRows yields each row of a table as a JSON object of strings under the
// header's names, in their order. A row that cannot be read is yielded as it is, to
// be rejected with its bytes.
func readRows(ctx context.Context, br *bufio.Reader, what string, rows func([]byte, func([]byte, error) bool), yield func(FileRecord) error) error {
	data, err := readWhole(br, what, "split it")
	if err != nil {
		return err
	}
	n := int64(0)
	rows(data, func(doc []byte, _ error) bool {
		n++
		if err = yield(FileRecord{n, doc}); err == nil && n&1023 == 0 {
			err = ctx.Err()
		}
		return err == nil
	})
	return err
}

func readWhole(br *bufio.Reader, what, cure string) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(br, maxWholeFile+1))
	if err == nil && len(data) > maxWholeFile {
		err = fmt.Errorf("one %s of more than %d bytes: %s", what, maxWholeFile, cure)
	}
	return data, err
}
