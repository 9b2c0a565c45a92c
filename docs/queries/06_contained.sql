-- What was contained, why, and until when?
-- Leases of the tenant, those in force at the time asked for first, with the last
-- thing the executor said.
-- Parameters: tenant, at (time).
SELECT l.target_type AS type, l.target_key AS target, l.action AS action,
    if(l.state = 'active' AND l.until > {at:DateTime64(3, 'UTC')}, 'in force', if(l.state = 'active', 'expired', l.state)) AS state,
    l.from_time AS since, l.until AS until, l.policy AS policy, l.reason AS reason, length(l.evidence) AS evidence, r.status AS executor_says,
    r.detail AS detail, l.incident_id AS incident_id
FROM (SELECT * FROM leases FINAL WHERE tenant = {tenant:String}) AS l
LEFT JOIN (
    SELECT lease_id, argMax(status, (time, offset)) AS status, argMax(detail, (time, offset)) AS detail
    FROM actions FINAL WHERE tenant = {tenant:String} AND record = 'result' GROUP BY lease_id
) AS r ON r.lease_id = l.lease_id
ORDER BY state = 'in force' DESC, until DESC, type, target
LIMIT 1000;
