package main

// What the commands' --help says below their line: what they are for, an example, and what
// their exit codes mean where they are not only 0 (done), 1 (failed) and 2 (wrong usage, or
// no library there).

func (intelImportCmd) Help() string {
	return `Takes a feed now and makes the library if there is none. A running manager sees the change within a second.

    interdict intel import --data-dir data --feed blocklist https://feeds.example/domains.txt
    interdict intel import -c interdict.yaml --feed own --verdict suspicious --tenant acme - < values.txt

Exit 0: taken. 1: it could not be got or used, or one file of a folder; what was known before stays. 2: wrong usage.`
}

func (intelPullCmd) Help() string {
	return `Does at once what the manager does when a feed is due. Makes the library if there is none.

    interdict intel pull -c interdict.yaml partner

Exit 0: all were pulled. 1: one of them, or one file of a folder, could not be used; the others were pulled. 2: wrong usage.`
}

func (intelListCmd) Help() string {
	return `ADDED to REFUSED are of the last pull. MATCHED is how often the feed's indicators matched so far, counting or not, at all tenants, as far as the store has it; "-" without a store (-c). "(by hand)": no configuration that was given names the feed.

    interdict intel list -c interdict.yaml || mail -s feeds soc@acme.example < /dev/null

Exit 0: all is well. 1: a feed fails, partly too, is silent for longer than it may be, damaged, or was never pulled. 2: wrong usage, or no library there.`
}

func (intelStatsCmd) Help() string {
	return `Counts what is in force, before decay and the judgment of benign lists.

    interdict intel stats --data-dir data

Exit 0: counted. 2: wrong usage, or no library there. 3: not every feed could be read; the others are counted.`
}

func (intelCheckCmd) Help() string {
	return `A line for each indicator that names the value: what it says, what that is worth (counts, demoted, noted, ignored) and why; below it what analysts have set, and the reports, campaigns, actors and malware it belongs to. "raises to" is the severity that a match raises an alert to.

    interdict intel check --data-dir data -v 'hxxp://www.bad[.]example/x'
    interdict intel check --data-dir data --tenant acme --at 2026-11-20 --type sender bad.example

With --json a line has: on (what was asked), indicator (as it counts), said (as its feed said it), outcome, why, confidence_now (after decay), raises_to, overrides, objects (what the feed has of its threats), first and last (pulls that said it), ended, aside (why it is not in force), sighted, refusal. Outcome "none": nobody knows the value. Outcome "unknown": it could not be asked.

Exit 0: it is a match that counts. 1: it is not. 2: wrong usage, no library there, or no value. 3: not every feed could be asked.`
}

func (intelRefusedCmd) Help() string {
	return `Each line has file and line, or the object of a bundle, the text, and the reason. Of an upload feed: of the requests that were taken last; what a request was told is in its answer alone.

    interdict intel refused --data-dir data blocklist

Exit 0: told, also when there is nothing. 1: no such feed. 2: wrong usage, or no library there. 3: the list cannot be read.`
}

func (intelCollideCmd) Help() string {
	return `Shows what a benign list costs before it is trusted. Reads only; the index is built in the folder for temporary files (TMPDIR), 100 bytes for each indicator.

    interdict intel collide --data-dir data --count

Exit 0: told, also when there is nothing. 1: no such feed. 2: wrong usage, or no library there. 3: not every feed could be read.`
}

func (intelSetCmd) Help() string {
	return `An opinion (--verdict, --wish, --severity) outranks feeds; --wish allow takes every match of the value out, whoever knows it. What is not named stays as it is. What is in force since is told, one line for each indicator.

    interdict intel set --data-dir data --wish allow --comment "our sinkhole" bad.example
    interdict intel set --data-dir data --feed isac --verdict suspicious --expires 5d 203.0.113.7
    interdict intel set --data-dir data --feed analyst --verdict malicious --until 30d evil.example
    interdict intel set --data-dir data --tenant acme --verdict benign 203.0.113.9

--until ends the indicators, --expires what is set here: afterwards the feeds decide again, at the latest when the next of these commands runs.

Exit 0: it is set, if need be with a warning. 1: it could not be written, or cannot stand so. 2: wrong usage, or no library there.`
}

func (intelUnsetCmd) Help() string {
	return `The feeds decide again, and what is in force since is told.

    interdict intel unset --data-dir data bad.example

Exit 0: taken back. 1: nothing is set for it. 2: wrong usage, several are set, or no library there.`
}

func (intelOverridesCmd) Help() string {
	return `FEED and TENANT say whose indicators it is about, EXPIRES when the feeds decide again.

    interdict intel overrides --data-dir data --json

Exit 0: told, also when there is nothing. 2: wrong usage, or no library there.`
}

func (intelSightCmd) Help() string {
	return `Confidence decays from the last time that an indicator was seen. Types that do not decay, and lists, are as they were.

    interdict intel sight --data-dir data --at=-2h 203.0.113.7

Exit 0: noted. 1: it could not be written. 2: wrong usage, or no library there.`
}

func (intelExportCmd) Help() string {
	return `What may go to somebody else: up to --max-tlp, and of tenants only the one that is named.

    interdict intel export --data-dir data --format list --type ip --type cidr -o block.txt

Exit 0: written. 1: failed; with -o the file stays as it was. 2: wrong usage, or no library there. 3: not every feed could be read; with -o the file stays as it was.`
}

func (intelReportCmd) Help() string {
	return `With -c and clickhouse.dsn it also tells which alerts and incidents the indicators of a report or campaign are in, also when no feed has it any more.

    interdict intel report --data-dir data --kind actor
    interdict intel report -c interdict.yaml --tenant acme "winter storm"

Exit 0: told. 1: nobody knows it. 2: wrong usage, a part of several names, an unknown tenant, or no library there. 3: not every feed could be read.`
}

func (intelRmCmd) Help() string {
	return `What analysts have set stays. A feed that is configured comes back with the next pull.

    interdict intel rm --data-dir data blocklist

Exit 0: removed. 1: no such feed, or it could not be written. 2: wrong usage, or no library there.`
}
