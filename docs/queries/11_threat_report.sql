-- Did what a threat report tells about happen here?
-- The alerts that its indicators matched, with incident and whom they concern; one
-- found after the alert is marked as retro. Reports and campaigns are named by the
-- feed's id or by name: SELECT * FROM v_threat_reports lists them.
-- Parameters: tenant, report (id or name).
WITH hits AS (
    SELECT * FROM v_threat_matches
    WHERE tenant = {tenant:String} AND kind IN ('report', 'campaign') AND (threat = {report:String} OR name = {report:String})
)
SELECT h.time AS time, h.alert_id AS alert_id, a.title AS title, a.severity AS severity, i.number AS incident, i.disposition AS disposition,
    h.indicators AS indicators, h.feeds AS feeds, h.retro AS retro,
    arraySort(arrayFilter((e, r) -> r NOT IN ('sensor', 'c2') AND splitByChar(':', e)[1] IN ('host', 'user', 'mailbox'), a.entities, a.roles)) AS impacted
FROM (
    SELECT alert_id, min(time) AS time, arraySort(groupUniqArray(concat(toString(entity_type), ':', key))) AS indicators,
        arraySort(groupUniqArray(toString(feed))) AS feeds, min(retro) AS retro
    FROM hits GROUP BY alert_id
) AS h
LEFT JOIN (
    SELECT alert_id, title, severity, entities, roles FROM alerts FINAL
    WHERE tenant = {tenant:String} AND alert_id IN (SELECT alert_id FROM hits)
) AS a ON a.alert_id = h.alert_id
LEFT JOIN (
    SELECT alert_id, incident_id FROM incident_members FINAL
    WHERE tenant = {tenant:String} AND alert_id IN (SELECT alert_id FROM hits)
) AS m ON m.alert_id = h.alert_id
LEFT JOIN (
    SELECT incident_id, number, toString(disposition) AS disposition FROM incidents FINAL WHERE tenant = {tenant:String}
) AS i ON i.incident_id = m.incident_id
ORDER BY time, alert_id
LIMIT 1000;
