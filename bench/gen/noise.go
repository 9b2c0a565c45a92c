package gen

const (
	minBurst, maxBurst = 30, 200
	rareHashes         = 5_000 // files the noise sees now and then
)

// noiseAlert makes one false or uninteresting alert of a source.
func (w *World) noiseAlert(r *rng, s source, at int64) event {
	ev := w.blank(w.catalog.noisy(r, s), at)
	w.dress(r, &ev)
	w.complete(r, &ev, w.cfg.EntityLoss)
	return ev
}

func (w *World) telemetryEvent(r *rng, at int64) event {
	s := suricata
	if r.intN(4) == 0 {
		s = okta
	}
	ev := w.blank(w.catalog.telemetry(r, s), at)
	ev.kind = kindTelemetry
	w.dress(r, &ev)
	w.complete(r, &ev, 0)
	return ev
}

// dress gives an event ordinary entities: what is popular is drawn often.
func (w *World) dress(r *rng, ev *event) {
	ru := w.rule(ev)
	ev.user = w.accounts.person(r)
	desk := w.accounts.list[ev.user].host
	if ru.has&hasHost != 0 {
		ev.host = w.ordinaryHost(r, ru, desk)
		if ev.host != desk {
			ev.user = w.serverUser(r)
		}
	}
	if ru.has&hasUser == 0 {
		ev.user = -1
	}
	if ru.has&hasPeer != 0 {
		ev.peer = w.ordinaryPeer(r, ru, ev.host)
	}
	if ru.has&hasRemote != 0 {
		ev.remote = w.ordinaryRemote(r, ru, desk)
	}
	if ru.has&hasDomain != 0 {
		ev.domain = rareDomains + uint32(r.intN(hostileDomains-rareDomains))
		if r.intN(100) < 55 {
			ev.domain = 1 + uint32(w.popularDomain.draw(r))
		}
	}
	if ru.has&hasFile != 0 {
		ev.hash = popularHashes + uint64(r.intN(rareHashes))
		if r.intN(100) < 55 {
			ev.hash = uint64(w.popularHash.draw(r))
		}
		ev.hash = mix(w.cfg.Seed, ev.hash)
	}
}

func (w *World) ordinaryHost(r *rng, ru *rule, desk int32) int32 {
	switch {
	case ru.source == guardDuty:
		return w.fleet.cloud(r)
	case ru.has&inbound != 0:
		return w.fleet.webServer(r)
	}
	switch x := r.intN(100); {
	case x < 76:
		return desk
	case x < 92:
		return w.fleet.server(r)
	case x < 96:
		return w.fleet.dc(r)
	case ru.source == suricata:
		return int32(w.fleet.scanner)
	default:
		return w.fleet.desk(r)
	}
}

// serverUser draws the account behind what happens on a machine that is not the user's own.
func (w *World) serverUser(r *rng) int32 {
	switch x := r.intN(10); {
	case x < 5:
		return w.accounts.system
	case x < 8:
		return w.accounts.helper(r)
	default:
		return w.accounts.admin(r)
	}
}

func (w *World) ordinaryPeer(r *rng, ru *rule, host int32) int32 {
	for {
		p := w.fleet.server(r)
		switch {
		case ru.detail == "dns":
			p = w.fleet.dc(r)
		case r.intN(5) == 0:
			p = w.fleet.desk(r)
		}
		if p != host {
			return p
		}
	}
}

func (w *World) ordinaryRemote(r *rng, ru *rule, desk int32) addr {
	identity := ru.has&hasHost == 0 && ru.has&hasMailbox == 0
	switch x := r.intN(100); {
	case identity && x < 60:
		return w.fleet.egress(desk)
	case ru.has&inbound == 0 && x < 80:
		return outsideIP(w.popularIP.draw(r))
	default:
		return outsideIP(hostileIPs + r.intN(1<<outsideIPBits-hostileIPs))
	}
}

// moment draws a time in the world; nights get a third of the days' share.
func (w *World) moment(r *rng) int64 {
	for {
		t := w.start + r.int64N(int64(w.cfg.Duration))
		if h := t / hour % 24; h >= 7 && h < 19 || r.intN(3) == 0 {
			return t
		}
	}
}

// addBackground plans n alerts: noisy pairs first, the rest drawn one by one.
func (w *World) addBackground(r *rng, n int) {
	pairs := make([]event, w.cfg.NoisyPairs)
	for i := range pairs {
		s := source(w.catalog.mix.draw(r))
		pairs[i] = w.noiseAlert(r, s, w.start)
		pairs[i].kind = kindNoisyPair
	}
	noisy := 0
	if len(pairs) > 0 {
		noisy = int(float64(n) * w.cfg.NoisyShare)
	}
	loud := zipf(max(1, len(pairs)))
	for i := range n {
		at := w.moment(r)
		if i >= noisy {
			w.add(w.noiseAlert(r, source(w.catalog.mix.draw(r)), at))
			continue
		}
		ev := pairs[loud.draw(r)]
		ev.at = at
		ev.carries = w.rule(&ev).has
		w.complete(r, &ev, w.cfg.EntityLoss)
		w.add(ev)
	}
}

// addBursts plans the false-positive bursts: one rule and artifact everywhere.
func (w *World) addBursts(r *rng) {
	for b := range w.cfg.FPBursts {
		s := [...]source{defender, edr, suricata}[r.intN(3)]
		model := w.noiseAlert(r, s, w.start)
		from := w.moment(r)
		span := min(10*minute+r.int64N(20*minute), int64(w.cfg.Duration)/2)
		from = min(from, w.start+int64(w.cfg.Duration)-span)
		for range r.between(minBurst, maxBurst) {
			ev := w.blank(model.rule, from+r.int64N(span))
			w.dress(r, &ev)
			ev.hash, ev.domain, ev.remote = model.hash, model.domain, model.remote
			ev.kind, ev.burst = kindBurst, int32(b)
			w.complete(r, &ev, w.cfg.EntityLoss)
			w.add(ev)
		}
	}
}
