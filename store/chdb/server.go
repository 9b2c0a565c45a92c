package chdb

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// server is the HTTP interface in front of one engine.
type server struct {
	key      string
	version  string
	timezone string
	e        *engine
	pool     *pool
	log      *slog.Logger

	run  string // random, part of every statement's mark
	next atomic.Uint64

	rootMu sync.Mutex
	root   *conn // keeps the engine up; runs only KILL after the start
}

func newServer(e *engine, root *conn, key string, limit int, log *slog.Logger) (*server, error) {
	s := &server{key: key, e: e, root: root, pool: newPool(e, limit), log: log, run: strings.ToLower(rand.Text())}
	r, err := root.query("SELECT version(), timezone()", "TabSeparatedRaw", nil)
	if err != nil {
		return nil, fmt.Errorf("asking the engine for its version: %w", err)
	}
	defer r.free()
	var ok bool
	if s.version, s.timezone, ok = strings.Cut(strings.TrimSpace(string(r.data)), "\t"); !ok {
		return nil, fmt.Errorf("the engine told an odd version: %q", r.data)
	}
	return s, nil
}

func (s *server) close() {
	s.pool.close()
}

// ServeHTTP answers /ping without a key and everything else with it.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/ping" {
		_, _ = io.WriteString(w, "Ok.\n")
		return
	}
	a := newAnswer(w)
	if !s.authorized(r) {
		a.fail(newException(codeAuthenticationFailed, "AUTHENTICATION_FAILED", "Wrong or missing key"))
		return
	}
	if r.Method != http.MethodPost && r.Method != http.MethodGet {
		a.fail(newException(codeNotImplemented, "NOT_IMPLEMENTED", "Method %s", r.Method))
		return
	}
	req, err := parseRequest(r)
	if err == nil {
		a.encode(req)
		err = s.serve(r.Context(), a, req)
	}
	if err == nil {
		err = a.finish()
	}
	if err != nil {
		a.fail(asException(err))
	}
}

// authorized accepts the key as basic-auth password, X-ClickHouse-Key, bearer
// token or password parameter; clients differ in which they send.
func (s *server) authorized(r *http.Request) bool {
	key := r.Header.Get("X-ClickHouse-Key")
	if _, pass, ok := r.BasicAuth(); ok {
		key = pass
	} else if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		key = token
	}
	return s.key != "" && subtle.ConstantTimeCompare([]byte(key), []byte(s.key)) == 1
}

func (s *server) serve(ctx context.Context, a *answer, req *request) error {
	if req.sql == helloQuery {
		block, err := helloBlock(req.revision, s.version, s.timezone)
		if err != nil {
			return err
		}
		_, err = a.Write(block)
		return err
	}
	l, err := s.pool.get(ctx, req.database, req.settings)
	if err != nil {
		return err
	}
	switch {
	case len(req.external) > 0:
		if err = l.createExternal(req.external); err == nil {
			err = s.execute(ctx, a, req, l)
		}
		l.drop()
		return err
	case req.kind == kindSession:
		err = s.execute(ctx, a, req, l)
		l.drop()
		return err
	}
	if err = s.execute(ctx, a, req, l); err != nil {
		l.drop() // it may hold a half-read stream or a canceled query
		return err
	}
	l.put()
	return nil
}

func (s *server) execute(ctx context.Context, a *answer, req *request, l *lease) error {
	switch req.kind {
	case kindInsertData:
		return s.insert(ctx, a, req, l)
	case kindSelect:
		return s.selectRows(ctx, a, req, l)
	}
	sql := req.sql
	if req.kind == kindInsertSelect {
		var stop func()
		sql, stop = s.killable(ctx, sql)
		defer stop()
	}
	res, err := l.query(sql, req.defaultFormat, req.params)
	if err != nil {
		return err
	}
	defer res.free()
	a.written(res.written())
	_, err = a.Write(res.data)
	return err
}

// selectRows streams a result piece by piece as the engine makes it.
func (s *server) selectRows(ctx context.Context, a *answer, req *request, l *lease) error {
	sql, stop := s.killable(ctx, req.sql)
	defer stop()
	st, err := l.stream(sql, req.defaultFormat, req.params)
	if err != nil {
		return err
	}
	finished := false
	defer func() {
		if st != nil {
			st.close(!finished)
		}
	}()
	for {
		res, err := st.next()
		if err != nil {
			return err
		}
		if len(res.data) == 0 {
			res.free()
			finished = true
			break
		}
		_, err = a.Write(res.data)
		res.free()
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	st.close(false)
	st = nil
	if a.began || req.output() != "Native" {
		return nil
	}
	return l.emptyHeader(a, req)
}

// output is the format the answer will be in.
func (req *request) output() string { return first(req.format, req.defaultFormat) }

// insert streams the body into the engine. The answer is sent only after the
// engine has committed, so a 200 is the acknowledgment of the whole batch.
func (s *server) insert(ctx context.Context, a *answer, req *request, l *lease) error {
	ins, err := l.insert(req.sql, req.format, req.params)
	if err != nil {
		return err
	}
	defer ins.destroy()
	if req.body != nil {
		if err := ins.copyFrom(req.body); err != nil {
			ins.cancel()
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		ins.cancel()
		return err
	}
	n, err := ins.done()
	if err != nil {
		return err
	}
	a.written(n)
	return nil
}

const appendBytes = 1 << 20

func (i *insert) copyFrom(body io.Reader) error {
	buf := make([]byte, 64<<10)
	fill := 0
	for {
		if fill == len(buf) && fill < appendBytes { // grow for batches that turn out large
			buf = append(buf, make([]byte, min(3*len(buf), appendBytes-len(buf)))...)
		}
		n, err := body.Read(buf[fill:])
		fill += n
		if fill == appendBytes || err != nil {
			if aerr := i.append(buf[:fill]); aerr != nil {
				return aerr
			}
			fill = 0
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the insert data: %w", err)
		}
	}
}

// killInterval is how often a KILL is repeated: the first may come before the
// engine has registered the query.
const killInterval = 100 * time.Millisecond

// killable marks a statement so that it can be found among the running ones,
// and kills it when ctx ends before stop is called.
func (s *server) killable(ctx context.Context, sql string) (marked string, stop func()) {
	mark := "/*" + s.run + "-" + strconv.FormatUint(s.next.Add(1), 10) + "*/"
	done := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() {
		for {
			s.kill(mark)
			select {
			case <-done:
				return
			case <-time.After(killInterval):
			}
		}
	})
	return mark + sql, func() { cancel(); close(done) }
}

func (s *server) kill(mark string) {
	s.rootMu.Lock()
	defer s.rootMu.Unlock()
	if err := s.root.exec("KILL QUERY WHERE startsWith(query, " + quoteString(mark) + ") ASYNC"); err != nil {
		s.log.Warn("canceling a query failed", "error", err)
	}
}
