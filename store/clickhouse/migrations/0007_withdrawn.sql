-- Matches that were taken back: the indicator turned out to be wrong.

-- When a match was taken back; demoted says why. A row that was taken back, or put back
-- after that, has a revision above those of all alerts, so that it stands.
ALTER TABLE matches {{on}}
    ADD COLUMN IF NOT EXISTS withdrawn DateTime64(3, 'UTC') AFTER retro;

-- What feeds are worth: how often each matched, how often that counted, and what
-- of it was doubted or taken back.
CREATE OR REPLACE VIEW v_intel_feeds {{on}} AS
SELECT tenant, feed, count() AS matches, countIf(counts) AS counting, countIf(demoted != '') AS demoted_matches,
    countIf(withdrawn != toDateTime64(0, 3, 'UTC')) AS withdrawn_matches, countIf(retro) AS retro_matches,
    uniqExact(indicator) AS indicators, uniqExact(alert_id) AS alerts, uniqExactIf(alert_id, counts) AS counting_alerts,
    max(time) AS last_matched, maxIf(time, counts) AS last_counted
FROM (SELECT *, counts FROM matches FINAL)
GROUP BY tenant, feed;

-- Incidents of which every indicator that counted was taken back. A promoted one may
-- have been promoted for nothing else: its severity, sources and tactics tell.
CREATE OR REPLACE VIEW v_incidents_withdrawn {{on}} AS
SELECT m.tenant AS tenant, m.incident_id AS incident_id, countIf(h.withdrawn != toDateTime64(0, 3, 'UTC')) AS withdrawn_matches,
    max(h.withdrawn) AS last_withdrawn
FROM (
    SELECT tenant, incident_id, alert_id FROM incident_members FINAL
    WHERE (tenant, incident_id) IN (
        SELECT tenant, incident_id FROM incident_members
        WHERE (tenant, alert_id) IN (SELECT tenant, alert_id FROM matches WHERE withdrawn != toDateTime64(0, 3, 'UTC'))
    )
) AS m
INNER JOIN (SELECT tenant, alert_id, withdrawn, counts FROM matches FINAL) AS h ON h.tenant = m.tenant AND h.alert_id = m.alert_id
GROUP BY tenant, incident_id
HAVING withdrawn_matches > 0 AND countIf(h.counts) = 0;
