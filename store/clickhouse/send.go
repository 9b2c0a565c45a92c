package clickhouse

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// sender sends one block as one insert. buf is memory it may use.
type sender interface {
	send(ctx context.Context, buf *proto.Buffer, b block, settings map[string]any) error
	close()
}

// poster sends blocks in the Native format over HTTP. Encoding a row this way
// costs a fraction of what clickhouse-go's batches do.
type poster struct {
	client *http.Client
	opts   *clickhouse.Options
	scheme string
	host   atomic.Uint32 // index of the host in use; moves on when one does not answer
}

func newPoster(opts *clickhouse.Options, connections int) *poster {
	t := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: opts.DialTimeout}).DialContext,
		MaxIdleConnsPerHost: connections,
		MaxConnsPerHost:     connections,
		TLSClientConfig:     opts.TLS,
		DisableCompression:  true,
	}
	p := &poster{client: &http.Client{Transport: t}, opts: opts, scheme: "http"}
	if opts.TLS != nil {
		p.scheme = "https"
	}
	return p
}

func (p *poster) close() { p.client.CloseIdleConnections() }

func (p *poster) send(ctx context.Context, buf *proto.Buffer, b block, settings map[string]any) error {
	buf.Reset()
	if err := (proto.Block{Columns: len(b.columns), Rows: b.rows}).EncodeRawBlock(buf, 0, b.columns); err != nil {
		return fmt.Errorf("encoding: %w", err)
	}
	query := url.Values{"database": {p.opts.Auth.Database}, "query": {b.insert() + " FORMAT Native"}}
	for _, set := range []map[string]any{p.opts.Settings, settings} {
		for k, v := range set {
			query.Set(k, fmt.Sprint(v))
		}
	}
	body := buf.Buf
	if method, ok := p.compression(); ok {
		w := compress.NewWriter(compress.LevelZero, method)
		if err := w.Compress(body); err != nil {
			return fmt.Errorf("compressing: %w", err)
		}
		body = w.Data
		query.Set("decompress", "1")
	}
	return p.post(ctx, query, body)
}

// compression is what the DSN asks for. Others of its methods are for HTTP
// itself; they cost more than they save here, and the block is sent plain.
func (p *poster) compression() (compress.Method, bool) {
	if p.opts.Compression == nil {
		return 0, false
	}
	switch p.opts.Compression.Method {
	case clickhouse.CompressionLZ4, clickhouse.CompressionLZ4HC:
		return compress.LZ4, true
	case clickhouse.CompressionZSTD:
		return compress.ZSTD, true
	}
	return 0, false
}

func (p *poster) post(ctx context.Context, query url.Values, body []byte) error {
	n := p.host.Load()
	target := url.URL{Scheme: p.scheme, Host: p.opts.Addr[int(n)%len(p.opts.Addr)], Path: p.opts.HttpUrlPath, RawQuery: query.Encode()}
	if target.Path == "" {
		target.Path = "/"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	for k, v := range p.opts.HttpHeaders {
		req.Header.Set(k, v)
	}
	req.Header.Set("X-ClickHouse-User", p.opts.Auth.Username)
	req.Header.Set("X-ClickHouse-Key", p.opts.Auth.Password)
	resp, err := p.client.Do(req)
	if err != nil {
		p.host.CompareAndSwap(n, n+1)
		// The URL in the error holds the whole statement; the cause says enough.
		if u, ok := err.(*url.Error); ok {
			err = u.Err
		}
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	code, _ := strconv.Atoi(resp.Header.Get("X-ClickHouse-Exception-Code"))
	if code != 0 {
		return &clickhouse.Exception{Code: int32(code), Name: "DB::Exception", Message: strings.TrimSpace(string(answer))}
	}
	// An insert answers nothing: text is an error that came too late for the
	// status, or a proxy's.
	if resp.StatusCode != http.StatusOK || len(bytes.TrimSpace(answer)) > 0 {
		return fmt.Errorf("HTTP status %d: %.500q", resp.StatusCode, answer)
	}
	return nil
}

// batcher sends blocks through clickhouse-go, which is the way over native TCP.
type batcher struct{ conn driver.Conn }

func (b *batcher) close() {}

func (b *batcher) send(ctx context.Context, _ *proto.Buffer, blk block, settings map[string]any) error {
	batch, err := b.conn.PrepareBatch(clickhouse.Context(ctx, clickhouse.WithSettings(settings)), blk.insert())
	if err != nil {
		return err
	}
	for i, list := range blk.lists() {
		if err := batch.Column(i).Append(list); err != nil {
			_ = batch.Abort()
			return fmt.Errorf("column %s: %w", blk.columns[i].Name, err)
		}
	}
	return batch.Send()
}
