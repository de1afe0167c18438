#!/usr/bin/env bash
# Check a folder of scans, segment it, and list what was not measured.
#   examples/segment_folder.sh BIDS OUT "left and right hippocampus" ventricles
set -euo pipefail

scans=$1 out=$2
shift 2
prompts=()
for prompt in "$@"; do prompts+=(-p "$prompt"); done

medprompt check "$scans"
medprompt segment "$scans" "$out" "${prompts[@]}" | sed 's/^/written: /'

# Every scan has a JSON record of what became of it.
grep -l '"status": "failed"' "$out"/logs/*.json || echo "no scan failed"
