package syntax

import (
	"bytes"

	"github.com/interdict/interdict/stages/normalize/extract"
)

// Lines splits a record of text into messages: the elements of concatenated or
// enclosed XML events, messages with an octet count before each, or else lines.
// Blank lines are left out. offset is the place in data.
func Lines(data []byte, yield func(line []byte, offset int) bool) {
	pos := skipStart(data)
	if isXML(trimEnd(data[pos:])) {
		xmlEvents(data, pos, yield)
		return
	}
	for pos < len(data) {
		if end := frameEnd(data, pos); end > 0 {
			from := skipFrame(data, pos)
			if !yield(data[from:end], from) {
				return
			}
			pos = extract.SkipSpace(data, end)
			continue
		}
		end, next := len(data), len(data)
		if i := bytes.IndexByte(data[pos:], '\n'); i >= 0 {
			end, next = pos+i, pos+i+1
		}
		if line := trimEnd(data[pos:end]); len(line) > 0 && !yield(line, pos) {
			return
		}
		pos = next
	}
}

// frameEnd finds where the message with an octet count at pos ends; 0 if there
// is no count, or what follows shows that it is wrong.
func frameEnd(data []byte, pos int) int {
	from := skipFrame(data, pos)
	if from == pos {
		return 0
	}
	n := 0
	for _, c := range data[pos : from-1] { // at most seven digits
		n = 10*n + int(c-'0')
	}
	end := from + n
	if end > len(data) || n == 0 {
		return 0
	}
	if next := extract.SkipSpace(data, end); next == len(data) || data[end-1] == '\n' || data[end] == '\n' || skipFrame(data, next) > next {
		return end
	}
	return 0
}
