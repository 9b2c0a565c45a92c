package intel

import (
	"net/netip"

	"github.com/interdict/interdict/schema"
)

// addressOf gives the address of a socket.
func addressOf(o schema.Observable) (schema.Observable, bool) {
	if o.Type != schema.ObservableSocket {
		return o, false
	}
	a, err := netip.ParseAddrPort(o.Value)
	if err != nil {
		return o, false
	}
	return schema.Observable{Type: schema.ObservableIP, Value: a.Addr().String()}, true
}
