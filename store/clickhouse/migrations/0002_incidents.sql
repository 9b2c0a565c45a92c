-- Incidents, their members and paths. Rows of compacted topics are replaced by
-- version; deleted is set by a tombstone, whose version is above all others.

CREATE TABLE IF NOT EXISTS incidents {{on}}
(
    tenant LowCardinality(String),
    incident_id UUID,
    number String,
    version UInt64,
    deleted UInt8,
    title String,
    disposition LowCardinality(String),
    severity Enum8('unknown' = 0, 'informational' = 1, 'low' = 2, 'medium' = 3, 'high' = 4, 'critical' = 5, 'fatal' = 6),
    priority UInt8,
    factors Array(LowCardinality(String)),
    factor_points Array(Int32),
    status LowCardinality(String),
    assignee String,
    assignee_group String,
    classification LowCardinality(String),
    tags Array(String),
    scopes Array(String),
    tickets Array(String),
    redirect_to UUID,
    campaign UUID,
    founder UUID,
    level Int8,
    slice Int32,
    final Bool,
    touched Bool,
    suggested_split Bool,
    first_time DateTime64(3, 'UTC'),
    last_time DateTime64(3, 'UTC'),
    alerts UInt32,
    routine UInt32,
    sources Array(LowCardinality(String)),
    techniques Array(LowCardinality(String)),
    tactics Array(LowCardinality(String)),
    entities Array(String),
    written DateTime64(3, 'UTC'),
    topic LowCardinality(String),
    partition Int32,
    offset Int64
)
ENGINE = {{engine "ReplacingMergeTree" "version, deleted"}}
ORDER BY (tenant, incident_id)
SETTINGS {{dedup}};

-- Every version of every head, without what only grows.
CREATE TABLE IF NOT EXISTS incident_versions {{on}}
(
    tenant LowCardinality(String),
    incident_id UUID,
    version UInt64,
    deleted UInt8,
    title String,
    disposition LowCardinality(String),
    severity Enum8('unknown' = 0, 'informational' = 1, 'low' = 2, 'medium' = 3, 'high' = 4, 'critical' = 5, 'fatal' = 6),
    priority UInt8,
    status LowCardinality(String),
    assignee String,
    classification LowCardinality(String),
    redirect_to UUID,
    level Int8,
    alerts UInt32,
    last_time DateTime64(3, 'UTC'),
    written DateTime64(3, 'UTC'),
    topic LowCardinality(String),
    partition Int32,
    offset Int64
)
ENGINE = {{engine "ReplacingMergeTree"}}
ORDER BY (tenant, incident_id, version)
SETTINGS {{dedup}};

CREATE TABLE IF NOT EXISTS incident_members {{on}}
(
    tenant LowCardinality(String),
    alert_id UUID,
    incident_id UUID,
    version UInt64,
    deleted UInt8,
    level Int8,
    weight UInt16,
    reason LowCardinality(String),
    link_key String,
    peer UUID,
    distance_ms Int64,
    late Bool,
    vendor_id String,
    source LowCardinality(String),
    created DateTime64(3, 'UTC'),
    title String,
    severity Enum8('unknown' = 0, 'informational' = 1, 'low' = 2, 'medium' = 3, 'high' = 4, 'critical' = 5, 'fatal' = 6),
    written DateTime64(3, 'UTC'),
    topic LowCardinality(String),
    partition Int32,
    offset Int64,
    PROJECTION by_incident (SELECT tenant, incident_id, alert_id ORDER BY tenant, incident_id)
)
ENGINE = {{engine "ReplacingMergeTree" "version, deleted"}}
ORDER BY (tenant, alert_id)
SETTINGS {{dedup}}, deduplicate_merge_projection_mode = 'rebuild', lightweight_mutation_projection_mode = 'rebuild';

-- When an id came to mean another incident: history. Where an id leads now is in
-- incidents.redirect_to; v_incident follows it.
CREATE TABLE IF NOT EXISTS incident_redirects {{on}}
(
    tenant LowCardinality(String),
    incident_id UUID,
    version UInt64,
    redirect_to UUID,
    written DateTime64(3, 'UTC'),
    topic LowCardinality(String),
    partition Int32,
    offset Int64
)
ENGINE = {{engine "ReplacingMergeTree"}}
ORDER BY (tenant, incident_id, version)
SETTINGS {{dedup}};

CREATE TABLE IF NOT EXISTS attack_paths {{on}}
(
    tenant LowCardinality(String),
    path_id UUID,
    incident_id UUID,
    version UInt64,
    deleted UInt8,
    kind LowCardinality(String),
    status LowCardinality(String),
    entry_type LowCardinality(String),
    entry_key String,
    foothold_type LowCardinality(String),
    foothold_key String,
    edges UInt32,
    reach UInt32,
    written DateTime64(3, 'UTC'),
    topic LowCardinality(String),
    partition Int32,
    offset Int64,
    INDEX by_incident incident_id TYPE bloom_filter GRANULARITY 1
)
ENGINE = {{engine "ReplacingMergeTree" "version, deleted"}}
ORDER BY (tenant, path_id)
SETTINGS {{dedup}};

-- The edges of a path are the rows with the path's version.
CREATE TABLE IF NOT EXISTS attack_path_edges {{on}}
(
    tenant LowCardinality(String),
    path_id UUID,
    seq UInt32,
    version UInt64,
    incident_id UUID,
    from_type LowCardinality(String),
    from_key String,
    to_type LowCardinality(String),
    to_key String,
    time DateTime64(3, 'UTC'),
    technique LowCardinality(String),
    alert_id UUID,
    observed Bool,
    written DateTime64(3, 'UTC'),
    topic LowCardinality(String),
    partition Int32,
    offset Int64
)
ENGINE = {{engine "ReplacingMergeTree" "version"}}
ORDER BY (tenant, path_id, seq)
SETTINGS {{dedup}};

-- Statements between the shards of a giant tenant.
CREATE TABLE IF NOT EXISTS links {{on}}
(
    tenant LowCardinality(String),
    level Int8,
    link_key String,
    a UUID,
    b UUID,
    time DateTime64(3, 'UTC'),
    topic LowCardinality(String),
    partition Int32,
    offset Int64
)
ENGINE = {{engine "ReplacingMergeTree"}}
ORDER BY (tenant, level, link_key, a, b)
SETTINGS {{dedup}};
