#!/usr/bin/env bash
# Starts and stops a throwaway Apache Kafka (KRaft, 1 or 3 nodes, each broker and controller) on the loopback address, for tests and
# development. The broker comes as jars by Maven coordinates (pom.xml); java and mvn are all it needs. See README.md.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
lib=$here/lib
run=$(realpath -m "${KAFKA_RUN:-$here/.run}")
port=${KAFKA_PORT:-19092}
controller_port=${KAFKA_CONTROLLER_PORT:-19191}
ready_seconds=${KAFKA_READY_SECONDS:-120}
java=${JAVA_HOME:+$JAVA_HOME/bin/}java
size=0
cluster_id=
launched=()

say() { printf 'kafka: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

usage() {
  cat >&2 <<'EOF'
usage: kafka.sh up [1|3]      start (or complete) a cluster; prints KAFKA_BROKERS=... on stdout
       kafka.sh down [--keep] stop it and delete its data (--keep: keep the data for the next up)
       kafka.sh status        one line per node; exit 0 only if all are up
       kafka.sh kill N        SIGKILL node N
       kafka.sh start N       start node N again
       kafka.sh logs N [...]  the log of node N, through tail (further arguments are tail's, e.g. -f)
environment: KAFKA_PORT (19092), KAFKA_CONTROLLER_PORT (19191): node N takes port+N-1 of each;
       KAFKA_RUN (deploy/kafka/.run), KAFKA_HEAP (512m, or 384m for each of three), KAFKA_READY_SECONDS (120), KAFKA_LOG_LEVEL (warn)
EOF
  exit 2
}

# --- the jars ---------------------------------------------------------------

need_java() {
  local version
  command -v "$java" >/dev/null || die "java not found: install a Java 17 (or newer) runtime, or set JAVA_HOME"
  version=$("$java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p')
  [[ ${version:-0} -ge 17 ]] || die "Java 17 or newer is needed, $java is ${version:-of an unknown version}"
}

# fetch_jars fills lib/ once for each content of pom.xml; the stamp is written last, so a download cut short is done again.
fetch_jars() {
  local want
  want=$(cksum <"$here/pom.xml")
  if [[ -f $lib/.stamp && $(<"$lib/.stamp") == "$want" ]]; then return; fi
  command -v mvn >/dev/null || die "mvn not found: install Apache Maven, it fetches the Kafka jars"
  say "fetching the Kafka jars (once)"
  rm -rf "$lib"
  mvn -f "$here/pom.xml" --batch-mode --quiet --strict-checksums dependency:copy-dependencies >&2 || die "mvn could not fetch the Kafka jars"
  printf '%s\n' "$want" >"$lib/.stamp"
}

# --- the cluster: $run/cluster holds "size port controller_port id" ----------

load_cluster() {
  [[ -f $run/cluster ]] || return 1
  read -r size port controller_port cluster_id <"$run/cluster"
}

need_cluster() { load_cluster || die "no cluster in $run: run kafka.sh up"; }

need_node() {
  [[ ${1:-} =~ ^[1-9]$ && $1 -le $size ]] || die "there is no node '${1:-}': this cluster has node 1 to $size"
}

# make_cluster fixes size and ports of a new cluster, or checks that the existing one is the one asked for.
make_cluster() {
  local wanted="$1 $port $controller_port"
  # Without any node directory the cluster never came to be, for instance because its port was taken.
  if compgen -G "$run/node-*" >/dev/null && load_cluster; then
    [[ "$size $port $controller_port" == "$wanted" ]] ||
      die "$run holds a cluster of $size on ports $port and $controller_port, asked for (size, ports): $wanted; run kafka.sh down first"
    return
  fi
  mkdir -p "$run"
  # Kafka wants the URL-safe base64 of 16 bytes. A leading "-" would be taken for an option, so neither of the two special digits is used.
  cluster_id=$(head -c 16 /dev/urandom | base64 | tr '+/' 'AB' | tr -d '=')
  size=$1
  printf '%s\n' "$wanted $cluster_id" >"$run/cluster"
}

brokers() {
  local n list=
  for ((n = 1; n <= size; n++)); do list+=${list:+,}127.0.0.1:$((port + n - 1)); done
  printf 'KAFKA_BROKERS=%s\n' "$list"
}

# --- one node: $run/node-N holds server.properties, data/, log, pid ----------

# node_pid prints the process id of node N if it runs. The arguments are compared too: a process id is used again some day.
node_pid() {
  local dir=$run/node-$1 pid
  [[ -f $dir/pid ]] || return 1
  pid=$(<"$dir/pid")
  [[ -n $pid && $(ps -ww -o args= -p "$pid" 2>/dev/null) == *"kafka.Kafka $dir/server.properties"* ]] || return 1
  printf '%s\n' "$pid"
}

need_free_ports() {
  local p
  for p in $((port + $1 - 1)) $((controller_port + $1 - 1)); do
    if listening "$p"; then die "127.0.0.1:$p is taken by another process: stop it, or set KAFKA_PORT and KAFKA_CONTROLLER_PORT"; fi
  done
}

listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

write_properties() {
  local n=$1 i voters= isr=1 dir=$run/node-$1
  if [[ $size -eq 3 ]]; then isr=2; fi
  for ((i = 1; i <= size; i++)); do voters+=${voters:+,}$i@127.0.0.1:$((controller_port + i - 1)); done
  {
    cat "$here/server.properties"
    cat <<EOF

# Written by kafka.sh for node $n of $size.
node.id=$n
listeners=PLAINTEXT://127.0.0.1:$((port + n - 1)),CONTROLLER://127.0.0.1:$((controller_port + n - 1))
advertised.listeners=PLAINTEXT://127.0.0.1:$((port + n - 1)),CONTROLLER://127.0.0.1:$((controller_port + n - 1))
controller.quorum.voters=$voters
log.dirs=$dir/data
default.replication.factor=$size
min.insync.replicas=$isr
offsets.topic.replication.factor=$size
transaction.state.log.replication.factor=$size
transaction.state.log.min.isr=$isr
share.coordinator.state.topic.replication.factor=$size
share.coordinator.state.topic.min.isr=$isr
EOF
  } >"$dir/server.properties"
}

# launch_node formats node N if it is new and starts it, without waiting. The log of the run before is kept as log.1.
launch_node() {
  local n=$1 dir=$run/node-$1 heap=512m
  if [[ $size -eq 3 ]]; then heap=384m; fi
  mkdir -p "$dir"
  if [[ -f $dir/log ]]; then mv "$dir/log" "$dir/log.1"; fi
  write_properties "$n"
  # A session of its own, and no lock: the node outlives this script and the terminal's Ctrl-C. The shell becomes the broker, so that
  # its process id, known at once, stays right. Nodes format themselves so that three do it side by side.
  setsid bash -c '
    set -euo pipefail
    dir=$1 lib=$2 java=$3 id=$4 heap=$5 log4j=$6
    if [[ ! -f $dir/data/meta.properties ]]; then
      "$java" -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "-Dlog4j2.configurationFile=$log4j" -cp "$lib/*" \
        kafka.tools.StorageTool format --cluster-id "$id" --config "$dir/server.properties"
    fi
    exec "$java" "-Xmx$heap" -XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError -Djava.awt.headless=true \
      "-Dlog4j2.configurationFile=$log4j" -cp "$lib/*" kafka.Kafka "$dir/server.properties"
  ' "kafka.Kafka $dir/server.properties" "$dir" "$lib" "$java" "$cluster_id" "${KAFKA_HEAP:-$heap}" "$here/log4j2.xml" \
    >"$dir/log" 2>&1 </dev/null 9>&- &
  printf '%s\n' "$!" >"$dir/pid"
  disown
}

# wait_ready returns when node N has joined the quorum and been unfenced, which is when Kafka says it has started.
wait_ready() {
  local n=$1 dir=$run/node-$1 deadline=$((SECONDS + ready_seconds)) why
  while true; do
    if grep -q 'Kafka Server started' "$dir/log" && listening $((port + n - 1)); then return; fi
    # Not node_pid: the child may not have become the broker's shell yet.
    if ! kill -0 "$(<"$dir/pid")" 2>/dev/null; then why="ended before it was ready"; break; fi
    if ((SECONDS >= deadline)); then why="was not ready after $ready_seconds s"; break; fi
    sleep 0.1
  done
  say "the end of $dir/log:"
  tail -n 40 "$dir/log" >&2
  stop_nodes KILL 10 "${launched[@]}"
  die "node $n $why"
}

# start_nodes launches those of the given nodes that are not running and waits for all of them.
start_nodes() {
  local n
  launched=()
  for n in "$@"; do
    if node_pid "$n" >/dev/null; then continue; fi
    need_free_ports "$n"
    launched+=("$n")
  done
  for n in "${launched[@]}"; do launch_node "$n"; done
  for n in "${launched[@]}"; do wait_ready "$n"; done
  if ((${#launched[@]})); then say "node ${launched[*]} ready"; fi
}

# node_ends waits until node N is gone, at most until SECONDS shows the given value. A dying process loses its arguments before it closes
# its sockets, so the ports are looked at too.
node_ends() {
  while node_pid "$1" >/dev/null || listening $((port + $1 - 1)) || listening $((controller_port + $1 - 1)); do
    if ((SECONDS >= $2)); then return 1; fi
    sleep 0.1
  done
}

# stop_nodes SIGNAL SECONDS N... signals those of the nodes that run, waits that long for all of them, and kills what is left. The signal
# goes to the process group: a node that is still formatting has a child.
stop_nodes() {
  local signal=$1 deadline=$((SECONDS + $2)) n
  local -A pids=()
  shift 2
  for n in "$@"; do
    if pids[$n]=$(node_pid "$n"); then kill -s "$signal" -- "-${pids[$n]}" || true; else unset "pids[$n]"; fi
  done
  for n in "${!pids[@]}"; do
    if node_ends "$n" "$deadline"; then continue; fi
    kill -s KILL -- "-${pids[$n]}" || true
    node_ends "$n" $((SECONDS + 10)) || die "node $n (pid ${pids[$n]}) cannot be stopped"
  done
  for n in "$@"; do rm -f "$run/node-$n/pid"; done
}

# --- commands ---------------------------------------------------------------

# lock keeps apart two commands that change something; lib/ is shared, so it is one lock whatever KAFKA_RUN says. Brokers do not inherit it.
lock() {
  mkdir -p "$here/.run"
  exec 9>"$here/.run/lock"
  flock --wait 300 9 || die "another kafka.sh has held $here/.run/lock for 300 s"
}

command_up() {
  local n=${1:-1}
  [[ $# -le 1 && $n =~ ^[13]$ ]] || usage
  lock
  need_java
  fetch_jars
  make_cluster "$n"
  # shellcheck disable=SC2046
  start_nodes $(seq 1 "$size")
  brokers
}

command_down() {
  local keep=${1:-}
  [[ $# -le 1 && ($keep == "" || $keep == --keep) ]] || usage
  lock
  if ! load_cluster; then say "no cluster in $run"; return; fi
  # With the data to be deleted there is nothing to shut down cleanly. Of three that stop together the last find no controller left to
  # tell, hence the bound; a killed node recovers its log at the next start.
  # shellcheck disable=SC2046
  if [[ $keep ]]; then stop_nodes TERM 15 $(seq 1 "$size"); else stop_nodes KILL 15 $(seq 1 "$size"); fi
  if [[ $keep ]]; then say "stopped, data kept in $run"; return; fi
  rm -rf "$run"/node-[1-3] "$run/cluster"
  say "stopped, data deleted"
}

command_status() {
  [[ $# -eq 0 ]] || usage
  need_cluster
  local n pid down=0
  for ((n = 1; n <= size; n++)); do
    if pid=$(node_pid "$n"); then
      printf 'node %d 127.0.0.1:%d up (pid %d)\n' "$n" $((port + n - 1)) "$pid"
    else
      printf 'node %d 127.0.0.1:%d down\n' "$n" $((port + n - 1))
      down=1
    fi
  done
  return "$down"
}

command_kill() {
  [[ $# -eq 1 ]] || usage
  lock
  need_cluster
  need_node "$1"
  node_pid "$1" >/dev/null || die "node $1 is not running"
  stop_nodes KILL 10 "$1"
  say "node $1 killed"
}

command_start() {
  [[ $# -eq 1 ]] || usage
  lock
  need_cluster
  need_node "$1"
  need_java
  fetch_jars
  start_nodes "$1"
}

command_logs() {
  [[ $# -ge 1 ]] || usage
  need_cluster
  need_node "$1"
  local n=$1
  shift
  exec tail -n 200 "$@" "$run/node-$n/log"
}

case ${1:-} in
  up | down | status | kill | start | logs) "command_$1" "${@:2}" ;;
  *) usage ;;
esac
