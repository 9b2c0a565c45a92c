-- Which sources are silent, and what could not be read?
-- Every source with the time since its last record (at the time asked for), its
-- accounting, and its most frequent reason to reject.
-- Parameters: tenant, at (time).
SELECT h.source AS source, h.raw_topic AS topic, h.last_record AS last_record,
    if(h.records = 0, 'no records', formatReadableTimeDelta(dateDiff('second', h.last_record, {at:DateTime64(3, 'UTC')}))) AS silent_for,
    h.silence_ms > 0 AND dateDiff('millisecond', h.last_record, {at:DateTime64(3, 'UTC')}) > h.silence_ms AS too_long,
    h.records AS records, h.accepted AS accepted, h.rejected AS rejected, h.ignored AS ignored, r.reason AS top_reason, r.detail AS example
FROM (SELECT * FROM v_source_health WHERE tenant = {tenant:String}) AS h
LEFT JOIN (
    SELECT source, topKWeighted(1)(toString(reason), n)[1] AS reason, any(detail) AS detail
    FROM (SELECT source, reason, count() AS n, any(detail) AS detail FROM rejects FINAL WHERE tenant = {tenant:String} AND chunk = 0 GROUP BY source, reason)
    GROUP BY source
) AS r ON r.source = h.source
ORDER BY too_long DESC, h.last_record, source, topic;
