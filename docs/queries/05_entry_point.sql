-- Where did it begin, and how did it spread?
-- The realized attack path of an incident, step by step.
-- Parameters: tenant, incident (UUID).
WITH now_id AS (SELECT incident_id FROM v_incident WHERE tenant = {tenant:String} AND asked_id = {incident:UUID})
SELECT e.seq + 1 AS step, e.time AS time, concat(e.from_type, ':', e.from_key) AS from, concat(e.to_type, ':', e.to_key) AS to,
    e.technique AS technique, if(e.observed, 'observed', 'inferred') AS certainty,
    if(e.seq = 0, concat('entry: ', p.entry_type, ':', p.entry_key), if(e.seq + 1 = p.edges, concat('now at: ', p.foothold_type, ':', p.foothold_key), '')) AS note,
    e.alert_id AS alert_id
FROM (SELECT * FROM attack_paths FINAL WHERE tenant = {tenant:String} AND incident_id IN now_id AND kind = 'realized') AS p
INNER JOIN (SELECT * FROM attack_path_edges FINAL WHERE tenant = {tenant:String} AND incident_id IN now_id) AS e
    ON e.path_id = p.path_id AND e.version = p.version
ORDER BY p.path_id, step;
