package draft

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/interdict/interdict/schema"
	"github.com/interdict/interdict/stages/normalize/arena"
	"github.com/interdict/interdict/stages/normalize/canon"
)

var (
	reTechnique = regexp.MustCompile(`\bT\d{4}(?:\.\d{3})?\b`)
	reUUID      = regexp.MustCompile(`(?i)^\{?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}?$`)
	reDown      = regexp.MustCompile(`^(?:[A-Za-z0-9_.-]+\\)[^\\/:*?"<>|]+$`)
	reDate      = regexp.MustCompile(`^\d{4}[-/]\d\d[-/]\d\d$`)
	reClock     = regexp.MustCompile(`^\d\d:\d\d:\d\d(?:\.\d+)?$`)
	reAccount   = regexp.MustCompile(`^\d{12}$`)
	reToken     = regexp.MustCompile(`^[^\s,;"'<>()\[\]{}]{1,255}$`)
)

func isIP(s string) bool  { return canon.IsIP(s) }
func isURL(s string) bool { return strings.Contains(s, "://") && canon.URL(&arena.Arena{}, s) != "" }

func isMailbox(s string) bool {
	return strings.Contains(s, "@") && !strings.Contains(s, "://") && canon.Mailbox(&arena.Arena{}, s) != ""
}

func isHash(s string) bool { return canon.Hash(&arena.Arena{}, s) != "" }

func isDomain(s string) bool {
	return strings.Contains(s, ".") && !strings.ContainsAny(s, `/\@: `) && !isIP(s) && canon.Domain(&arena.Arena{}, s) != ""
}

func isNumber(s string) bool { _, err := strconv.ParseFloat(s, 64); return err == nil && !isHash(s) }

func isUUID(s string) bool { return reUUID.MatchString(s) }

func isToken(s string) bool { return reToken.MatchString(s) }

// isName is what can be the name of a host or a user.
func isName(s string) bool { return isToken(s) && !isUUID(s) && !isURL(s) && !strings.Contains(s, "/") }

func isUserName(s string) bool {
	return len(s) <= 128 && !isNumber(s) && !isURL(s) && !isIP(s) && !isUUID(s) && (isName(s) || reDown.MatchString(s))
}

func isFile(s string) bool {
	return len(s) > 1 && !isURL(s) && (strings.HasPrefix(s, "/") || strings.Contains(s, `:\`) || strings.HasPrefix(s, `\`) || strings.HasPrefix(s, "%"))
}

// isFileName is a file's path, or a name with an extension.
func isFileName(s string) bool {
	i := strings.LastIndexByte(s, '.')
	return isFile(s) || i > 0 && i < len(s)-1 && len(s)-i <= 6 && !strings.Contains(s, "://")
}

func isRegistry(s string) bool {
	return strings.HasPrefix(strings.ToUpper(s), "HK") && strings.Contains(s, `\`)
}

func isResource(s string) bool {
	return strings.HasPrefix(s, "arn:") && strings.Count(s, ":") >= 5 || strings.HasPrefix(strings.ToLower(s), "/subscriptions/")
}

func isTechnique(s string) bool { return canon.TechniqueID(s) != "" }

func hasTechnique(s string) bool { return reTechnique.MatchString(s) }

func isTactic(s string) bool { return canon.TacticID(s) != "" }

func isSeverity(s string) bool { _, ok := canon.Severity(s); return ok }

// isMoment is a time that explains itself. Bare numbers are times only between
// 2001 and 2100, in one of the units that are told by their size.
func isMoment(s string) bool {
	t, ok := canon.ParseTime(s)
	return ok && (!isNumber(s) || t > 978307200000 && t < 4102444800000)
}

// layouts are those of times that do not explain themselves, in the order in
// which they are tried.
func layouts() []string {
	return []string{"02/01/2006 15:04:05", "01/02/2006 15:04:05", "02-01-2006 15:04:05", "02.01.2006 15:04:05", "01/02/2006 03:04:05 PM",
		"2006/01/02 15:04:05", "20060102150405", "Jan _2 2006 15:04:05", "Jan _2 15:04:05", "02/Jan/2006:15:04:05 -0700"}
}

// near is the time of which times without a year are taken to be.
const near schema.Millis = 1772484066721

// readable reports whether every value is a time in a layout; "" for those that
// explain themselves.
func (f *field) readable(layout string) bool {
	if len(f.order) == 0 {
		return false
	}
	var names []string
	if layout != "" {
		names = []string{layout}
	}
	clock, err := canon.NewClock(names, nil)
	if err != nil {
		return false
	}
	return f.all(func(s string) bool { _, ok := clock.ParseNear(s, near); return ok })
}
