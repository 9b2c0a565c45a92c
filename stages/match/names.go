package match

import "github.com/interdict/interdict/schema"

// Names says in what way an indicator names an observable.
type Names uint8

// Ways of naming.
const (
	NamesItself    Names = iota // the value is the same
	NamesNetwork                // a network that holds the address
	NamesSocket                 // the address with its port
	NamesAddress                // the address of a socket
	NamesParent                 // a parent of the domain
	NamesAnyScheme              // the same URL under any scheme
	NamesPrefix                 // the beginning of the URL
	NamesPath                   // the path of the URL, on any host
	NamesHost                   // the host of the URL, or one that holds it
	NamesSender                 // the domain of the sender's address, or a parent
	NamesAnother                // another name alone, of which this one is a part
)

// ownName gives the DNS name that an observable is or has.
func ownName(o schema.Observable) string {
	switch o.Type {
	case schema.ObservableURL:
		u := splitURL(o.Value)
		return u.host
	case schema.ObservableEmail:
		return mailHost(o.Value)
	}
	return o.Value
}

// relate says how an indicator that was found for o names it.
func relate(o schema.Observable, own string, i *schema.Indicator) Names {
	if i.Type == o.Type && i.Value == o.Value {
		return NamesItself
	}
	dns := i.Type == schema.ObservableDomain || i.Type == schema.ObservableSender
	switch {
	case dns && i.Exact && i.Value != own:
		return NamesAnother
	case o.Type == schema.ObservableEmail:
		return NamesSender
	case i.Type == schema.ObservableURL:
		return NamesAnyScheme
	case i.Type == schema.ObservableURLPrefix:
		return NamesPrefix
	case i.Type == schema.ObservableURLPath:
		return NamesPath
	case o.Type == schema.ObservableURL:
		return NamesHost
	case dns && i.Value == own: // a sender's domain and a domain are one name
		return NamesItself
	case dns:
		return NamesParent
	case i.Type == schema.ObservableSocket:
		return NamesSocket
	case i.Type == schema.ObservableIP:
		return NamesAddress
	}
	return NamesNetwork
}

// ofHost reports an indicator that names the host of a URL or of a mailbox rather
// than the URL or the address.
func ofHost(o schema.Observable, i *schema.Indicator) bool {
	switch i.Type {
	case schema.ObservableIP, schema.ObservableCIDR, schema.ObservableSocket, schema.ObservableDomain, schema.ObservableSender:
		return o.Type == schema.ObservableURL || o.Type == schema.ObservableEmail
	}
	return false
}
