package chdb

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/ClickHouse/ch-go/proto"
)

// createExternal makes the tables sent along with a query, for this connection
// alone, which must be dropped afterwards.
func (l *lease) createExternal(tables []external) error {
	for _, t := range tables {
		if err := l.exec("CREATE TEMPORARY TABLE " + quoteName(t.name) + " (" + t.structure + ") ENGINE = Memory"); err != nil {
			return err
		}
		if err := l.fill(t); err != nil {
			return err
		}
	}
	return nil
}

func (l *lease) fill(t external) error {
	ins, err := l.insert("INSERT INTO "+quoteName(t.name), t.format, nil)
	if err != nil {
		return err
	}
	defer ins.destroy()
	if err := ins.append(t.data); err != nil {
		ins.cancel()
		return err
	}
	_, err = ins.done()
	return err
}

// emptyHeader sends a Native block of no rows that names the query's columns.
// The engine writes nothing at all for an empty result, but clients take column
// names and types from the first block.
func (l *lease) emptyHeader(a *answer, req *request) error {
	res, err := l.query("DESCRIBE TABLE (\n"+req.statement.body+"\n) SETTINGS print_pretty_type_names = 0", "JSONCompactEachRow", req.params)
	if err != nil {
		return err
	}
	defer res.free()
	block, err := headerBlock(res.data)
	if err != nil {
		return fmt.Errorf("reading a query's columns: %w", err)
	}
	_, err = a.Write(block)
	return err
}

// headerBlock turns rows of DESCRIBE (name, type and more) into an empty Native
// block at revision 0 with these columns.
func headerBlock(described []byte) ([]byte, error) {
	var columns proto.Buffer
	n := 0
	for dec := json.NewDecoder(bytes.NewReader(described)); ; n++ {
		var row []any
		if err := dec.Decode(&row); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		if len(row) < 2 {
			return nil, fmt.Errorf("a description of %d values", len(row))
		}
		for _, v := range row[:2] {
			text, ok := v.(string)
			if !ok {
				return nil, fmt.Errorf("a description with %T", v)
			}
			columns.PutString(text)
		}
	}
	var out proto.Buffer
	out.PutInt(n)
	out.PutInt(0)
	return append(out.Buf, columns.Buf...), nil
}
