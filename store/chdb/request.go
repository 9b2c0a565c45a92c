package chdb

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
)

// request is one call of the HTTP interface, parsed.
type request struct {
	statement
	database      string
	settings      []setting
	params        []param
	defaultFormat string
	revision      int  // client_protocol_version
	compress      bool // answer in ClickHouse's own compressed frames
	zstd          bool
	body          io.Reader // what is left of the body: insert data
	external      []external
}

// external is a table sent along with one query.
type external struct {
	name, structure, format string
	data                    []byte
}

// maxQueryBytes bounds a query's text, external tables included. Insert data is
// streamed and has no bound.
const maxQueryBytes = 256 << 20

// reserved are URL parameters of the HTTP interface that are not settings.
// query_id and quota_key are accepted and ignored: the engine has neither.
// send_progress_in_http_headers and wait_end_of_query have no effect here: an
// insert is always answered after its end.
func reserved(name string) bool {
	switch name {
	case "query", "database", "default_format", "client_protocol_version", "compress", "decompress",
		"user", "password", "query_id", "quota_key", "role", "stacktrace", "buffer_size", "wait_end_of_query",
		"send_progress_in_http_headers", "network_compression_method", "network_zstd_compression_level",
		"enable_http_compression", "http_zlib_compression_level":
		return true
	}
	return false
}

// parseRequest reads the URL and as much of the body as the query's text needs.
func parseRequest(r *http.Request) (*request, error) {
	q := r.URL.Query()
	req := &request{
		database:      first(q.Get("database"), r.Header.Get("X-ClickHouse-Database")),
		defaultFormat: first(q.Get("default_format"), r.Header.Get("X-ClickHouse-Format"), "TabSeparated"),
		compress:      q.Get("compress") == "1",
		zstd:          strings.EqualFold(q.Get("network_compression_method"), "ZSTD"),
	}
	req.revision, _ = strconv.Atoi(q.Get("client_protocol_version"))
	body, err := requestBody(r, q.Get("decompress") == "1")
	if err != nil {
		return nil, err
	}
	text := q.Get("query")
	switch {
	case strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data"):
		if text, err = req.readParts(r, q, text); err != nil {
			return nil, err
		}
		body = nil
	case text == "" || leadingWord(text) != "INSERT":
		rest, err := readAll(body)
		if err != nil {
			return nil, err
		}
		text, body = text+string(rest), nil
	}
	if strings.TrimSpace(text) == "" {
		return nil, newException(codeSyntaxError, "SYNTAX_ERROR", "Empty query")
	}
	req.statement = parseStatement(text)
	req.body = body
	if req.kind != kindInsertData {
		req.data = ""
	} else if req.data != "" {
		inline := io.Reader(strings.NewReader(req.data))
		if body != nil {
			inline = io.MultiReader(inline, body)
		}
		req.body = inline
	}
	return req, req.readSettings(q)
}

func (req *request) readSettings(q url.Values) error {
	for name, values := range q {
		value := values[len(values)-1]
		switch {
		case reserved(name):
		case strings.HasPrefix(name, "param_"):
			req.params = append(req.params, param{strings.TrimPrefix(name, "param_"), value})
		case name == "session_id" || name == "session_timeout" || name == "session_check":
			return newException(codeNotImplemented, "NOT_IMPLEMENTED", "HTTP sessions (%s) are not available in the embedded engine", name)
		case req.isExternal(name):
		case !isName(name):
			return newException(codeBadArguments, "BAD_ARGUMENTS", "Bad setting name %q", name)
		default:
			req.settings = append(req.settings, setting{name, value})
		}
	}
	// A map's order would make equal requests run different statements.
	sort.Slice(req.settings, func(i, j int) bool { return req.settings[i].name < req.settings[j].name })
	sort.Slice(req.params, func(i, j int) bool { return req.params[i].name < req.params[j].name })
	return nil
}

func (req *request) isExternal(name string) bool {
	for _, t := range req.external {
		if name == t.name+"_structure" || name == t.name+"_format" || name == t.name+"_types" {
			return true
		}
	}
	return false
}

// readParts reads a multipart body: the query and external tables. A table is
// told from a field by its structure in the URL, since clickhouse-go sends
// tables with an empty file name.
func (req *request) readParts(r *http.Request, q url.Values, text string) (string, error) {
	mr, err := r.MultipartReader()
	if err != nil {
		return "", newException(codeBadArguments, "BAD_ARGUMENTS", "Bad multipart body: %v", err)
	}
	for {
		part, err := mr.NextPart()
		if err == io.EOF {
			return text, nil
		}
		if err != nil {
			return "", newException(codeBadArguments, "BAD_ARGUMENTS", "Bad multipart body: %v", err)
		}
		data, err := readAll(part)
		if err != nil {
			return "", err
		}
		name := part.FormName()
		structure := q.Get(name + "_structure")
		switch {
		case name == "query":
			text += string(data)
		case structure != "" && isName(name):
			req.external = append(req.external, external{name, structure, first(q.Get(name+"_format"), "TabSeparated"), data})
		case strings.HasPrefix(name, "param_"):
			req.params = append(req.params, param{strings.TrimPrefix(name, "param_"), string(data)})
		default:
			return "", newException(codeBadArguments, "BAD_ARGUMENTS", "External table %q has no structure", name)
		}
	}
}

// requestBody undoes the body's compression.
func requestBody(r *http.Request, framed bool) (io.Reader, error) {
	var body io.Reader = r.Body
	var err error
	switch enc := r.Header.Get("Content-Encoding"); enc {
	case "", "identity":
	case "gzip":
		body, err = gzip.NewReader(r.Body)
	case "deflate":
		body, err = zlib.NewReader(r.Body)
	default:
		return nil, newException(codeNotImplemented, "NOT_IMPLEMENTED", "Content-Encoding %q; use none, lz4 or zstd frames, gzip or deflate", enc)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the compressed body: %w", err)
	}
	if framed {
		body = newFrameReader(body)
	}
	return body, nil
}

func readAll(r io.Reader) ([]byte, error) {
	if r == nil {
		return nil, nil
	}
	var b bytes.Buffer
	n, err := b.ReadFrom(io.LimitReader(r, maxQueryBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading the request: %w", err)
	}
	if n > maxQueryBytes {
		return nil, newException(codeSyntaxError, "SYNTAX_ERROR", "Query is longer than %d bytes", maxQueryBytes)
	}
	return b.Bytes(), nil
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// isName reports whether s can stand in SQL unquoted.
func isName(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c != '_' && (c < '0' || c > '9' || i == 0) && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return s != ""
}

func quoteName(s string) string {
	return "`" + strings.NewReplacer("\\", "\\\\", "`", "\\`").Replace(s) + "`"
}

func quoteString(s string) string {
	return "'" + strings.NewReplacer("\\", "\\\\", "'", "\\'").Replace(s) + "'"
}
