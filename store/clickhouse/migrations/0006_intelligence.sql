-- What a match is worth and what is behind its indicator; retro-matches; ports.

ALTER TABLE matches {{on}}
    ADD COLUMN IF NOT EXISTS wish LowCardinality(String) AFTER snapshot,
    ADD COLUMN IF NOT EXISTS demoted String AFTER wish,
    ADD COLUMN IF NOT EXISTS retro Bool AFTER demoted,
    ADD COLUMN IF NOT EXISTS threat_kinds Array(LowCardinality(String)) AFTER retro,
    ADD COLUMN IF NOT EXISTS threat_ids Array(String) AFTER threat_kinds,
    ADD COLUMN IF NOT EXISTS threat_names Array(String) AFTER threat_ids;

-- schema.Match.Counts: a bad verdict that nothing has demoted.
ALTER TABLE matches {{on}}
    ADD COLUMN IF NOT EXISTS counts Bool ALIAS demoted = '' AND wish != 'allow' AND verdict IN ('malicious', 'suspicious');

-- Content id of the index that an alert was asked of, matched or not.
ALTER TABLE alerts {{on}}
    ADD COLUMN IF NOT EXISTS snapshot UInt64 AFTER matches;

ALTER TABLE alert_entities {{on}}
    ADD COLUMN IF NOT EXISTS port UInt16 AFTER name;

-- One row per change of the index; snapshot is the id of the content it led to.
ALTER TABLE indicators_history {{on}}
    ADD COLUMN IF NOT EXISTS seq UInt64 AFTER written,
    ADD COLUMN IF NOT EXISTS op LowCardinality(String) AFTER seq,
    ADD COLUMN IF NOT EXISTS wish LowCardinality(String) AFTER op,
    ADD COLUMN IF NOT EXISTS topic LowCardinality(String) AFTER wish,
    ADD COLUMN IF NOT EXISTS partition Int32 AFTER topic,
    ADD COLUMN IF NOT EXISTS offset Int64 AFTER partition,
    MODIFY ORDER BY (tenant, observable_type, value, feed, indicator, snapshot, seq);

-- Matches that count, one row per threat behind the indicator. threat is the
-- feed's id of the threat or, where it has none, its name.
CREATE OR REPLACE VIEW v_threat_matches {{on}} AS
SELECT tenant, toString(t.1) AS kind, if(t.2 = '', t.3, t.2) AS threat, t.3 AS name, feed, indicator, alert_id, time, entity_type, key, retro
FROM (SELECT *, counts FROM matches FINAL)
ARRAY JOIN arrayZip(threat_kinds, threat_ids, threat_names) AS t
WHERE counts;

-- Reports and campaigns: which alerts and incidents their indicators are in, and
-- whom those concern. hosts, users, mailboxes and resources count the entities of
-- the alerts that are neither sensors nor the attacker's.
CREATE OR REPLACE VIEW v_threat_reports {{on}} AS
SELECT m.tenant AS tenant, m.kind AS kind, m.threat AS report, max(m.name) AS name, arraySort(groupUniqArray(toString(m.feed))) AS feeds,
    uniqExact(m.feed, m.indicator) AS indicators, uniqExact(m.alert_id) AS alerts, uniqExactIf(m.alert_id, m.retro) AS retro_alerts,
    uniqExactIf(i.incident_id, i.incident_id != toUUID('00000000-0000-0000-0000-000000000000')) AS incidents,
    length(arrayFilter(e -> startsWith(e, 'host:'), groupUniqArrayArray(a.impacted) AS impacted)) AS hosts,
    length(arrayFilter(e -> startsWith(e, 'user:'), impacted)) AS users,
    length(arrayFilter(e -> startsWith(e, 'mailbox:'), impacted)) AS mailboxes,
    length(impacted) - hosts - users - mailboxes AS resources,
    min(m.time) AS first_seen, max(m.time) AS last_seen
FROM (SELECT * FROM v_threat_matches WHERE kind IN ('report', 'campaign')) AS m
LEFT JOIN (
    SELECT tenant, alert_id, incident_id FROM incident_members FINAL
    WHERE (tenant, alert_id) IN (SELECT tenant, alert_id FROM v_threat_matches WHERE kind IN ('report', 'campaign'))
) AS i ON i.tenant = m.tenant AND i.alert_id = m.alert_id
LEFT JOIN (
    SELECT tenant, alert_id, arrayFilter((e, r) -> r NOT IN ('sensor', 'c2') AND splitByChar(':', e)[1] IN
        ('host', 'user', 'mailbox', 'cloud_resource', 'cloud_account', 'application', 'container'), entities, roles) AS impacted
    FROM alerts FINAL
    WHERE (tenant, alert_id) IN (SELECT tenant, alert_id FROM v_threat_matches WHERE kind IN ('report', 'campaign'))
) AS a ON a.tenant = m.tenant AND a.alert_id = m.alert_id
GROUP BY tenant, kind, report;

-- What feeds are worth: how often each matched, how often that counted, and what
-- of it was doubted.
CREATE OR REPLACE VIEW v_intel_feeds {{on}} AS
SELECT tenant, feed, count() AS matches, countIf(counts) AS counting, countIf(demoted != '') AS demoted_matches, countIf(retro) AS retro_matches,
    uniqExact(indicator) AS indicators, uniqExact(alert_id) AS alerts, uniqExactIf(alert_id, counts) AS counting_alerts,
    max(time) AS last_matched, maxIf(time, counts) AS last_counted
FROM (SELECT *, counts FROM matches FINAL)
GROUP BY tenant, feed;
