-- What else happened around this host, a day before and after?
-- Under every name it had: names that share a vendor's stable id while it was valid.
-- Parameters: tenant, host, at (time).
SELECT time, as_key AS seen_as, role, severity, source, title, alert_id
FROM v_entity_timeline
WHERE tenant = {tenant:String} AND entity_type = 'host' AND key = {host:String}
    AND time BETWEEN {at:DateTime64(3, 'UTC')} - INTERVAL 24 HOUR AND {at:DateTime64(3, 'UTC')} + INTERVAL 24 HOUR
ORDER BY time, alert_id, role
LIMIT 1000;
