package canon

import (
	"unicode"
	"unicode/utf8"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/arena"
)

// Severity reads the words with which vendors name severities, whatever their
// case, spaces, dashes and underscores. Numbers give false: what a 3 means, only
// the format knows. So do words that are no severity, and "unknown".
//
//	informational  info, the logging levels below it (debug, trace, verbose,
//	               Java's CONFIG and FINE to FINEST), normal, ok, cleared
//	low            low, minor, notice (syslog: normal but significant), guarded
//	medium         medium, moderate, warning (all logging scales place it in the
//	               middle), elevated
//	high           high, error (above warning, below critical), major (X.733:
//	               below critical), important (Microsoft and Red Hat: below
//	               critical)
//	critical       critical, severe (the top of Java's and of Microsoft Defender's
//	               scale), very high (CEF's 9 and 10), alert (syslog: above
//	               critical, but not the end), extreme
//	fatal          fatal, emergency, panic (syslog's 0: the system is unusable)
//
// Sev0 to Sev4 are those of Azure Monitor: critical, error, warning,
// informational, verbose. P1 to P5 are the priorities of ITIL: critical, high,
// moderate, low, planning.
//
// The words for these in Chinese, French, German, Italian, Japanese, Portuguese
// and Spanish are those that products show in these languages. Words that stand
// for two severities there ("aviso": notice or warning) are left out.
func Severity(text string) (schema.Severity, bool) {
	var buf [maxWord]byte
	w := folded(&buf, text)
	if s := level(w); s != schema.SeverityUnknown {
		return s, true
	}
	switch w {
	case "information", "informative", "debug", "debugging", "trace", "verbose", "config", "fine", "finer", "finest", "normal", "ok", "cleared", "negligible",
		"verylow", "sev3", "sev4", "p5",
		"hinweis", "informativ", "informativo", "informativa", "informationnel", "informationnelle", "informacion", "informazioni", "informacoes", "informacao",
		"\u60c5\u5831", "\u4fe1\u606f", "\u8cc7\u8a0a": // joho, xinxi in both scripts
		return schema.SeverityInformational, true
	case "minor", "notice", "notification", "notifications", "guarded", "p4", "mineur", "mineure", "menor", "\u63d0\u793a": // tishi
		return schema.SeverityLow, true
	case "moderate", "warning", "warnings", "warn", "elevated", "sev2", "p3",
		"warnung", "avertissement", "advertencia", "avvertenza", "modere", "moderee", "moderado", "moderada", "moderato", "moderata",
		"\u8b66\u544a": // keikoku, jinggao
		return schema.SeverityMedium, true
	case "error", "errors", "err", "major", "important", "sev1", "p2",
		"fehler", "erreur", "errore", "erro", "majeur", "majeure", "importante", "\u30a8\u30e9\u30fc", "\u9519\u8bef", "\u932f\u8aa4": // era, cuowu in both scripts
		return schema.SeverityHigh, true
	case "alert", "alerts", "severe", "veryhigh", "extreme", "sev0", "p1", "schwerwiegend", "grave", "alerte", "alerta",
		"\u91cd\u5927", "\u4e25\u91cd", "\u56b4\u91cd": // judai, yanzhong in both scripts
		return schema.SeverityCritical, true
	case "fatal", "emergency", "emergencies", "emerg", "panic", "notfall", "urgence", "emergencia", "emergenza", "\u81f4\u547d\u7684", "\u81f4\u547d", "\u7dca\u6025", "\u7d27\u6025": // chimeiteki, zhiming, kinkyu, jinji
		return schema.SeverityFatal, true
	}
	return schema.SeverityUnknown, false
}

// level knows the plain words of a scale from informational to critical.
func level(w string) schema.Severity {
	switch w {
	case "informational", "info":
		return schema.SeverityInformational
	case "low", "niedrig", "gering", "faible", "bas", "basse", "bajo", "baja", "basso", "bassa", "baixo", "baixa",
		"\u4f4e", "\u4f4e\u5371": // tei, di; diwei
		return schema.SeverityLow
	case "medium", "med", "mittel", "moyen", "moyenne", "medio", "media",
		"\u4e2d", "\u4e2d\u5371": // chu, zhong; zhongwei
		return schema.SeverityMedium
	case "high", "hoch", "eleve", "elevee", "haut", "haute", "alto", "alta",
		"\u9ad8", "\u9ad8\u5371": // ko, gao; gaowei
		return schema.SeverityHigh
	case "critical", "crit", "kritisch", "critique", "critico", "critica",
		"\u30af\u30ea\u30c6\u30a3\u30ab\u30eb", "\u5371\u6025": // kuritikaru, weiji
		return schema.SeverityCritical
	}
	return schema.SeverityUnknown
}

// maxWord is longer than any word of the tables.
const maxWord = 32

// folded gives a word in lower case without spaces, dashes, underscores and
// accents, "" where it is too long to be in a table. buf is room for it.
func folded(buf *[maxWord]byte, s string) string {
	b := buf[:0]
	for _, r := range s {
		switch {
		case r == ' ' || r == '-' || r == '_' || r == '\t' || r == '\n' || r == '\r' || r == '\u00a0':
			continue
		case r >= 'A' && r <= 'Z':
			r += 'a' - 'A'
		case r >= utf8.RuneSelf:
			if unicode.Is(unicode.Mn, r) { // an accent by itself
				continue
			}
			r = unaccented(unicode.ToLower(r))
		}
		if len(b)+utf8.RuneLen(r) > len(buf) {
			return ""
		}
		b = utf8.AppendRune(b, r)
	}
	return arena.Text(b)
}

// unaccented takes the accents of the words in the tables away.
func unaccented(r rune) rune {
	switch r {
	case '\u00e1', '\u00e0', '\u00e2', '\u00e3', '\u00e4':
		return 'a'
	case '\u00e9', '\u00e8', '\u00ea', '\u00eb':
		return 'e'
	case '\u00ed', '\u00ec', '\u00ee':
		return 'i'
	case '\u00f3', '\u00f2', '\u00f4', '\u00f5', '\u00f6':
		return 'o'
	case '\u00fa', '\u00f9', '\u00fb', '\u00fc':
		return 'u'
	case '\u00e7':
		return 'c'
	}
	return r
}
