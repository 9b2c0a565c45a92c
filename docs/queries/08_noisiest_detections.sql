-- Which detections make the most noise, and how much of it is false?
-- An alert counts as false positive if the vendor says so, if an analyst's verdict
-- is in the ledger, or if its incident was classified as one.
-- Parameters: tenant, since (time).
SELECT a.source AS source, a.rule_uid AS rule_uid, any(a.rule) AS rule, count() AS alerts, countIf(a.wrong) AS false_positives,
    round(100 * countIf(a.wrong) / count(), 1) AS false_positive_percent, max(a.created) AS last_seen
FROM (
    SELECT source, rule_uid, rule, created,
        verdict = 'false_positive'
        OR alert_id IN (SELECT toUUID(substring(object, 7)) FROM ledger FINAL
            WHERE tenant = {tenant:String} AND startsWith(object, 'alert:') AND verb = 'verdict' AND after = 'false_positive')
        OR alert_id IN (SELECT alert_id FROM incident_members FINAL WHERE tenant = {tenant:String} AND incident_id IN (
            SELECT incident_id FROM incidents FINAL WHERE tenant = {tenant:String} AND classification = 'false_positive')) AS wrong
    FROM alerts FINAL
    WHERE tenant = {tenant:String}
        AND alert_id IN (SELECT alert_id FROM alerts WHERE tenant = {tenant:String} AND created >= {since:DateTime64(3, 'UTC')})
) AS a
GROUP BY source, rule_uid
ORDER BY alerts DESC, false_positive_percent DESC, source, rule_uid
LIMIT 50;
