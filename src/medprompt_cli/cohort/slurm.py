"""A script that has SLURM do a cohort: an array of jobs, and one that collects its tables.

It is meant to be read, and kept beside the results. Nothing of it is ours alone: whoever
runs `bash` on it submits both jobs, with or without this package at hand.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from medprompt_cli.bids.json_files import LOGS
from medprompt_cli.bids.schemas import TABLES
from medprompt_cli.cohort.output_folder import SCHEDULER
from medprompt_cli.errors import DeviceError, UsageError

SIGNAL_BEFORE_S = 120
"""So long before its time is up a job is told to stop: enough to write what is computed."""

SHORTEST_S = 600
"""A shorter time limit is refused. The signal comes two minutes before its end, or up to three
(sbatch(1)), and a job has to start before it works. Own choice."""

MAX_RESTARTS = 20
"""A job that is out of time so often gets nowhere: no case fits into the time limit."""

COLLECT_TIME = "01:00:00"
COLLECT_MEMORY = "4G"
"""What collecting the tables of a large cohort takes, with room to spare; said only where the
array says its own."""

_ONE_LINE = re.compile(r"[^\x00-\x1f\x7f]+")


@dataclass(frozen=True)
class Resources:
    """What every job of the array asks SLURM for; None leaves it to the cluster.

    Attributes:
        tasks: How many jobs.
        at_once: How many of them may run at a time; None for all.
        partition: Where.
        gres: Such as `gpu:1`.
        time: Time limit of one job, as SLURM writes it; 0 for none.
        memory: Such as `16G`.
        cpus: Cores of one job.
        more: Further options of sbatch, such as `--account=brain`.
        collect_partition: Where the tables are collected; None for where the array runs.

    Raises:
        UsageError: If a value cannot stand in a script.
    """

    tasks: int
    at_once: int | None = None
    partition: str | None = None
    gres: str | None = None
    time: str | None = None
    memory: str | None = None
    cpus: int | None = None
    more: tuple[str, ...] = ()
    collect_partition: str | None = None

    def __post_init__(self) -> None:
        named = (self.partition, self.gres, self.memory, self.collect_partition)
        for value in (*named, *self.more):
            if value is not None and not re.fullmatch(r"[!-~]+", value):
                raise UsageError(
                    f"{value!r} cannot stand in an #SBATCH line.",
                    remedy="Give a value without spaces.",
                )
        for option in self.more:
            if not option.startswith("-"):
                raise UsageError(
                    f"--sbatch {option} is no option of sbatch: it has no dashes in front.",
                    remedy=f"Write it with them: --sbatch --{option}.",
                )
        if self.time is not None:
            check_time(self.time)
        if self.has_gpu and (self.gres or "").rpartition(":")[2] not in {"gpu", "1"}:
            raise UsageError(
                f"--gres {self.gres} does not say one GPU a job, and no job uses more.",
                remedy="Ask for --gres gpu:1 or gpu:KIND:1, and for more jobs with --array.",
            )

    @property
    def has_gpu(self) -> bool:
        """Whether every job gets a GPU."""
        return (self.gres or "").startswith("gpu")

    def lines(self) -> list[str]:
        """The `#SBATCH` lines of the array."""
        limit = f"%{self.at_once}" if self.at_once else ""
        named = {
            "array": f"1-{self.tasks}{limit}",
            "partition": self.partition,
            "gres": self.gres,
            "cpus-per-task": self.cpus,
            "mem": self.memory,
            "time": self.time,
        }
        return [f"--{name}={value}" for name, value in named.items() if value] + [*self.more]


def check_time(text: str) -> None:
    """Refuse a time limit that SLURM does not read, or that leaves no time to work.

    Source: sbatch(1): minutes, minutes:seconds, hours:minutes:seconds, days-hours,
    days-hours:minutes, days-hours:minutes:seconds; 0 is no limit.

    Raises:
        UsageError: If it is refused.
    """
    match = _DAYS.fullmatch(text) or _NO_DAYS.fullmatch(text)
    if match is None:
        raise UsageError(
            f"--time {text} is no time as SLURM writes it.",
            remedy="Write 04:00:00 for four hours, 1-12 for a day and twelve hours; a number"
            " alone is minutes.",
        )
    parts = {unit: int(number or 0) for unit, number in match.groupdict().items()}
    seconds = sum(number * _SECONDS[unit] for unit, number in parts.items())
    if 0 < seconds < SHORTEST_S:
        minutes, rest = divmod(seconds, 60)
        raise UsageError(
            f"--time {text} is {minutes} min {rest} s to SLURM, and a job is told to stop"
            f" {SIGNAL_BEFORE_S} s before its time is up.",
            remedy=f"Give {SHORTEST_S // 60} minutes or more, such as 04:00:00 for four hours.",
        )


_DAYS = re.compile(
    r"(?P<days>\d+)-(?P<hours>\d+)(:(?P<minutes>\d+)(:(?P<seconds>\d+))?)?", re.A
)
_NO_DAYS = re.compile(r"((?P<hours>\d+):(?=\d+:))?(?P<minutes>\d+)(:(?P<seconds>\d+))?", re.A)
_SECONDS = {"days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}


def slurm_script(
    out: Path, segment: Sequence[str], medprompt: Sequence[str], resources: Resources
) -> str:
    """The script.

    Args:
        out: The output folder.
        segment: Arguments of `medprompt segment`, from IN on, absolute paths.
        medprompt: The command itself, as the nodes find it.
        resources: What every job asks for.

    Raises:
        UsageError: If a path or a prompt has a line break.
    """
    out = out.absolute()
    for text in (str(out), *segment, *medprompt):
        if not _ONE_LINE.fullmatch(text):
            raise UsageError(
                f"{text!r} cannot stand in a script: it is empty or has a line break.",
                remedy="Rename it, or write it in one line.",
            )
    logs = out / LOGS / SCHEDULER
    if re.search(r"[%\\\s]", str(logs)):
        # sbatch would take %a for a number, and a space for the end of the name.
        raise UsageError(
            f"SLURM cannot write its logs to {logs}: the name has a space, a % or a \\.",
            remedy="Give an output folder without.",
        )
    where = resources.collect_partition or resources.partition
    return _SCRIPT.format(
        jobs=f"{resources.tasks} job" + ("" if resources.tasks == 1 else "s"),
        logs=shlex.quote(str(logs)),
        out=shlex.quote(str(out)),
        medprompt=shlex.join(medprompt),
        segment=_wrapped(segment, resources),
        array=_directives([*_NAMES["array"], f"--output={logs}/%A_%a.txt", *resources.lines()])
        + _directives(_KEPT + (["--gres-flags=enforce-binding"] if resources.has_gpu else [])),
        collect=_directives(
            [
                *_NAMES["collect"],
                f"--output={logs}/%j_collect.txt",
                *([f"--partition={where}"] if where else []),
                *([f"--time={COLLECT_TIME}"] if resources.time else []),
                *([f"--mem={COLLECT_MEMORY}"] if resources.memory else []),
                *(line for line in resources.more if _names_account(line)),
            ]
        ),
        tables=" ".join(TABLES),
        restarts=MAX_RESTARTS,
        gpu=" --gpu-bind=single:1" if resources.has_gpu else "",
    )


_NAMES = {"array": ["--job-name=medprompt"], "collect": ["--job-name=medprompt-tables"]}
_KEPT = ["--requeue", "--open-mode=append", f"--signal=USR1@{SIGNAL_BEFORE_S}"]


def _directives(options: Sequence[str]) -> str:
    return "".join(f"#SBATCH {option}\n" for option in options)


def _names_account(option: str) -> bool:
    return option.startswith(("--account", "--qos", "--clusters", "-A", "-q", "-M"))


def _wrapped(segment: Sequence[str], resources: Resources) -> str:
    """The arguments, an option to a line."""
    words = [*segment, "--shard=slurm"]
    if resources.has_gpu and not any(word.startswith("--device") for word in segment):
        words.append("--device=cuda")
    lines: list[str] = []
    for word in words:
        if word.startswith("-") or not lines:
            lines.append(shlex.quote(word))
        else:
            lines[-1] += f" {shlex.quote(word)}"
    return " \\\n    ".join(lines)


_SCRIPT = """\
#!/bin/bash
# Segments a cohort in an array of {jobs}, then collects its tables. Submit it with:
#   bash SCRIPT
# To go on after a failure, submit it again: what is done is kept.
set -euo pipefail
mkdir -p {logs}

