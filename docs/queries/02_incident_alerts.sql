-- What is in this incident, and why is each alert in it?
-- Any id the incident ever had will do: redirects are followed.
-- Parameters: tenant, incident (UUID).
WITH now_id AS (SELECT incident_id FROM v_incident WHERE tenant = {tenant:String} AND asked_id = {incident:UUID})
SELECT m.created AS created, m.severity AS severity, m.source AS source, m.title AS title, m.reason AS reason, m.link_key AS shares,
    if(m.peer = toUUID('00000000-0000-0000-0000-000000000000'), '', toString(m.peer)) AS with_alert,
    formatReadableTimeDelta(m.distance_ms / 1000) AS apart, m.late AS late, m.alert_id AS alert_id
FROM (SELECT * FROM incident_members FINAL WHERE tenant = {tenant:String} AND alert_id IN (
    SELECT alert_id FROM incident_members WHERE tenant = {tenant:String} AND incident_id IN now_id)) AS m
WHERE m.incident_id IN now_id
ORDER BY created, alert_id;
