package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/interdict/interdict/pipeline"
	"github.com/interdict/interdict/stages"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// visibleWithin is how long a topic may take to show up on every broker after it
// was created. Only one that stays away is missing.
const visibleWithin = 3 * time.Second

// checkTopics refuses to work on a cluster that lacks topics or whose sharded
// topics have another partition count than the configuration. It gives the
// counts of the sharded topics.
func checkTopics(ctx context.Context, adm *kadm.Client, cfg Config, hop pipeline.Hop) (map[string]int32, error) {
	names := slices.Clone(hop.Inputs)
	sharded, single := make(map[string]int32), make(map[string]bool)
	for _, spec := range pipeline.Topics() {
		name := spec.Topic.Name(cfg.Prefix)
		names = append(names, name)
		if spec.Sharded {
			sharded[name] = cfg.Partitions
		}
		single[name] = spec.Single
	}
	slices.Sort(names)
	names = slices.Compact(names)
	found, missing, err := findTopics(ctx, adm, names)
	for deadline := time.Now().Add(visibleWithin); err == nil && len(missing) > 0 && time.Now().Before(deadline) && ctx.Err() == nil; {
		sleep(ctx, visibleWithin/8)
		found, missing, err = findTopics(ctx, adm, names)
	}
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		return nil, stages.Permanent(fmt.Errorf("missing topics: %s (run interdict topics apply)", strings.Join(missing, ", ")))
	}

	var wrong []string
	for _, name := range names {
		if n := int32(len(found[name].Partitions)); sharded[name] != 0 && n != sharded[name] {
			wrong = append(wrong, fmt.Sprintf("%s has %d partitions, the configuration says %d", name, n, sharded[name]))
		}
		if n := len(found[name].Partitions); single[name] && n != 1 {
			wrong = append(wrong, fmt.Sprintf("%s has %d partitions and may have one only", name, n))
		}
	}
	if len(wrong) > 0 {
		return nil, stages.Permanent(fmt.Errorf("partition counts differ: %s (repartitioning is a procedure of its own)", strings.Join(wrong, "; ")))
	}
	if hop.State {
		// A lane's snapshots live in the state partition of the lane's own number.
		for _, in := range hop.Inputs {
			if n := int32(len(found[in].Partitions)); n > cfg.Partitions {
				return nil, stages.Permanent(fmt.Errorf("input %s has %d partitions, more than the %d of the state topic", in, n, cfg.Partitions))
			}
		}
	}
	return sharded, nil
}

// findTopics reads the topics' metadata and names those that are not there.
func findTopics(ctx context.Context, adm *kadm.Client, names []string) (found kadm.TopicDetails, missing []string, err error) {
	found, err = adm.ListTopics(ctx, names...)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the topics of the cluster: %w", err)
	}
	for _, name := range names {
		d, ok := found[name]
		switch {
		case !ok || errors.Is(d.Err, kerr.UnknownTopicOrPartition):
			missing = append(missing, name)
		case d.Err != nil:
			return nil, nil, fmt.Errorf("reading topic %s: %w", name, classify(d.Err))
		}
	}
	return found, missing, nil
}

// classify marks errors that trying again cannot cure: what an operator must fix.
func classify(err error) error {
	for _, fatal := range []error{
		kerr.TopicAuthorizationFailed, kerr.GroupAuthorizationFailed, kerr.TransactionalIDAuthorizationFailed,
		kerr.ClusterAuthorizationFailed, kerr.SaslAuthenticationFailed, kerr.MessageTooLarge, kerr.RecordListTooLarge,
		kerr.InvalidTopicException, kerr.UnsupportedForMessageFormat, kerr.OffsetOutOfRange,
	} {
		if errors.Is(err, fatal) {
			return stages.Permanent(err)
		}
	}
	return err
}
