package main

import (
	"context"
	"time"
)

// formatsEvery is how often the user's folder of formats is looked at.
const formatsEvery = 2 * time.Second

// watchFormats puts changed formats of the user's folder in force. A folder that
// does not compile changes nothing and is reported once.
func (a *app) watchFormats(ctx context.Context) {
	tick := time.NewTicker(formatsEvery)
	defer tick.Stop()
	said := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		changed, err := a.formats.Reload()
		switch {
		case err != nil && err.Error() != said:
			said = err.Error()
			a.log.Error("formats not reloaded: those in force stay", "dir", a.cfg.Normalize.FormatsDir, "error", err)
		case err == nil:
			if said = ""; !changed {
				continue
			}
			a.log.Info("formats reloaded", "dir", a.cfg.Normalize.FormatsDir, "formats", len(a.formats.List()))
		}
	}
}
