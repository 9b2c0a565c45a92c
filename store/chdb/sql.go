package chdb

import "strings"

// statementKind says which of the engine's entry points a statement needs.
type statementKind int

const (
	kindOther        statementKind = iota // run to its end
	kindSelect                            // streamed
	kindInsertData                        // data follows, inline or in the body
	kindInsertSelect                      // INSERT ... SELECT: run to its end, can be canceled
	kindSession                           // changes its connection, which is thrown away
)

// statement is what the endpoint needs to know of a query. Only the engine
// parses SQL; this looks at the few words that choose the way in.
type statement struct {
	kind   statementKind
	sql    string // text to run; for kindInsertData without FORMAT, VALUES and data
	format string // explicit FORMAT, or Values
	data   string // inline data of kindInsertData
	body   string // kindSelect: the query without FORMAT clause and trailing semicolon
}

func parseStatement(sql string) statement {
	sc := scanner{s: sql}
	first, ok := sc.word()
	if !ok {
		return statement{sql: sql}
	}
	switch strings.ToUpper(first.text) {
	case "SELECT", "WITH":
		if sc.nested {
			return statement{sql: sql} // "(SELECT ...) UNION ALL ...": not streamed by the engine
		}
		return parseSelect(sql, &sc)
	case "INSERT":
		return parseInsert(sql, &sc)
	case "SET", "USE":
		return statement{kind: kindSession, sql: sql}
	case "CREATE", "DROP", "REPLACE":
		if w, ok := sc.word(); ok && strings.EqualFold(w.text, "TEMPORARY") {
			return statement{kind: kindSession, sql: sql}
		}
	}
	return statement{sql: sql}
}

// parseSelect finds a closing "FORMAT name", which may be followed by nothing
// but SETTINGS. Columns may be called format too, hence the look at what
// follows: "ORDER BY format DESC" is the one that ends like a clause.
func parseSelect(sql string, sc *scanner) statement {
	st := statement{kind: kindSelect, sql: sql, body: sql}
	format, formatEnd, formatAt := "", 0, -1
	for {
		w, ok := sc.word()
		if !ok {
			break
		}
		switch {
		case formatAt >= 0 && format == "" && w.plain && sc.blank(formatAt+len("FORMAT"), w.start) &&
			!strings.EqualFold(w.text, "ASC") && !strings.EqualFold(w.text, "DESC"):
			format, formatEnd = w.text, w.end
			continue
		case format != "" && strings.EqualFold(w.text, "SETTINGS") && sc.blank(formatEnd, w.start):
			st.format, st.body = format, sql[:formatAt]+" "+sql[w.start:]
			return st
		}
		format, formatAt = "", -1
		if strings.EqualFold(w.text, "FORMAT") && w.plain {
			formatAt = w.start
		}
	}
	if end := trimEnd(sql); format != "" && sc.blank(formatEnd, end) {
		st.format, st.body = format, sql[:formatAt]
	} else {
		st.body = sql[:end]
	}
	return st
}

// parseInsert splits "INSERT INTO t (...) [SETTINGS ...] FORMAT x data".
func parseInsert(sql string, sc *scanner) statement {
	name := false // the next word is the table's name, whatever it says
	for {
		w, ok := sc.word()
		if !ok {
			return statement{kind: kindInsertData, sql: sql[:trimEnd(sql)], format: "Values"}
		}
		if name && !strings.EqualFold(w.text, "TABLE") && !strings.EqualFold(w.text, "FUNCTION") {
			name = false
			continue
		}
		if !w.plain {
			continue
		}
		switch strings.ToUpper(w.text) {
		case "INTO":
			name = true
		case "SELECT", "WITH", "WATCH", "FROM":
			return statement{kind: kindInsertSelect, sql: sql}
		case "VALUES":
			return statement{kind: kindInsertData, sql: sql[:w.start], format: "Values", data: sql[w.end:]}
		case "FORMAT":
			f, ok := sc.word()
			if !ok {
				return statement{sql: sql} // let the engine say what is wrong
			}
			return statement{kind: kindInsertData, sql: sql[:w.start], format: f.text, data: inlineData(sql[f.end:])}
		}
	}
}

// inlineData skips what separates the format's name from its data: spaces and
// one line break, no more, since binary data may begin with anything.
func inlineData(s string) string {
	s = strings.TrimLeft(s, " \t\f")
	s = strings.TrimPrefix(s, "\r")
	return strings.TrimPrefix(s, "\n")
}

// trimEnd returns the length of s without trailing space and semicolons.
func trimEnd(s string) int { return len(strings.TrimRight(s, " \t\r\n\f;")) }

// leadingWord reports the first word of sql, in capitals.
func leadingWord(sql string) string {
	sc := scanner{s: sql}
	w, _ := sc.word()
	return strings.ToUpper(w.text)
}
