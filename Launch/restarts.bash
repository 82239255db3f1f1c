# To be sourced by what starts a run again: runs the launcher so that it can be asked to stop, tells from
# the run's folder how far it has come, and whether starting it again brings it further. Every start is
# a line in OUTPUT/restarts.log.

# The launcher that `launch` has started, its exit status, and whether it was asked to stop; and where the
# watchdog of what it runs puts its verdict, set by who sources this.
# shellcheck disable=SC2034  # read by who sources this
child='' status=0 asked=no interrupted=no verdict=''

# Hands a request on as USR1: mpirun lets the ranks save after it, while a TERM is followed by a KILL.
stop_ranks() {
  # shellcheck disable=SC2034
  interrupted=yes asked=yes
  say "asked to stop by $1"
  if [ -n "$child" ]; then kill -USR1 "$child" 2>/dev/null || true; fi
}

# The watchdog has spoken since the last start.
is_judged() { [ -n "$verdict" ] && [ "$verdict" -nt "$output/restarts.log" ]; }

# end_after_verdict PID: ends a launcher that is still there some time after the watchdog has ended the
# ranks. mpirun waits a quarter of an hour for a host that is cut off.
end_after_verdict() {
  while kill -0 "$1" 2>/dev/null; do
    if is_judged; then
      sleep "${VITDIST_VERDICT_GRACE:-30}"
      kill -KILL "$1" 2>/dev/null || true
      return 0
    fi
    sleep 2
  done
}

# launch COMMAND...: runs it in the background, where traps are served, and sets `status`.
launch() {
  local code guard
  "$@" &
  child=$!
  # Its output is not the run's: whoever reads that waits for no sleep.
  end_after_verdict "$child" >/dev/null 2>&1 &
  guard=$!
  status=127
  # `wait` returns early when a trap was served; a second one for a child that has ended gives 127.
  while true; do
    interrupted=no code=0
    wait "$child" || code=$?
    if [ "$code" = 127 ] && [ "$status" != 127 ]; then break; fi
    status=$code
    [ "$interrupted" = yes ] || break
  done
  child=''
  kill "$guard" 2>/dev/null || true
  wait "$guard" 2>/dev/null || true
  if [ "$status" = 137 ] && is_judged; then
    status=76
    say "ended the launcher, which outlived the verdict of the watchdog: $(cat "$verdict")"
  fi
}

# newest_step OUTPUT: the newest committed step; 0 if there is none. A folder step_X.tmp is none.
newest_step() {
  local newest=0 folder number
  for folder in "$1"/checkpoints/step_*; do
    number=${folder##*/step_}
    case $number in '' | *[!0-9]*) continue ;; esac
    if [ $((10#$number)) -gt "$newest" ]; then newest=$((10#$number)); fi
  done
  echo "$newest"
}

# option_among NAME DEFAULT ARGUMENTS...: what an option says in vitdist's arguments.
option_among() {
  local name=$1 value=$2
  shift 2
  while [ $# -gt 0 ]; do
    case $1 in
      "$name") value=${2:-} ;;
      "$name="*) value=${1#*=} ;;
    esac
    shift
  done
  echo "$value"
}

# note_start OUTPUT WHO RESTARTS: writes the line of a start, and prints how many restarts in a row
# have found the run where the start before had found it.
note_start() {
  local log=$1/restarts.log step last_step last_idle idle=0
  mkdir -p "$1"
  step=$(newest_step "$1")
  if [ "$3" -gt 0 ] && [ -e "$log" ]; then
    read -r last_step last_idle < <(
      sed -n 's/.* step \([0-9]*\), \([0-9]*\) restarts in vain$/\1 \2/p' "$log" | tail -n 1
    ) || true
    if [ "${last_step:-}" = "$step" ]; then idle=$((last_idle + 1)); fi
  fi
  echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) $2, restart $3: step $step, $idle restarts in vain" >>"$log"
  echo "$idle"
}

# stopped_on_request OUTPUT: whether the run has saved and stopped as asked since its last start. Both
# times are the file system's, so the clocks of the nodes do not matter.
stopped_on_request() { [ "$1/stopped.json" -nt "$1/restarts.log" ]; }

# give_up OUTPUT RESTARTS: says why the run is not started again.
give_up() {
  echo "vitdist: not started again: $2 restarts in a row found the run at step $(newest_step "$1")" \
    "and brought it no further ($1/restarts.log). Read why it ended above; where it only lacks time," \
    "save more often (checkpoints.everySteps) or ask for a longer limit, and start it anew." >&2
}
