-- Who else touched this hash, address or domain?
-- Every host and user that was named in an alert together with it.
-- Parameters: tenant, type (ip, domain, url, file_hash, mailbox), value.
WITH hits AS (
    SELECT alert_id FROM alert_entities
    WHERE tenant = {tenant:String} AND entity_type = {type:String} AND key = {value:String}
)
SELECT e.type AS type, e.key AS key, count() AS alerts, min(e.created) AS first, max(e.created) AS last, max(e.severity) AS worst,
    arraySort(groupUniqArray(e.title)) AS titles
FROM (
    SELECT alert_id, created, severity, title, splitByChar(':', entity)[1] AS type, substring(entity, position(entity, ':') + 1) AS key
    FROM alerts FINAL
    ARRAY JOIN entities AS entity
    WHERE tenant = {tenant:String} AND alert_id IN hits
) AS e
WHERE e.type IN ('host', 'user')
GROUP BY type, key
ORDER BY alerts DESC, type, key
LIMIT 1000;
