#!/usr/bin/env bash
# Have medprompt write and submit the jobs, wait for them, and say how far they got.
#   examples/slurm_submit.sh BIDS OUT JOBS "left and right hippocampus" ventricles
set -euo pipefail

scans=$1 out=$2 jobs=$3
shift 3
prompts=()
for prompt in "$@"; do prompts+=(-p "$prompt"); done

said=$(medprompt slurm "$scans" "$out" "${prompts[@]}" --array "$jobs" --submit)
echo "$said" # array 7, tables 8

# The second job puts the tables together once all of the array have ended. Of several
# clusters SLURM names the one beside the number: 8;north.
last=${said##* }
srun --quiet --ntasks=1 --dependency="afterany:${last%%;*}" true
medprompt status "$out"
