package fetch

import (
	"path"
	"strings"
)

// draftEnds end the names that programs give to files that are not done, and editors
// to their own copies.
var draftEnds = [...]string{"~", ".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".swp", ".swo", ".swx", ".bak", ".lock"}

// isDraft reports the name of a file that is hidden, is being written or is a copy of
// an editor's. In a folder and among the files of a glob it is never part of a feed: it
// would be read half, or twice.
func isDraft(name string) bool {
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "#") && strings.HasSuffix(name, "#") {
		return true
	}
	name = strings.ToLower(name)
	for _, end := range draftEnds {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}

// isPaper reports the name of documentation, which lies beside lists and names sites
// that are no indicators. A glob that has such a name itself, as *.md or README* do,
// means it. Words in small letters may begin the name of a list, such as
// license-servers.txt.
func isPaper(name string) bool {
	stem, _, _ := strings.Cut(name, ".")
	if strings.EqualFold(path.Ext(name), ".md") {
		return true
	}
	for _, word := range [...]string{"README", "LICENSE", "LICENCE", "CHANGELOG"} {
		if strings.HasPrefix(name, word) || strings.EqualFold(stem, word) {
			return true
		}
	}
	return false
}
