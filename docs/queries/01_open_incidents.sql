-- Which open incidents should be worked first?
-- Promoted incidents that are not closed, the highest priority first, with why.
-- Parameters: tenant.
SELECT number, priority, severity, status, assignee, title, alerts, last_time,
    arrayMap((name, points) -> concat(name, ' ', if(points > 0, '+', ''), toString(points)), factors, factor_points) AS reasons,
    incident_id
FROM v_queue
WHERE tenant = {tenant:String}
ORDER BY priority DESC, last_time DESC, incident_id
LIMIT 100;
