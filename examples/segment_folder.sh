#!/usr/bin/env bash
# Check a folder of scans, segment it, and list what failed.
#   examples/segment_folder.sh BIDS OUT "left and right hippocampus" ventricles
set -euo pipefail

scans=$1 out=$2
shift 2
prompts=()
for prompt in "$@"; do prompts+=(-p "$prompt"); done

medprompt check "$scans"
code=0
medprompt segment "$scans" "$out" "${prompts[@]}" | sed 's/^/written: /' || code=$?

# How many are done, and each that failed with its reason; 1 if any failed.
if [[ -d $out/logs ]]; then medprompt status "$out" || true; fi
exit "$code"
