package schema

import "hash/fnv"

// Shards is the number of virtual shards. State is keyed by virtual shard, so
// that a partition count can change without touching state. See ADR 0002.
const Shards = 1024

// Shard is a virtual shard, 0 <= Shard < Shards.
type Shard uint16

// ShardOf gives the tenant's shard: a tenant is one shard.
func ShardOf(tenant string) Shard {
	h := fnv.New32a()
	h.Write([]byte(tenant))
	return Shard(h.Sum32() % Shards)
}

// Partition is the explicit shard-to-partition table for a topic of n
// partitions: shards are dealt in turn.
func (s Shard) Partition(n int) int32 { return int32(int(s) % n) }
