package chdb

import (
	"context"
	"strings"
	"sync"
)

// param is one {name:Type} value, escaped as in a TSV field, which is how both
// the HTTP interface and the engine carry it.
type param struct{ name, value string }

// setting is one engine setting from a request.
type setting struct{ name, value string }

// pool keeps idle engine connections per database. A connection with settings
// or session state is used once and closed; a clean one goes back.
type pool struct {
	e     *engine
	slots chan struct{} // bounds the statements that run at once

	mu     sync.Mutex
	idle   map[string][]*conn // by database
	closed bool
}

const idlePerDatabase = 8

func newPool(e *engine, limit int) *pool {
	return &pool{e: e, slots: make(chan struct{}, limit), idle: map[string][]*conn{}}
}

// lease is a connection in use. Exactly one of put (clean) and drop ends it.
type lease struct {
	*conn
	p        *pool
	database string
	once     bool // has settings: must not serve another request
}

// get waits for a free slot and returns a connection to database with the
// settings applied.
func (p *pool) get(ctx context.Context, database string, settings []setting) (*lease, error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	l, err := p.prepare(database, settings)
	if err != nil {
		<-p.slots
		return nil, err
	}
	return l, nil
}

func (p *pool) prepare(database string, settings []setting) (*lease, error) {
	l := &lease{p: p, database: database, once: len(settings) > 0, conn: p.popIdle(database)}
	if l.conn == nil {
		c, err := p.e.open()
		if err != nil {
			return nil, err
		}
		l.conn = c
		if database != "" {
			if err := c.exec("USE " + quoteName(database)); err != nil {
				c.close()
				return nil, err
			}
		}
	}
	if len(settings) > 0 {
		if err := l.exec(setStatement(settings)); err != nil {
			l.conn.close()
			return nil, err
		}
	}
	return l, nil
}

func (p *pool) popIdle(database string) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	idle := p.idle[database]
	if len(idle) == 0 {
		return nil
	}
	c := idle[len(idle)-1]
	p.idle[database] = idle[:len(idle)-1]
	return c
}

// put gives the connection back for reuse.
func (l *lease) put() {
	l.p.mu.Lock()
	keep := !l.once && !l.p.closed && len(l.p.idle[l.database]) < idlePerDatabase
	if keep {
		l.p.idle[l.database] = append(l.p.idle[l.database], l.conn)
	}
	l.p.mu.Unlock()
	if !keep {
		l.conn.close()
	}
	<-l.p.slots
}

// drop closes a connection whose state is changed or unknown.
func (l *lease) drop() {
	l.conn.close()
	<-l.p.slots
}

// close closes the idle connections; those in use close as they come back.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, idle := range p.idle {
		for _, c := range idle {
			c.close()
		}
	}
	p.idle = nil
}

func setStatement(settings []setting) string {
	var b strings.Builder
	b.WriteString("SET ")
	for i, s := range settings {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(s.name + " = " + quoteString(s.value))
	}
	return b.String()
}
