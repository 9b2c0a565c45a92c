package gen

import (
	"errors"
	"fmt"
	"time"
)

// Config describes a world. The zero value is not valid; start from Default.
type Config struct {
	// Seed decides everything the other fields leave open. Default 1.
	Seed uint64 `yaml:"seed"`
	// Tenant labels the world for the caller. It reaches no record. Default "acme".
	Tenant string `yaml:"tenant"`
	// Start is the first moment of the world, to the second. Default 2026-03-02T00:00:00Z, a Monday.
	Start time.Time `yaml:"start"`
	// Duration is the length of the world, 1 hour to 400 days. Default 24h.
	Duration time.Duration `yaml:"duration"`
	// Hosts counts machines of every class, 20 to 200,000. Default 500.
	Hosts int `yaml:"hosts"`
	// Users counts people, 10 to 500,000; service and admin accounts come on top. Default 500.
	Users int `yaml:"users"`
	// LeaseTime is how long a roaming workstation keeps an address, at least 10 min. Default 12h.
	LeaseTime time.Duration `yaml:"lease_time"`

	// Campaigns counts attacks, 0 to 10,000. Default 6.
	Campaigns int `yaml:"campaigns"`
	// GiantCampaigns of them have 125 to 375 alerts. Default 0.
	GiantCampaigns int `yaml:"giant_campaigns"`
	// MinAlerts and MaxAlerts bound the other campaigns' size, at least 5. Default 5 and 40.
	MinAlerts int `yaml:"min_alerts"`
	MaxAlerts int `yaml:"max_alerts"`
	// SlowShare of the campaigns last days instead of minutes to hours. Default 0.4.
	SlowShare float64 `yaml:"slow_share"`
	// SharedC2 is the share of campaigns that use an earlier campaign's servers. Default 0.15.
	SharedC2 float64 `yaml:"shared_c2"`
	// EntityLoss is the chance of each optional entity of an alert to be missing. Default 0.12.
	EntityLoss float64 `yaml:"entity_loss"`

	// NoiseRatio is background alerts per campaign alert. Default 20.
	NoiseRatio float64 `yaml:"noise_ratio"`
	// Background, if not 0, is the number of background alerts, whatever NoiseRatio says. Default 0.
	Background int `yaml:"background"`
	// NoisyPairs counts (host, rule) pairs that fire all day; they share NoisyShare of
	// the background. Default 10 and 0.3.
	NoisyPairs int     `yaml:"noisy_pairs"`
	NoisyShare float64 `yaml:"noisy_share"`
	// FPBursts counts false-positive bursts (one rule and artifact, 30 to 200 alerts on
	// many hosts within half an hour), on top of the background. Default 3.
	FPBursts int `yaml:"fp_bursts"`
	// TelemetryShare of all records are events that are no alerts, below 0.95. Default 0.25.
	TelemetryShare float64 `yaml:"telemetry_share"`
	// NATShare of outbound network alerts are seen outside the NAT. Default 0.25.
	NATShare float64 `yaml:"nat_share"`
	// Decoys counts indicators that occur in no record. Default 200.
	Decoys int `yaml:"decoys"`
	// Mix weighs the sensors in the background.
	Mix Mix `yaml:"mix"`
}

// Mix holds the weights of the sensors in the background. Weights are relative.
type Mix struct {
	Suricata  int `yaml:"suricata"`  // default 45
	Defender  int `yaml:"defender"`  // default 20
	GuardDuty int `yaml:"guardduty"` // default 6
	Okta      int `yaml:"okta"`      // default 11
	EDR       int `yaml:"edr"`       // default 18
}

