package canon

import (
	"strings"

	"github.com/interdict/interdict/stages/normalize/arena"
)

// Resource gives the key of a cloud resource. Azure's ids ignore case, and may
// have the address of its API before them. Google's full names
// (//compute.googleapis.com/projects/...) are what is left of the self links too.
// ARNs and all others are as they are.
func Resource(a *arena.Arena, s string) string {
	s = Clean(s)
	if hasPrefixFold(s, "https://") {
		return linkedResource(a, s)
	}
	if len(s) > 2 && s[0] == '/' {
		switch {
		case hasPrefixFold(s, "/subscriptions/"), hasPrefixFold(s, "/providers/microsoft."), hasPrefixFold(s, "/tenants/"):
			return Lower(a, trimTail(s, '/'))
		case s[1] == '/':
			if i := strings.IndexByte(s[2:], '/'); i > 0 {
				return lowerTo(a, s, 2+i)
			}
		}
	}
	return s
}

func linkedResource(a *arena.Arena, s string) string {
	rest := s[len("https://"):]
	host, path, ok := strings.Cut(rest, "/")
	switch {
	case !ok:
	case strings.EqualFold(host, "management.azure.com"):
		if i := indexOf(path, '?', '#'); i < len(path) {
			path = path[:i]
		}
		return Resource(a, rest[len(host):len(host)+1+len(path)])
	case strings.EqualFold(host, "www.googleapis.com"): // service/version/path
		service, path, ok1 := strings.Cut(path, "/")
		version, path, ok2 := strings.Cut(path, "/")
		if ok1 && ok2 && isVersion(version) && path != "" && service != "" {
			return a.Join("//", Lower(a, service), ".googleapis.com/", path)
		}
	case len(host) > len(".googleapis.com") && strings.EqualFold(host[len(host)-len(".googleapis.com"):], ".googleapis.com"):
		// service/version/path or version/path
		service := host[:len(host)-len(".googleapis.com")]
		if first, rest, ok := strings.Cut(path, "/"); ok && strings.EqualFold(first, service) {
			path = rest
		}
		if first, rest, ok := strings.Cut(path, "/"); ok && isVersion(first) && rest != "" {
			return a.Join("//", Lower(a, host), "/", rest)
		}
	}
	return s
}

// isVersion reports whether s is v1, v2beta1, beta ...
func isVersion(s string) bool {
	return s == "beta" || s == "alpha" || len(s) > 1 && s[0] == 'v' && s[1]-'0' <= 9
}

// lowerTo puts the first n characters in lower case.
func lowerTo(a *arena.Arena, s string, n int) string {
	head := Lower(a, s[:n])
	if head == s[:n] {
		return s
	}
	return a.Join(head, s[n:])
}
