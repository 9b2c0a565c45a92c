package gen

// Suricata returns an endless source of EVE alerts of about 1.2 KB for
// benchmarks: the function appends alert number i to dst, without a newline, and
// allocates only if dst is too small. Alert i depends on seed and i alone; one
// millisecond lies between two. The function may be called concurrently.
func Suricata(seed uint64) func(dst []byte, i int) []byte {
	cfg := Default()
	cfg.Seed, cfg.Hosts, cfg.Users = seed, 5_000, 5_000
	w := newCompany(cfg)
	return func(dst []byte, i int) []byte {
		r := rng{s: mix(seed, uint64(i))}
		ev := w.noiseAlert(&r, suricata, w.start+int64(i)*(second/1000))
		ev.id = mix(seed^0x6964, uint64(i))
		e := enc{b: dst}
		w.suricata(&e, &ev, w.rule(&ev))
		return e.b
	}
}
