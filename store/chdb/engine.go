package chdb

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"unsafe"

	"github.com/ebitengine/purego"
)

// engine is the loaded library: the C functions by their C names, and what is
// needed to open connections. One per process; it cannot be unloaded.
type engine struct {
	args []string // boot arguments, repeated for every connection

	mu sync.Mutex // serializes connects: see keepSignals

	connect       func(argc int32, argv unsafe.Pointer) unsafe.Pointer
	closeConn     func(conn unsafe.Pointer)
	setSignals    func(enabled int32)
	queryParams   func(conn, q unsafe.Pointer, qn uintptr, f unsafe.Pointer, fn uintptr, names, nameLens, values, valueLens unsafe.Pointer, n uintptr) unsafe.Pointer
	streamParams  func(conn, q unsafe.Pointer, qn uintptr, f unsafe.Pointer, fn uintptr, names, nameLens, values, valueLens unsafe.Pointer, n uintptr) unsafe.Pointer
	insertParams  func(conn, q unsafe.Pointer, qn uintptr, f unsafe.Pointer, fn uintptr, names, nameLens, values, valueLens unsafe.Pointer, n uintptr) unsafe.Pointer
	streamFetch   func(conn, res unsafe.Pointer) unsafe.Pointer
	streamCancel  func(conn, res unsafe.Pointer)
	resultBuffer  func(res unsafe.Pointer) unsafe.Pointer
	resultLength  func(res unsafe.Pointer) uintptr
	resultError   func(res unsafe.Pointer) string
	resultWritten func(res unsafe.Pointer) uint64
	resultDestroy func(res unsafe.Pointer)
	insertAppend  func(ins, data unsafe.Pointer, n uintptr) int32
	insertDone    func(ins unsafe.Pointer) unsafe.Pointer
	insertCancel  func(ins unsafe.Pointer)
	insertError   func(ins unsafe.Pointer) string
	insertDestroy func(ins unsafe.Pointer)
}

// loadEngine maps the library and binds its functions. args are command-line
// arguments of the engine (--path=..., --setting=value); server options take
// effect on the first connection, settings on each.
func loadEngine(path string, args []string) (*engine, error) {
	lib, err := purego.Dlopen(path, purego.RTLD_LAZY|purego.RTLD_LOCAL)
	if err != nil {
		return nil, fmt.Errorf("loading the ClickHouse library %s: %w", path, err)
	}
	e := &engine{args: args}
	for _, b := range []struct {
		name string
		fn   any
	}{
		{"chdb_connect", &e.connect},
		{"chdb_close_conn", &e.closeConn},
		{"chdb_set_signal_handlers_enabled", &e.setSignals},
		{"chdb_query_with_params_n", &e.queryParams},
		{"chdb_stream_query_with_params_n", &e.streamParams},
		{"chdb_stream_insert_with_params_n", &e.insertParams},
		{"chdb_stream_fetch_result", &e.streamFetch},
		{"chdb_stream_cancel_query", &e.streamCancel},
		{"chdb_result_buffer", &e.resultBuffer},
		{"chdb_result_length", &e.resultLength},
		{"chdb_result_error", &e.resultError},
		{"chdb_result_rows_written", &e.resultWritten},
		{"chdb_destroy_query_result", &e.resultDestroy},
		{"chdb_stream_append", &e.insertAppend},
		{"chdb_stream_done", &e.insertDone},
		{"chdb_stream_cancel_insert", &e.insertCancel},
		{"chdb_stream_insert_error", &e.insertError},
		{"chdb_destroy_insert_stream", &e.insertDestroy},
	} {
		sym, err := purego.Dlsym(lib, b.name)
		if err != nil {
			return nil, fmt.Errorf("the ClickHouse library %s is too old or damaged (no %s): run `make clickhouse-lib`", path, b.name)
		}
		purego.RegisterFunc(b.fn, sym)
	}
	if err := keepSignals(func() { e.setSignals(0) }); err != nil {
		return nil, err
	}
	return e, nil
}

// conn is one engine connection. It runs one statement at a time and belongs to
// one goroutine at a time; separate connections run in parallel.
type conn struct {
	e   *engine
	ref unsafe.Pointer // what chdb_connect returned; close takes this
	h   unsafe.Pointer // *ref, the handle that statements take

}

var errConnect = errors.New("the ClickHouse engine refused to open a connection (see its messages on stderr)")

// open makes a connection, 0.3 ms once the engine is up. The first one boots
// the engine and the last one closed would shut it down, so the owner of the
// engine keeps one for as long as it lives.
func (e *engine) open() (*conn, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var pin runtime.Pinner
	defer pin.Unpin()
	argv := make([]unsafe.Pointer, 0, len(e.args)+2)
	for _, a := range append([]string{"clickhouse"}, e.args...) {
		c := append([]byte(a), 0)
		pin.Pin(&c[0])
		argv = append(argv, unsafe.Pointer(&c[0]))
	}
	argv = append(argv, nil)
	pin.Pin(&argv[0])
	var ref unsafe.Pointer
	if err := keepSignals(func() { ref = e.connect(int32(len(argv)-1), unsafe.Pointer(&argv[0])) }); err != nil {
		return nil, err
	}
	if ref == nil {
		return nil, errConnect
	}
	h := *(*unsafe.Pointer)(ref)
	if h == nil {
		return nil, errConnect
	}
	return &conn{e: e, ref: ref, h: h}, nil
}

func (c *conn) close() {
	if c.ref != nil {
		c.e.closeConn(c.ref)
		c.ref, c.h = nil, nil
	}
}

// cCall holds one statement's strings where C can read them. Go's collector does
// not move heap memory, but the rules ask for pinning what C reaches through
// another pointer, which the parameter vectors are.
type cCall struct {
	pin              runtime.Pinner
	q, f             unsafe.Pointer
	qn, fn, n        uintptr
	names, values    []unsafe.Pointer
	nameLen, valLen  []uintptr
	pn, pnl, pv, pvl unsafe.Pointer
}

func newCall(query, format string, params []param) *cCall {
	c := &cCall{qn: uintptr(len(query)), fn: uintptr(len(format)), n: uintptr(len(params))}
	c.q, c.f = c.str(query), c.str(format)
	if len(params) == 0 {
		return c
	}
	for _, p := range params {
		c.names, c.nameLen = append(c.names, c.str(p.name)), append(c.nameLen, uintptr(len(p.name)))
		c.values, c.valLen = append(c.values, c.str(p.value)), append(c.valLen, uintptr(len(p.value)))
	}
	c.pn, c.pv = c.vec(unsafe.Pointer(&c.names[0])), c.vec(unsafe.Pointer(&c.values[0]))
	c.pnl, c.pvl = c.vec(unsafe.Pointer(&c.nameLen[0])), c.vec(unsafe.Pointer(&c.valLen[0]))
	return c
}

// str pins a zero-terminated copy of s: the engine takes lengths, but an empty
// string still needs an address.
func (c *cCall) str(s string) unsafe.Pointer {
	b := append([]byte(s), 0)
	c.pin.Pin(&b[0])
	return unsafe.Pointer(&b[0])
}

func (c *cCall) vec(p unsafe.Pointer) unsafe.Pointer { c.pin.Pin(p); return p }

func (c *cCall) done() { c.pin.Unpin() }
