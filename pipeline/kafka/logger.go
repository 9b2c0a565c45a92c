package kafka

import (
	"log/slog"

	"github.com/twmb/franz-go/pkg/kgo"
)

// clientLog hands franz-go's warnings and errors to slog. Its information level is
// several lines per transaction and is left out.
type clientLog struct{ log *slog.Logger }

func (l clientLog) Level() kgo.LogLevel { return kgo.LogLevelWarn }

func (l clientLog) Log(level kgo.LogLevel, msg string, keyvals ...any) {
	if level == kgo.LogLevelError {
		l.log.Error(msg, keyvals...)
		return
	}
	l.log.Warn(msg, keyvals...)
}
