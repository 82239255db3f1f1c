# To be sourced by the batch scripts: finds program and folder, hands signals on, and asks SLURM to
# queue the job again where that brings the run further.
slurm_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=Launch/environment
source "$slurm_folder/../environment"
# shellcheck source=Launch/restarts.bash
source "$slurm_folder/../restarts.bash"
# shellcheck source=Launch/slurm/site.env
source "${VITDIST_SITE:-$slurm_folder/site.env}"

vitdist=${VITDIST_BINARY:-$slurm_folder/../../.build/release/vitdist}
# A task of an array has a number of its own, but is queued again under the array's.
job=$SLURM_JOB_ID
if [ -n "${SLURM_ARRAY_JOB_ID:-}" ]; then job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID; fi
restarts=${SLURM_RESTART_COUNT:-0}
output=''

say() { echo "[$(date -u +%H:%M:%S) job $job] $*" >&2; }

# begin_run CONFIG OPTIONS...: sets `arguments` and `output`; ends the job if restarts are in vain or
# the program cannot start here.
begin_run() {
  local config=${1:-} idle
  if [ ! -r "$config" ]; then
    say "no config '$config' can be read. Usage: sbatch [OPTIONS OF sbatch] SCRIPT CONFIG [OPTIONS OF vitdist]"
    exit 64
  fi
  shift
  output=$(option_among --output '' "$@")
  arguments=(--config "$config" "$@")
  if [ -z "$output" ]; then
    output=${VITDIST_RUNS:-runs}/$(basename "${config%.*}")
    arguments+=(--output "$output")
  fi
  verdict=$output/flight/verdict.txt
  check_program
  idle=$(note_start "$output" "SLURM job $job on ${SLURM_JOB_NODELIST:-?}" "$restarts")
  if [ "$idle" -ge "${vitdist_restarts_in_vain:-3}" ]; then
    give_up "$output" "$idle"
    exit 70
  fi
  say "start $((restarts + 1)) on ${SLURM_JOB_NODELIST:-?} at step $(newest_step "$output") of $output"
}

check_program() {
  local problem
  if ! problem=$("$vitdist" --version 2>&1); then
    say "$vitdist does not start on $(hostname): $problem"
    say "load the modules it was built with in $slurm_folder/site.env, or name it by VITDIST_BINARY"
    exit 64
  fi
}

# SLURM's warning, and what `scancel` and a preemption send.
trap 'stop_ranks USR1' USR1
trap 'stop_ranks TERM' TERM

# end_run: queues the job again if it was stopped or has failed, and ends the script.
end_run() {
  case $status in
    0) say "done" ; exit 0 ;;
    64 | 65) say "exit code $status: starting again would not help"; exit "$status" ;;
  esac
  if [ "$status" = 75 ] || [ "$asked" = yes ] || stopped_on_request "$output"; then
    say "stopped on request at step $(newest_step "$output")"
    status=75
  elif [ "${vitdist_restart_failures:-yes}" != yes ]; then
    say "failed with exit code $status at step $(newest_step "$output")"
    exit "$status"
  else
    say "failed with exit code $status; the newest checkpoint is step $(newest_step "$output")"
  fi
  requeue
  exit "$status"
}

field() { scontrol show job "$job" 2>/dev/null | tr " " "\n" | sed -n "s/^$1=//p" | sed -n 1p; }

# A job that was cancelled stays so, and one that SLURM itself queues again (a node failed, it was
# preempted) is not queued twice: only a job that runs, or whose time is up, is ours to queue.
requeue() {
  local state reason
  state=$(field JobState) reason=$(field Reason)
  case $state/$reason in
    RUNNING/* | COMPLETING/TimeLimit | TIMEOUT/*) ;;
    *) say "not queued by this script: SLURM says $state, $reason"; return 0 ;;
  esac
  # SLURM ends this script by a TERM once it has queued the job.
  trap 'exit "$status"' TERM
  for _ in 1 2 3 4 5; do
    if scontrol requeue "$job"; then
      say "queued again"
      sleep 60 &
      wait $! || true
      return 0
    fi
    sleep 2
  done
  say "SLURM refused to queue the job again; submit it anew, it goes on from its checkpoint"
}
