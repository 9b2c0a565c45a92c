-- What policies decided, what was done about it, and by whom.

CREATE TABLE IF NOT EXISTS decisions {{on}}
(
    tenant LowCardinality(String),
    incident_id UUID,
    decision_id UUID,
    time DateTime64(3, 'UTC'),
    policy LowCardinality(String),
    policy_hash LowCardinality(String),
    target_type LowCardinality(String),
    target_key String,
    action LowCardinality(String),
    outcome LowCardinality(String),
    veto String,
    mode LowCardinality(String),
    evidence Array(UUID),
    lease_id UUID,
    until DateTime64(3, 'UTC'),
    cause LowCardinality(String),
    topic LowCardinality(String),
    partition Int32,
    offset Int64
)
ENGINE = {{engine "ReplacingMergeTree"}}
ORDER BY (tenant, incident_id, decision_id)
SETTINGS {{dedup}};

-- The alerts that decisions rest on, by alert.
CREATE TABLE IF NOT EXISTS evidence {{on}}
(
    tenant LowCardinality(String),
    alert_id UUID,
    decision_id UUID,
    incident_id UUID,
    policy LowCardinality(String),
    time DateTime64(3, 'UTC'),
    topic LowCardinality(String),
    partition Int32,
    offset Int64
)
ENGINE = {{engine "ReplacingMergeTree"}}
ORDER BY (tenant, alert_id, decision_id)
SETTINGS {{dedup}};

CREATE TABLE IF NOT EXISTS leases {{on}}
(
    tenant LowCardinality(String),
    lease_id UUID,
    version UInt64,
    deleted UInt8,
    target_type LowCardinality(String),
    target_key String,
    action LowCardinality(String),
    state LowCardinality(String),
    from_time DateTime64(3, 'UTC'),
    until DateTime64(3, 'UTC'),
    incident_id UUID,
    decision_id UUID,
    policy LowCardinality(String),
    evidence Array(UUID),
    reason String,
    written DateTime64(3, 'UTC'),
    topic LowCardinality(String),
    partition Int32,
    offset Int64
)
ENGINE = {{engine "ReplacingMergeTree" "version, deleted"}}
ORDER BY (tenant, lease_id)
SETTINGS {{dedup}};

-- Commands, and what executors said of them: record is 'command' or 'result'.
CREATE TABLE IF NOT EXISTS actions {{on}}
(
    tenant LowCardinality(String),
    action_id UUID,
    record LowCardinality(String),
    time DateTime64(3, 'UTC'),
    lease_id UUID,
    decision_id UUID,
    incident_id UUID,
    verb LowCardinality(String),
    kind LowCardinality(String),
    target_type LowCardinality(String),
    target_key String,
    until DateTime64(3, 'UTC'),
    policy LowCardinality(String),
    policy_hash LowCardinality(String),
    evidence Array(UUID),
    version UInt64,
    key_id LowCardinality(String),
    signature String,
    status LowCardinality(String),
    detail String,
    executor LowCardinality(String),
    prior String,
    topic LowCardinality(String),
    partition Int32,
    offset Int64
)
ENGINE = {{engine "ReplacingMergeTree"}}
ORDER BY (tenant, action_id, record, topic, partition, offset)
SETTINGS {{dedup}};

CREATE TABLE IF NOT EXISTS ledger {{on}}
(
    tenant LowCardinality(String),
    object String,
    time DateTime64(3, 'UTC'),
    event_id UUID,
    incident_id UUID,
    actor String,
    origin LowCardinality(String),
    verb LowCardinality(String),
    before String,
    after String,
    cause String,
    topic LowCardinality(String),
    partition Int32,
    offset Int64
)
ENGINE = {{engine "ReplacingMergeTree"}}
ORDER BY (tenant, object, time, event_id)
SETTINGS {{dedup}};

-- Runs of investigations, playbooks, rules and live response.
CREATE TABLE IF NOT EXISTS runs {{on}}
(
    tenant LowCardinality(String),
    run_id UUID,
    version UInt64,
    incident_id UUID,
    kind LowCardinality(String),
    name String,
    status LowCardinality(String),
    actor String,
    start_time DateTime64(3, 'UTC'),
    end_time DateTime64(3, 'UTC'),
    topic LowCardinality(String),
    partition Int32,
    offset Int64
)
ENGINE = {{engine "ReplacingMergeTree" "version"}}
ORDER BY (tenant, run_id)
SETTINGS {{dedup}};

CREATE TABLE IF NOT EXISTS run_steps {{on}}
(
    tenant LowCardinality(String),
    run_id UUID,
    seq Int32,
    version UInt64,
    name String,
    status LowCardinality(String),
    detail String,
    start_time DateTime64(3, 'UTC'),
    end_time DateTime64(3, 'UTC'),
    topic LowCardinality(String),
    partition Int32,
    offset Int64
)
ENGINE = {{engine "ReplacingMergeTree" "version"}}
ORDER BY (tenant, run_id, seq)
SETTINGS {{dedup}};
