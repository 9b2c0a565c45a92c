-- Views for analysts: rows merged (FINAL), redirects followed, deleted rows gone.
-- Always filter by tenant. now64() is used only where a view says "now".

CREATE OR REPLACE VIEW v_alerts {{on}} AS
SELECT * FROM alerts FINAL;

-- What is before the analysts: promoted, not closed, and not merged into another.
CREATE OR REPLACE VIEW v_queue {{on}} AS
SELECT tenant, incident_id, number, title, severity, priority, factors, factor_points, status, assignee, assignee_group, tags,
    first_time, last_time, alerts, routine, sources, tactics, entities, suggested_split, version
FROM incidents FINAL
WHERE disposition = 'promoted' AND status NOT IN ('resolved', 'closed')
    AND redirect_to = toUUID('00000000-0000-0000-0000-000000000000');

-- Where each id that was merged into another leads, step by step.
CREATE OR REPLACE VIEW v_incident_redirects {{on}} AS
WITH RECURSIVE chain AS (
    SELECT tenant, incident_id AS asked_id, redirect_to AS target, toUInt8(1) AS hops FROM incidents FINAL
    WHERE redirect_to != toUUID('00000000-0000-0000-0000-000000000000')
    UNION ALL
    SELECT c.tenant, c.asked_id, m.redirect_to AS target, toUInt8(c.hops + 1) AS hops
    FROM chain AS c
    INNER JOIN (
        SELECT tenant, incident_id, redirect_to FROM incidents FINAL
        WHERE redirect_to != toUUID('00000000-0000-0000-0000-000000000000')
    ) AS m ON m.tenant = c.tenant AND m.incident_id = c.target
    WHERE c.hops < 64
)
SELECT tenant, asked_id, target, hops FROM chain;

-- Every id an incident ever had leads to what it is now: asked_id is the id that
-- is looked for, incident_id where its chain of redirects ends, hops how long it is.
CREATE OR REPLACE VIEW v_incident {{on}} AS
SELECT incident_id AS asked_id, toUInt8(0) AS hops, * FROM incidents FINAL
WHERE redirect_to = toUUID('00000000-0000-0000-0000-000000000000')
UNION ALL
SELECT e.asked_id AS asked_id, e.hops AS hops, i.* FROM (SELECT * FROM incidents FINAL) AS i
INNER JOIN (
    SELECT tenant, asked_id, argMax(r.target, r.hops) AS target, max(r.hops) AS hops FROM v_incident_redirects AS r GROUP BY tenant, asked_id
) AS e ON e.tenant = i.tenant AND e.target = i.incident_id;

-- What happened to an incident, in time: its alerts, changes of its head,
-- decisions, commands and their results, and what people did.
CREATE OR REPLACE VIEW v_incident_timeline {{on}} AS
SELECT tenant, incident_id, created AS time, 'alert' AS what, concat('alert:', toString(alert_id)) AS object, toString(source) AS actor,
    concat(toString(severity), ': ', title) AS detail
FROM incident_members FINAL
UNION ALL
SELECT tenant, incident_id, written AS time, 'head' AS what, concat('incident:', toString(incident_id)) AS object, 'correlation' AS actor,
    state AS detail
