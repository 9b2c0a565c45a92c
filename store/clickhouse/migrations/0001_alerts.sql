-- Alerts and what they say. Ids are UUIDs of 16 derived bytes; times are
-- milliseconds in UTC, and 1970-01-01 where not known. topic, partition and
-- offset say which record of Interdict's own topics a row is from.

-- One row per alert once merged: the newest revision. The partition derives from
-- the id, since any other field may change from revision to revision and rows in
-- different partitions are never merged.
CREATE TABLE IF NOT EXISTS alerts {{on}}
(
    tenant LowCardinality(String),
    alert_id UUID,
    revision UInt64,
    source LowCardinality(String),
    format LowCardinality(String),
    vendor_id String,
    content UInt64,
    vendor LowCardinality(String),
    product LowCardinality(String),
    title String,
    description String CODEC(ZSTD(1)),
    rule_uid LowCardinality(String),
    rule LowCardinality(String),
    alert_type LowCardinality(String),
    severity Enum8('unknown' = 0, 'informational' = 1, 'low' = 2, 'medium' = 3, 'high' = 4, 'critical' = 5, 'fatal' = 6),
    confidence UInt8,
    verdict LowCardinality(String),
    status LowCardinality(String),
    blocked Bool,
    start_time DateTime64(3, 'UTC'),
    end_time DateTime64(3, 'UTC'),
    created DateTime64(3, 'UTC'),
    updated DateTime64(3, 'UTC'),
    ingested DateTime64(3, 'UTC'),
    techniques Array(LowCardinality(String)),
    tactics Array(LowCardinality(String)),
    entities Array(String),
    roles Array(LowCardinality(String)),
    matches UInt16,
    raw String CODEC(ZSTD(3)),
    raw_topic LowCardinality(String),
    raw_partition Int32,
    raw_offset Int64,
    raw_doc Int32,
    topic LowCardinality(String),
    partition Int32,
    offset Int64,
    PROJECTION by_time (SELECT tenant, created, alert_id, source, severity, rule_uid ORDER BY tenant, created)
)
ENGINE = {{engine "ReplacingMergeTree" "revision"}}
PARTITION BY cityHash64(alert_id) % 4
ORDER BY (tenant, alert_id)
SETTINGS {{dedup}}, deduplicate_merge_projection_mode = 'rebuild', lightweight_mutation_projection_mode = 'rebuild';

-- Who touched this: the same alerts by entity. A revision that drops an entity
-- leaves its row: the entities of an alert are those of all its revisions.
CREATE TABLE IF NOT EXISTS alert_entities {{on}}
(
    tenant LowCardinality(String),
    entity_type LowCardinality(String),
    key String,
    time DateTime64(3, 'UTC'),
    alert_id UUID,
    role LowCardinality(String),
    revision UInt64,
    attested Bool,
    uid String,
    name String,
    source LowCardinality(String),
    severity Enum8('unknown' = 0, 'informational' = 1, 'low' = 2, 'medium' = 3, 'high' = 4, 'critical' = 5, 'fatal' = 6),
    title String,
    topic LowCardinality(String),
    partition Int32,
    offset Int64
)
ENGINE = {{engine "ReplacingMergeTree" "revision"}}
PARTITION BY cityHash64(alert_id) % 4
ORDER BY (tenant, entity_type, key, time, alert_id, role)
SETTINGS {{dedup}};

CREATE TABLE IF NOT EXISTS matches {{on}}
(
    tenant LowCardinality(String),
    value String,
    alert_id UUID,
    feed LowCardinality(String),
    indicator String,
    revision UInt64,
    time DateTime64(3, 'UTC'),
    source LowCardinality(String),
    entity_type LowCardinality(String),
    key String,
    observable_type LowCardinality(String),
    verdict LowCardinality(String),
    severity Enum8('unknown' = 0, 'informational' = 1, 'low' = 2, 'medium' = 3, 'high' = 4, 'critical' = 5, 'fatal' = 6),
    confidence UInt8,
    tlp LowCardinality(String),
    snapshot UInt64,
    topic LowCardinality(String),
    partition Int32,
    offset Int64
)
ENGINE = {{engine "ReplacingMergeTree" "revision"}}
ORDER BY (tenant, value, alert_id, feed, indicator, entity_type, key)
SETTINGS {{dedup}};

-- Entities, aliases and detections are summed up by minimum and maximum only:
-- inserting the same range twice changes nothing even without a token.
CREATE TABLE IF NOT EXISTS entities {{on}}
(
    tenant LowCardinality(String),
    entity_type LowCardinality(String),
    key String,
    entity_id SimpleAggregateFunction(any, UUID),
    name SimpleAggregateFunction(max, String),
    first_seen SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last_seen SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = {{engine "AggregatingMergeTree"}}
ORDER BY (tenant, entity_type, key)
SETTINGS {{dedup}};

-- Another name for an entity, valid from the first to the last time it was seen.
CREATE TABLE IF NOT EXISTS entity_aliases {{on}}
(
    tenant LowCardinality(String),
    alias_type LowCardinality(String),
    alias_key String,
    entity_type LowCardinality(String),
    key String,
    source LowCardinality(String),
    valid_from SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    valid_to SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = {{engine "AggregatingMergeTree"}}
ORDER BY (tenant, alias_type, alias_key, entity_type, key, source)
SETTINGS {{dedup}};

-- Contacts between entities on realized paths.
CREATE TABLE IF NOT EXISTS entity_edges {{on}}
(
    tenant LowCardinality(String),
    from_type LowCardinality(String),
    from_key String,
    to_type LowCardinality(String),
    to_key String,
    time DateTime64(3, 'UTC'),
    alert_id UUID,
    technique LowCardinality(String),
    observed Bool,
    incident_id UUID,
    version UInt64,
    topic LowCardinality(String),
    partition Int32,
    offset Int64
)
ENGINE = {{engine "ReplacingMergeTree" "version"}}
ORDER BY (tenant, from_type, from_key, to_type, to_key, time, alert_id)
SETTINGS {{dedup}};

-- A vendor's rules, as seen in alerts.
CREATE TABLE IF NOT EXISTS detections {{on}}
(
    tenant LowCardinality(String),
    source LowCardinality(String),
    rule_uid String,
    name SimpleAggregateFunction(max, String),
    first_seen SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last_seen SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = {{engine "AggregatingMergeTree"}}
ORDER BY (tenant, source, rule_uid)
SETTINGS {{dedup}};
