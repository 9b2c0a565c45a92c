-- Have we seen this before, and how did it end?
-- Resolved incidents that share techniques or entities with this one: one point
-- per shared technique, two per shared entity.
-- Parameters: tenant, incident (UUID).
WITH
    this AS (SELECT techniques, entities, incident_id FROM v_incident WHERE tenant = {tenant:String} AND asked_id = {incident:UUID}),
    (SELECT any(techniques) FROM this) AS these_techniques,
    (SELECT any(entities) FROM this) AS these_entities
SELECT number, title, classification, severity, last_time,
    arrayFilter(x -> x != '', arrayIntersect(techniques, these_techniques)) AS shared_techniques,
    arraySort(arrayIntersect(entities, these_entities)) AS shared_entities,
    length(shared_techniques) + 2 * length(shared_entities) AS score, incident_id
FROM incidents FINAL
WHERE tenant = {tenant:String} AND status IN ('resolved', 'closed') AND incident_id NOT IN (SELECT incident_id FROM this)
    AND redirect_to = toUUID('00000000-0000-0000-0000-000000000000') AND score > 0
ORDER BY score DESC, last_time DESC, incident_id
LIMIT 20;
