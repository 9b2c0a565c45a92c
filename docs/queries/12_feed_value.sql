-- Which feeds find something, and which only make noise?
-- Matches of each feed since a time: how many counted, how many alerts that
-- concerns, how many of those are in a promoted incident, and how many proved
-- false: the vendor says so, or their incident was classified as one.
-- Parameters: tenant, since (time).
SELECT m.feed AS feed, count() AS matches, countIf(m.counts) AS counting, countIf(m.demoted != '') AS demoted, countIf(m.retro) AS retro,
    uniqExact(m.indicator) AS indicators, uniqExactIf(m.alert_id, m.counts) AS alerts,
    uniqExactIf(m.alert_id, m.counts AND i.disposition = 'promoted') AS in_promoted,
    uniqExactIf(m.alert_id, m.counts AND (a.verdict = 'false_positive' OR i.classification = 'false_positive')) AS proved_false,
    max(m.time) AS last_matched, arrayElement(topKIf(1)(m.demoted, m.demoted != ''), 1) AS usual_doubt
FROM (SELECT *, counts FROM matches FINAL WHERE tenant = {tenant:String} AND time >= {since:DateTime64(3, 'UTC')}) AS m
LEFT JOIN (
    SELECT alert_id, toString(verdict) AS verdict FROM alerts FINAL
    WHERE tenant = {tenant:String} AND alert_id IN (SELECT alert_id FROM matches WHERE tenant = {tenant:String} AND time >= {since:DateTime64(3, 'UTC')})
) AS a ON a.alert_id = m.alert_id
LEFT JOIN (
    SELECT x.alert_id AS alert_id, toString(y.disposition) AS disposition, toString(y.classification) AS classification
    FROM (
        SELECT alert_id, incident_id FROM incident_members FINAL
        WHERE tenant = {tenant:String} AND alert_id IN (SELECT alert_id FROM matches WHERE tenant = {tenant:String} AND time >= {since:DateTime64(3, 'UTC')})
    ) AS x
    INNER JOIN (SELECT incident_id, disposition, classification FROM incidents FINAL WHERE tenant = {tenant:String}) AS y ON y.incident_id = x.incident_id
) AS i ON i.alert_id = m.alert_id
GROUP BY feed
ORDER BY in_promoted DESC, alerts DESC, counting DESC, matches DESC, feed
LIMIT 100;
