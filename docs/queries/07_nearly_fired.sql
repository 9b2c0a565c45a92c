-- What nearly fired, and which rule stood against it?
-- Vetoed and shadow decisions since a time, newest first.
-- Parameters: tenant, since (time).
SELECT time, policy, outcome, action, target_type, target_key, veto, mode, length(evidence) AS evidence, incident_id
FROM decisions FINAL
WHERE tenant = {tenant:String} AND outcome IN ('vetoed', 'shadow') AND time >= {since:DateTime64(3, 'UTC')}
ORDER BY time DESC, decision_id
LIMIT 1000;