array=$(sbatch --parsable <<'ARRAY'
#!/bin/bash
{array}
export OMP_NUM_THREADS=${{SLURM_CPUS_PER_TASK:-1}}
code=0
srun --ntasks=1 --cpus-per-task="$OMP_NUM_THREADS"{gpu} \\
    {medprompt} segment {segment} || code=$?
# 75: told to stop before the end of its time; what it did is kept, and it goes on.
if [[ $code -eq 75 && ${{SLURM_RESTART_COUNT:-0}} -lt {restarts} ]]; then
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
ARRAY
)

# Once all jobs of the array have ended, however they ended.
collect=$(sbatch --parsable --dependency="afterany:${{array%%;*}}" <<'COLLECT'
#!/bin/bash
{collect}
code=0
for table in {tables}; do
    if [[ -d {out}/$table ]]; then
        {medprompt} tables {out} --table "$table"
        ended=$?
        code=$((ended > code ? ended : code))
    fi
done
{medprompt} status {out}
far=$?
# Tables that failed are worse than cases that failed or are to do.
exit "$((code > 0 ? code : far))"
COLLECT
) || {{ scancel "${{array%%;*}}"; exit 1; }}

echo "array $array, tables $collect"
"""


def submit(script: str) -> str:
    """Submit both jobs.

    Returns:
        What the script says: the numbers of the jobs.

    Raises:
        DeviceError: If SLURM refuses them, or is not there.
    """
    done = subprocess.run(
        ["bash", "-s"], input=script, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["no word of why"]
        raise DeviceError(
            f"SLURM did not take the jobs: {said[-1]}",
            remedy="Check the options with sinfo, and that sbatch is on the path.",
        )
    return done.stdout.strip()
