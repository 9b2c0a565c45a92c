// Package service runs the feeds: it pulls each when it is due, has what came
// parsed and committed to the library, and has the library published after every
// commit. It also checks what is uploaded, and folds what was accepted into the library.
//
// It owns time: schedules (kept by the library, so that they survive a restart),
// back-off, the alarm when a feed brings nothing new, the bound on a pull. And it
// owns isolation: feeds are pulled side by side and committed one at a time, and a
// feed whose server or text is broken, even one that makes the parser panic, fails
// alone. Read service.go for the loop, pull.go for one pull, memory.go for when a
// feed is pulled whole, fold.go and pace.go for uploads,
// follow.go for what other processes do.
//
// It must not know formats, protocols, files of the library, the index or Kafka:
// they are behind the ports of ports.go.
package service
