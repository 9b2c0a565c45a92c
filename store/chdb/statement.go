package chdb

import (
	"errors"
	"unsafe"
)

// result is a materialized engine result; data is C memory, valid until free.
type result struct {
	e    *engine
	p    unsafe.Pointer
	data []byte
}

// take wraps a returned result, or frees it and returns its error.
func (e *engine) take(p unsafe.Pointer) (result, error) {
	if p == nil {
		return result{}, errors.New("the ClickHouse engine returned no result")
	}
	if msg := e.resultError(p); msg != "" {
		e.resultDestroy(p)
		return result{}, parseException(msg)
	}
	r := result{e: e, p: p}
	if n := e.resultLength(p); n > 0 {
		r.data = unsafe.Slice((*byte)(e.resultBuffer(p)), n)
	}
	return r, nil
}

func (r result) written() uint64 { return r.e.resultWritten(r.p) }
func (r result) free()           { r.e.resultDestroy(r.p) }

// query runs one statement to its end. The result must be freed.
func (c *conn) query(sql, format string, params []param) (result, error) {
	call := newCall(sql, format, params)
	defer call.done()
	return c.e.take(c.e.queryParams(c.h, call.q, call.qn, call.f, call.fn, call.pn, call.pnl, call.pv, call.pvl, call.n))
}

// exec runs a statement whose result does not matter.
func (c *conn) exec(sql string) error {
	r, err := c.query(sql, "Null", nil)
	if err != nil {
		return err
	}
	r.free()
	return nil
}

// stream is an open SELECT. No other statement may run on its connection until
// it is closed.
type stream struct {
	c *conn
	p unsafe.Pointer
}

// stream starts a SELECT or WITH statement; the engine streams no others.
func (c *conn) stream(sql, format string, params []param) (*stream, error) {
	call := newCall(sql, format, params)
	defer call.done()
	r, err := c.e.take(c.e.streamParams(c.h, call.q, call.qn, call.f, call.fn, call.pn, call.pnl, call.pv, call.pvl, call.n))
	if err != nil {
		return nil, err
	}
	return &stream{c: c, p: r.p}, nil
}

// next returns the next piece of output, which must be freed; an empty one is
// the end of the stream.
func (s *stream) next() (result, error) { return s.c.e.take(s.c.e.streamFetch(s.c.h, s.p)) }

// close ends the stream; cancel stops the query first.
func (s *stream) close(cancel bool) {
	if cancel {
		s.c.e.streamCancel(s.c.h, s.p)
	}
	s.c.e.resultDestroy(s.p)
}

// insert is an open streaming INSERT. Nothing is stored before done, except the
// blocks of an input so large that the engine already wrote some.
type insert struct {
	e *engine
	p unsafe.Pointer
}

// insert opens an INSERT whose data arrives in pieces. sql must have no FORMAT
// clause and no data: the engine cuts inline data at the first empty line.
func (c *conn) insert(sql, format string, params []param) (*insert, error) {
	call := newCall(sql, format, params)
	defer call.done()
	p := c.e.insertParams(c.h, call.q, call.qn, call.f, call.fn, call.pn, call.pnl, call.pv, call.pvl, call.n)
	if p == nil {
		return nil, errors.New("the ClickHouse engine opened no insert")
	}
	if msg := c.e.insertError(p); msg != "" {
		c.e.insertDestroy(p)
		return nil, parseException(msg)
	}
	return &insert{e: c.e, p: p}, nil
}

// append hands over data, which the engine copies; it blocks while the engine
// is behind.
func (i *insert) append(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	if i.e.insertAppend(i.p, unsafe.Pointer(&data[0]), uintptr(len(data))) == 0 {
		return nil
	}
	if msg := i.e.insertError(i.p); msg != "" {
		return parseException(msg)
	}
	return errors.New("the ClickHouse engine refused insert data")
}

// done commits and returns the number of rows written, views included.
func (i *insert) done() (uint64, error) {
	r, err := i.e.take(i.e.insertDone(i.p))
	if err != nil {
		return 0, err
	}
	defer r.free()
	return r.written(), nil
}

func (i *insert) cancel()  { i.e.insertCancel(i.p) }
func (i *insert) destroy() { i.e.insertDestroy(i.p) }
