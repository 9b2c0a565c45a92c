-- Sources, inventory and intelligence; what was rejected, and how far the store is.

CREATE TABLE IF NOT EXISTS sources {{on}}
(
    tenant LowCardinality(String),
    source LowCardinality(String),
    topic LowCardinality(String),
    version UInt64,
    formats Array(LowCardinality(String)),
    attests Array(LowCardinality(String)),
    silence_ms Int64
)
ENGINE = {{engine "ReplacingMergeTree" "version"}}
ORDER BY (tenant, source, topic)
SETTINGS {{dedup}};

CREATE TABLE IF NOT EXISTS assets {{on}}
(
    tenant LowCardinality(String),
    entity_type LowCardinality(String),
    key String,
    version UInt64,
    deleted UInt8,
    class LowCardinality(String),
    criticality UInt8,
    asset_group LowCardinality(String),
    scope LowCardinality(String),
    owner String,
    fresh DateTime64(3, 'UTC'),
    written DateTime64(3, 'UTC'),
    topic LowCardinality(String),
    partition Int32,
    offset Int64
)
ENGINE = {{engine "ReplacingMergeTree" "version, deleted"}}
ORDER BY (tenant, entity_type, key)
SETTINGS {{dedup}};

-- Every state of every indicator that ever matched or changed; tenant is empty
-- for feeds that all tenants share.
CREATE TABLE IF NOT EXISTS indicators_history {{on}}
(
    tenant LowCardinality(String),
    observable_type LowCardinality(String),
    value String,
    feed LowCardinality(String),
    indicator String,
    snapshot UInt64,
    verdict LowCardinality(String),
    severity Enum8('unknown' = 0, 'informational' = 1, 'low' = 2, 'medium' = 3, 'high' = 4, 'critical' = 5, 'fatal' = 6),
    confidence UInt8,
    tlp LowCardinality(String),
    valid_from DateTime64(3, 'UTC'),
    valid_until DateTime64(3, 'UTC'),
    labels Array(LowCardinality(String)),
    written DateTime64(3, 'UTC')
)
ENGINE = {{engine "ReplacingMergeTree"}}
ORDER BY (tenant, observable_type, value, feed, indicator, snapshot)
SETTINGS {{dedup}};

-- Documents that were not understood, one row per chunk of the dead letter.
-- raw_* say where the document came from.
CREATE TABLE IF NOT EXISTS rejects {{on}}
(
    tenant LowCardinality(String),
    source LowCardinality(String),
    raw_topic LowCardinality(String),
    raw_partition Int32,
    raw_offset Int64,
    raw_doc Int32,
    chunk Int32,
    chunks Int32,
    time DateTime64(3, 'UTC'),
    reason LowCardinality(String),
    detail String,
    size UInt64,
    bytes String CODEC(ZSTD(3)),
    written DateTime64(3, 'UTC'),
    topic LowCardinality(String),
    partition Int32,
    offset Int64
)
ENGINE = {{engine "ReplacingMergeTree"}}
ORDER BY (tenant, source, raw_topic, raw_partition, raw_offset, raw_doc, chunk, topic, partition, offset)
SETTINGS {{dedup}};

-- One row per watermark record. The counts are those since the record before, so
-- they add up to what hop 1 made of the source.
CREATE TABLE IF NOT EXISTS source_stats {{on}}
(
    tenant LowCardinality(String),
    source LowCardinality(String),
    raw_topic LowCardinality(String),
    raw_partition Int32,
    raw_partitions Int32,
    raw_offset Int64,
    max_created DateTime64(3, 'UTC'),
    idle Bool,
    time DateTime64(3, 'UTC'),
    records UInt64,
    accepted UInt64,
    rejected UInt64,
    ignored UInt64,
    bytes UInt64,
    topic LowCardinality(String),
    partition Int32,
    offset Int64
)
ENGINE = {{engine "ReplacingMergeTree"}}
ORDER BY (tenant, source, raw_topic, raw_partition, raw_offset, time, topic, partition, offset)
SETTINGS {{dedup}};

-- Which ranges of which topics are in the store. It belongs to no tenant.
CREATE TABLE IF NOT EXISTS completeness {{on}}
(
    topic LowCardinality(String),
    partition Int32,
    lo Int64,
    hi Int64,
    token String,
    records UInt64,
    alerts UInt64,
    skipped UInt64,
    watermark DateTime64(3, 'UTC'),
    inserted DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = {{engine "ReplacingMergeTree"}}
ORDER BY (topic, partition, lo, hi, token)
SETTINGS {{dedup}};
