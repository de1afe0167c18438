#!/usr/bin/env bash
#SBATCH --job-name=medprompt
#SBATCH --signal=USR1@120
#SBATCH --requeue
#SBATCH --open-mode=append
# A cohort in an array of your own: every task does its part of the subjects, by itself.
#   sbatch --array=1-8 --time=04:00:00 --cpus-per-task=4 examples/slurm_array.sh \
#       BIDS OUT "left and right hippocampus" ventricles
set -euo pipefail

scans=$1 out=$2
shift 2
prompts=()
for prompt in "$@"; do prompts+=(-p "$prompt"); done

export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}
code=0
srun --ntasks=1 --cpus-per-task="$OMP_NUM_THREADS" \
    medprompt segment "$scans" "$out" "${prompts[@]}" --shard slurm || code=$?
# 75: told to stop two minutes before the end of its time. What is done is kept.
if [[ $code -eq 75 ]]; then scontrol requeue "$SLURM_JOB_ID"; fi
exit "$code"