FROM (
    SELECT tenant, incident_id, written, version,
        concat(toString(disposition), ' ', toString(severity), ' ', toString(status),
            if(assignee = '', '', concat(', assigned to ', assignee)),
            if(classification = '', '', concat(', ', toString(classification))),
            if(redirect_to = toUUID('00000000-0000-0000-0000-000000000000'), '', concat(', merged into ', toString(redirect_to)))) AS state,
        lagInFrame(state) OVER (PARTITION BY tenant, incident_id ORDER BY version
            ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS before
    FROM incident_versions FINAL WHERE deleted = 0
)
WHERE state != before
UNION ALL
SELECT tenant, incident_id, time, 'decision' AS what, concat('decision:', toString(decision_id)) AS object, toString(policy) AS actor,
    concat(toString(outcome), ' ', toString(action), ' ', toString(target_type), ':', target_key, if(veto = '', '', concat(': ', veto))) AS detail
FROM decisions FINAL
UNION ALL
SELECT tenant, incident_id, time, 'command' AS what, concat('action:', toString(action_id)) AS object, toString(policy) AS actor,
    concat(toString(verb), ' ', toString(kind), ' ', toString(target_type), ':', target_key) AS detail
FROM actions FINAL WHERE record = 'command'
UNION ALL
SELECT c.tenant, c.incident_id, r.time, 'result' AS what, concat('action:', toString(r.action_id)) AS object, toString(r.executor) AS actor,
    concat(toString(r.status), if(r.detail = '', '', concat(': ', r.detail))) AS detail
FROM (SELECT * FROM actions FINAL WHERE record = 'result') AS r
INNER JOIN (SELECT tenant, action_id, any(incident_id) AS incident_id FROM actions FINAL WHERE record = 'command' GROUP BY tenant, action_id) AS c
    ON c.tenant = r.tenant AND c.action_id = r.action_id
UNION ALL
SELECT tenant, incident_id, time, 'ledger' AS what, object, actor,
    concat(toString(verb), if(before = '' AND after = '', '', concat(' ', before, ' -> ', after)), if(cause = '', '', concat(' (', cause, ')'))) AS detail
FROM ledger FINAL WHERE incident_id != toUUID('00000000-0000-0000-0000-000000000000');

-- The alerts of an entity under all its names: as_type and as_key say which name
-- the alert used. Another name counts while both were known by one alias.
CREATE OR REPLACE VIEW v_entity_timeline {{on}} AS
SELECT tenant, entity_type, key, entity_type AS as_type, key AS as_key, time, alert_id, role, severity, source, title
FROM alert_entities FINAL
UNION ALL
SELECT a.tenant, n.entity_type, n.key, a.entity_type AS as_type, a.key AS as_key, a.time, a.alert_id, a.role, a.severity, a.source, a.title
FROM (SELECT * FROM alert_entities FINAL) AS a
INNER JOIN (
    SELECT x.tenant AS tenant, x.entity_type AS entity_type, x.key AS key, y.entity_type AS as_type, y.key AS as_key,
        min(y.valid_from) AS valid_from, max(y.valid_to) AS valid_to
    FROM (SELECT * FROM entity_aliases FINAL) AS x
    INNER JOIN (SELECT * FROM entity_aliases FINAL) AS y
        ON x.tenant = y.tenant AND x.alias_type = y.alias_type AND x.alias_key = y.alias_key
    WHERE (x.entity_type, x.key) != (y.entity_type, y.key)
    GROUP BY tenant, entity_type, key, as_type, as_key
) AS n ON n.tenant = a.tenant AND n.as_type = a.entity_type AND n.as_key = a.key
WHERE a.time BETWEEN n.valid_from AND n.valid_to;

-- Commands that no executor has answered.
CREATE OR REPLACE VIEW v_actions_pending {{on}} AS
SELECT tenant, action_id, time, lease_id, decision_id, incident_id, verb, kind, target_type, target_key, until, policy
FROM actions FINAL
WHERE record = 'command' AND (tenant, action_id) NOT IN (SELECT tenant, action_id FROM actions WHERE record = 'result');

-- What is contained now.
CREATE OR REPLACE VIEW v_leases_active {{on}} AS
SELECT tenant, lease_id, target_type, target_key, action, from_time, until, incident_id, decision_id, policy, evidence, reason, version
FROM leases FINAL
WHERE state = 'active' AND until > now64(3);

-- Sources as configured and as heard, over as long as source_stats are kept.
CREATE OR REPLACE VIEW v_source_health {{on}} AS
SELECT
    if(s.tenant != '', s.tenant, c.tenant) AS tenant,
    if(s.source != '', s.source, c.source) AS source,
    if(s.raw_topic != '', s.raw_topic, c.topic) AS raw_topic,
    s.records AS records, s.accepted AS accepted, s.rejected AS rejected, s.ignored AS ignored, s.bytes AS bytes,
    s.partitions AS partitions, s.idle AS idle_partitions, s.last_record AS last_record, s.max_created AS max_created, c.silence_ms AS silence_ms,
    multiIf(s.source = '', 'never heard', c.silence_ms > 0 AND last_record < now64(3) - toIntervalMillisecond(c.silence_ms), 'silent', 'ok') AS state
FROM (
    SELECT p.tenant AS tenant, p.source AS source, p.raw_topic AS raw_topic, sum(p.records) AS records, sum(p.accepted) AS accepted,
        sum(p.rejected) AS rejected, sum(p.ignored) AS ignored, sum(p.bytes) AS bytes, count() AS partitions, countIf(p.idle) AS idle,
        max(p.last_record) AS last_record, max(p.max_created) AS max_created
    FROM (
        SELECT w.tenant AS tenant, w.source AS source, w.raw_topic AS raw_topic, w.raw_partition AS raw_partition, sum(w.records) AS records,
            sum(w.accepted) AS accepted, sum(w.rejected) AS rejected, sum(w.ignored) AS ignored, sum(w.bytes) AS bytes,
            maxIf(w.time, w.records > 0) AS last_record, max(w.max_created) AS max_created, argMax(w.idle, (w.raw_offset, w.time)) AS idle
        FROM (SELECT * FROM source_stats FINAL) AS w GROUP BY tenant, source, raw_topic, raw_partition
    ) AS p
    GROUP BY tenant, source, raw_topic
) AS s
FULL JOIN (SELECT * FROM sources FINAL) AS c ON c.tenant = s.tenant AND c.source = s.source AND c.topic = s.raw_topic;

-- "Complete to 12:04:31": every alert created before complete_to that was on time
-- is in the store. NULL until each raw partition has been heard of. held_by names
-- the raw partition that is furthest behind; silent ones do not count.
CREATE OR REPLACE VIEW v_completeness {{on}} AS
SELECT tenant,
    if(sum(unheard) > 0, NULL, nullIf(if(sum(active) = 0, max(newest), min(oldest)), toDateTime64(0, 3, 'UTC'))) AS complete_to,
    if(sum(active) = 0, '', argMin(held, oldest)) AS held_by,
    sum(heard) AS partitions, sum(unheard) AS partitions_unheard, sum(heard) - sum(active) AS partitions_idle
FROM (
    SELECT tenant, source, raw_topic, count() AS heard, max(expected) - count() AS unheard, countIf(NOT idle) AS active, max(seen) AS newest,
        if(active = 0, toDateTime64('2299-12-31 00:00:00', 3, 'UTC'), minIf(seen, NOT idle)) AS oldest,
        concat(toString(source), ' ', toString(raw_topic), '/', toString(argMinIf(raw_partition, seen, NOT idle))) AS held
    FROM (
        SELECT tenant, source, raw_topic, raw_partition, argMax(max_created, (raw_offset, time)) AS seen,
            argMax(idle, (raw_offset, time)) AS idle, toInt64(max(raw_partitions)) AS expected
        FROM source_stats GROUP BY tenant, source, raw_topic, raw_partition
    )
    GROUP BY tenant, source, raw_topic
)
GROUP BY tenant;

-- Accounting of ranges: overlaps must be 0 on topics that are not compacted.
CREATE OR REPLACE VIEW v_ranges {{on}} AS
SELECT topic, partition, count() AS ranges, min(lo) AS first, max(hi) AS last, sum(records) AS records, sum(alerts) AS alerts,
    sum(skipped) AS skipped, countIf(lo <= before) AS overlaps
FROM (
    SELECT topic, partition, lo, hi, records, alerts, skipped,
        max(hi) OVER (PARTITION BY topic, partition ORDER BY lo, hi ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS prior,
        if(row_number() OVER (PARTITION BY topic, partition ORDER BY lo, hi) = 1, -1, prior) AS before
    FROM completeness FINAL
)
GROUP BY topic, partition;