// Default returns a day in a company of 500 people, about 2,500 alerts.
func Default() Config {
	return Config{
		Seed: 1, Tenant: "acme",
		Start:    time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC),
		Duration: 24 * time.Hour, LeaseTime: 12 * time.Hour,
		Hosts: 500, Users: 500,
		Campaigns: 6, MinAlerts: 5, MaxAlerts: 40, SlowShare: 0.4, SharedC2: 0.15, EntityLoss: 0.12,
		NoiseRatio: 20, NoisyPairs: 10, NoisyShare: 0.3, FPBursts: 3,
		TelemetryShare: 0.25, NATShare: 0.25, Decoys: 200,
		Mix: Mix{Suricata: 45, Defender: 20, GuardDuty: 6, Okta: 11, EDR: 18},
	}
}

// maxEvents bounds the memory of a world to about 2 GB.
const maxEvents = 20_000_000

// Validate reports every field that is out of its bounds.
func (c *Config) Validate() error {
	var errs []error
	in := func(name string, v, lo, hi int) {
		if v < lo || v > hi {
			errs = append(errs, fmt.Errorf("%s is %d, want %d to %d", name, v, lo, hi))
		}
	}
	share := func(name string, v, hi float64) {
		if !(v >= 0 && v <= hi) { // written so that NaN fails too
			errs = append(errs, fmt.Errorf("%s is %v, want 0 to %v", name, v, hi))
		}
	}
	in("hosts", c.Hosts, 20, 200_000)
	in("users", c.Users, 10, 500_000)
	in("campaigns", c.Campaigns, 0, 10_000)
	in("giant_campaigns", c.GiantCampaigns, 0, c.Campaigns)
	in("min_alerts", c.MinAlerts, 5, 10_000)
	in("max_alerts", c.MaxAlerts, c.MinAlerts, 10_000)
	in("background", c.Background, 0, maxEvents)
	in("noisy_pairs", c.NoisyPairs, 0, 100_000)
	in("fp_bursts", c.FPBursts, 0, 10_000)
	in("decoys", c.Decoys, 0, 10_000_000)
	share("slow_share", c.SlowShare, 1)
	share("shared_c2", c.SharedC2, 1)
	share("entity_loss", c.EntityLoss, 1)
	share("noise_ratio", c.NoiseRatio, 1_000_000)
	share("noisy_share", c.NoisyShare, 1)
	share("telemetry_share", c.TelemetryShare, 0.95)
	share("nat_share", c.NATShare, 1)
	if c.Duration < time.Hour || c.Duration > 400*24*time.Hour {
		errs = append(errs, fmt.Errorf("duration is %s, want 1h to 9600h", c.Duration))
	}
	if c.LeaseTime < 10*time.Minute {
		errs = append(errs, fmt.Errorf("lease_time is %s, want at least 10m", c.LeaseTime))
	}
	if y := c.Start.Year(); y < 1990 || y > 2200 {
		errs = append(errs, fmt.Errorf("start is %s, want a year from 1990 to 2200", c.Start))
	}
	m, sum := c.Mix, 0
	for _, w := range m.weights() {
		in("mix weight", w, 0, 1_000_000)
		sum += w
	}
	if sum == 0 {
		errs = append(errs, errors.New("mix has no weight"))
	}
	if len(errs) == 0 {
		if n := c.upperBound(); n > maxEvents {
			errs = append(errs, fmt.Errorf("world of up to %.0f records, want at most %d: lower noise_ratio, telemetry_share or campaigns", n, maxEvents))
		}
	}
	if len(errs) > 0 {
		return fmt.Errorf("generator config: %w", errors.Join(errs...))
	}
	return nil
}

// upperBound is the largest number of records this config can give.
func (c *Config) upperBound() float64 {
	attack := float64((c.Campaigns-c.GiantCampaigns)*c.MaxAlerts + c.GiantCampaigns*maxGiant)
	noise := attack * c.NoiseRatio
	if c.Background > 0 {
		noise = float64(c.Background)
	}
	return (attack + noise + float64(c.FPBursts*maxBurst)) / (1 - c.TelemetryShare)
}

// weights returns the weights in the order of the Source constants.
func (m Mix) weights() [sources]int {
	return [sources]int{m.Suricata, m.Defender, m.GuardDuty, m.Okta, m.EDR}
}
