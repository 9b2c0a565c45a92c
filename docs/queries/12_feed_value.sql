-- Which feeds find something, and which only make noise?
-- Matches of each feed since a time: how many counted, were doubted, or were taken
-- back, and how many alerts they concern. A match promotes its incident by itself, so
-- that an incident is promoted says nothing for the feed. It is judged by what others
-- say: confirmed are alerts of incidents that people called true; in_promoted are those
-- of incidents that were worth promoting without any indicator: by the severity that
-- sensors gave, by several sources or by several tactics (thresholds: the defaults of
-- correlate.promote); proved_false are alerts of which the vendor, people or a later
-- word on the indicator say that it was wrong. Feeds do not vouch for each other.
-- Parameters: tenant, since (time).
WITH hits AS (
    SELECT *, counts, withdrawn != toDateTime64(0, 3, 'UTC') AS taken_back FROM matches FINAL
    WHERE tenant = {tenant:String} AND time >= {since:DateTime64(3, 'UTC')}
), inside AS (
    SELECT alert_id, incident_id FROM incident_members FINAL WHERE tenant = {tenant:String} AND alert_id IN (SELECT alert_id FROM hits)
)
SELECT m.feed AS feed, count() AS matches, countIf(m.counts) AS counting, countIf(m.demoted != '') AS demoted, countIf(m.taken_back) AS withdrawn,
    countIf(m.retro) AS retro, uniqExact(m.indicator) AS indicators, uniqExactIf(m.alert_id, m.counts) AS alerts,
    uniqExactIf(m.alert_id, m.counts AND i.classification = 'true_positive') AS confirmed,
    uniqExactIf(m.alert_id, m.counts AND i.disposition = 'promoted' AND i.own_grounds) AS in_promoted,
    uniqExactIf(m.alert_id, m.taken_back OR m.counts AND (a.verdict = 'false_positive' OR i.classification = 'false_positive')) AS proved_false,
    max(m.time) AS last_matched, arrayElement(topKIf(1)(m.demoted, m.demoted != ''), 1) AS usual_doubt
FROM hits AS m
LEFT JOIN (
    SELECT alert_id, toString(verdict) AS verdict FROM alerts FINAL WHERE tenant = {tenant:String} AND alert_id IN (SELECT alert_id FROM hits)
) AS a ON a.alert_id = m.alert_id
LEFT JOIN (
    SELECT x.alert_id AS alert_id, toString(y.disposition) AS disposition, toString(y.classification) AS classification,
        z.severity >= 'high' OR length(y.sources) >= 2 OR length(arrayDistinct(arrayFilter(t -> t != '', y.tactics))) >= 3 AS own_grounds
    FROM inside AS x
    INNER JOIN (SELECT incident_id, disposition, classification, sources, tactics FROM incidents FINAL WHERE tenant = {tenant:String}) AS y ON y.incident_id = x.incident_id
    INNER JOIN (
        SELECT incident_id, max(severity) AS severity FROM incident_members FINAL
        WHERE tenant = {tenant:String} AND incident_id IN (SELECT incident_id FROM inside) GROUP BY incident_id
    ) AS z ON z.incident_id = x.incident_id
) AS i ON i.alert_id = m.alert_id
GROUP BY feed
ORDER BY confirmed DESC, in_promoted DESC, proved_false, alerts DESC, counting DESC, matches DESC, feed
LIMIT 100;
