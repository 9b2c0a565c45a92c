package canon

// readStamp reads the times written without separators, 20060102T150405 and
// 20060102150405, with or without fraction and zone, and those of WMI, whose
// offset is in minutes (20060102150405.000000+060). Fourteen digits that are a
// date cannot be milliseconds: those would be later than 2470.
func readStamp(s string) (m moment, ok bool) {
	if m, ok = readDay(s); !ok || len(s) < 14 {
		return m, false
	}
	clock := s[8:]
	if clock[0] == 'T' || clock[0] == 't' || clock[0] == '-' {
		clock = clock[1:]
	}
	if len(clock) < 6 || !allDigits(clock[:6]) || len(clock) > 6 && clock[6]-'0' <= 9 {
		return m, false
	}
	m.hour, _ = two(clock, 0)
	m.minute, _ = two(clock, 2)
	m.second, _ = two(clock, 4)
	rest, ok := readFraction(&m, clock[6:])
	if !ok || m.year < 1601 {
		return m, false
	}
	if len(rest) == 4 && len(clock) == 17 && (rest[0] == '+' || rest[0] == '-') && allDigits(rest[1:]) {
		h, _ := two(rest, 1)
		m.offset, m.zoned = 10*h+int(rest[3]-'0'), true
		if rest[0] == '-' {
			m.offset = -m.offset
		}
		return m, m.offset >= -24*60 && m.offset <= 24*60
	}
	return m, readZone(&m, rest)
}

// readDay reads 20060102.
func readDay(s string) (m moment, ok bool) {
	if len(s) < 8 || !allDigits(s[:8]) {
		return m, false
	}
	m.year, m.month, m.day = small(s[:4]), small(s[4:6]), small(s[6:8])
	return m, true
}
