# To be sourced by what starts a run again: how far the run has come, as its folder tells, and whether
# starting it again brings it further. Every start is a line in OUTPUT/restarts.log.

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

# output_among DEFAULT ARGUMENTS...: what --output says in vitdist's arguments.
output_among() {
  local output=$1
  shift
  while [ $# -gt 0 ]; do
    case $1 in
      --output) output=${2:-} ;;
      --output=*) output=${1#--output=} ;;
    esac
    shift
  done
  echo "$output"
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
