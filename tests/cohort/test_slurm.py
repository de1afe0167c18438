"""The script for SLURM, word for word, and what may not stand in it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from medprompt_cli.bids.schemas import TABLES
from medprompt_cli.cohort.slurm import Resources, slurm_script, submit
from medprompt_cli.errors import DeviceError, UsageError

MEDPROMPT = ["/opt/env/bin/medprompt"]
SEGMENT = ["/data/my bids", "/data/out", "-p", "the patient's left hippocampus", "-p", "all"]

SCRIPT = """\
#!/bin/bash
# Segments a cohort in an array of 8 jobs, then collects its tables. Submit it with:
#   bash SCRIPT
# To go on after a failure, submit it again: what is done is kept.
set -euo pipefail
mkdir -p /data/out/logs/slurm

array=$(sbatch --parsable <<'ARRAY'
#!/bin/bash
#SBATCH --job-name=medprompt
#SBATCH --output=/data/out/logs/slurm/%A_%a.txt
#SBATCH --array=1-8%4
#SBATCH --partition=gpu
#SBATCH --gres=gpu:1
#SBATCH --cpus-per-task=4
#SBATCH --mem=16G
#SBATCH --time=04:00:00
#SBATCH --account=brain
#SBATCH --constraint=a100
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=USR1@120
#SBATCH --gres-flags=enforce-binding

export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}
code=0
srun --ntasks=1 --cpus-per-task="$OMP_NUM_THREADS" --gpu-bind=single:1 \\
    /opt/env/bin/medprompt segment '/data/my bids' /data/out \\
    -p 'the patient'"'"'s left hippocampus' \\
    -p all \\
    --suffix T1w \\
    --shard=slurm \\
    --device=cuda || code=$?
# 75: told to stop before the end of its time; what it did is kept, and it goes on.
if [[ $code -eq 75 && ${SLURM_RESTART_COUNT:-0} -lt 20 ]]; then
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
ARRAY
)

# Once all jobs of the array have ended, however they ended.
collect=$(sbatch --parsable --dependency="afterany:${array%%;*}" <<'COLLECT'
#!/bin/bash
#SBATCH --job-name=medprompt-tables
#SBATCH --output=/data/out/logs/slurm/%j_collect.txt
#SBATCH --partition=gpu
#SBATCH --time=01:00:00
#SBATCH --mem=4G
#SBATCH --account=brain

for table in TABLES; do
    if [[ -d /data/out/$table ]]; then
        /opt/env/bin/medprompt tables /data/out --table "$table"
    fi
done
/opt/env/bin/medprompt status /data/out
COLLECT
) || { scancel "${array%%;*}"; exit 1; }

echo "array $array, tables $collect"
"""


def test_the_script_of_a_cohort_on_gpus():
    resources = Resources(
        tasks=8,
        at_once=4,
        partition="gpu",
        gres="gpu:1",
        time="04:00:00",
        memory="16G",
        cpus=4,
        more=("--account=brain", "--constraint=a100"),
    )
    segment = [*SEGMENT, "--suffix", "T1w"]

    script = slurm_script(Path("/data/out"), segment, MEDPROMPT, resources)
    assert script == SCRIPT.replace("TABLES", " ".join(TABLES))


def test_what_is_not_asked_for_is_left_to_the_cluster():
    script = slurm_script(Path("/data/out"), SEGMENT, MEDPROMPT, Resources(tasks=2))
    asked = [line for line in script.splitlines() if line.startswith("#SBATCH")]

    assert asked == [
        "#SBATCH --job-name=medprompt",
        "#SBATCH --output=/data/out/logs/slurm/%A_%a.txt",
        "#SBATCH --array=1-2",
        "#SBATCH --requeue",
        "#SBATCH --open-mode=append",
        "#SBATCH --signal=USR1@120",
        "#SBATCH --job-name=medprompt-tables",
        "#SBATCH --output=/data/out/logs/slurm/%j_collect.txt",
    ]
    assert "cuda" not in script
    assert "gpu" not in script


def test_a_device_that_is_asked_for_is_not_asked_for_twice():
    resources = Resources(tasks=2, gres="gpu:a100:1")
    segment = [*SEGMENT, "--device", "cuda:0"]
    script = slurm_script(Path("/data/out"), segment, MEDPROMPT, resources)

    assert script.count("--device") == 1


@pytest.mark.parametrize("gres", ["gpu:2", "gpu:a100:4", "gpu:a100"])
def test_one_job_uses_one_gpu(gres):
    with pytest.raises(UsageError, match="does not say one GPU a job"):
        Resources(tasks=2, gres=gres)


@pytest.mark.parametrize("value", ["gpu short", "gpu\n#SBATCH --uid=0", "", "gp\u00fc"])
def test_what_cannot_stand_in_a_directive_is_refused(value):
    with pytest.raises(UsageError, match="cannot stand in an #SBATCH line"):
        Resources(tasks=2, partition=value)


@pytest.mark.parametrize("name", ["out%a", "my out", "a\\b"])
def test_an_output_folder_that_slurm_would_read_differently_is_refused(name):
    with pytest.raises(UsageError, match="SLURM cannot write its logs"):
        slurm_script(Path("/data") / name, SEGMENT, MEDPROMPT, Resources(tasks=2))


def test_a_line_break_in_a_prompt_is_refused():
    with pytest.raises(UsageError, match="has a line break"):
        slurm_script(Path("/o"), [*SEGMENT, "a\nARRAY\nrm"], MEDPROMPT, Resources(tasks=2))


@pytest.fixture
def sbatch(tmp_path, monkeypatch):
    """Stand-ins for SLURM's commands that note what they get; the n-th sbatch may fail."""

    def install(fail_at=0):
        commands = tmp_path / "bin"
        commands.mkdir()
        noted = tmp_path / "noted"
        noted.write_text("")
        refused = "echo 'sbatch: error: no such partition' >&2; exit 1"
        (commands / "sbatch").write_text(
            f'#!/bin/bash\necho "sbatch $*" >> {noted}; cat > {tmp_path}/script.$$\n'
            f"n=$(grep -c ^sbatch {noted}); if [[ $n == {fail_at} ]]; then {refused}; fi\n"
            "echo $((40 + n))\n"
        )
        (commands / "scancel").write_text(f'#!/bin/bash\necho "scancel $*" >> {noted}\n')
        for command in commands.iterdir():
            command.chmod(0o755)
        monkeypatch.setenv("PATH", f"{commands}:/usr/bin:/bin")
        return noted

    return install


def test_both_jobs_are_submitted_and_the_second_waits_for_the_first(tmp_path, sbatch):
    noted = sbatch()
    script = slurm_script(tmp_path / "out", SEGMENT, MEDPROMPT, Resources(tasks=2))

    assert submit(script) == "array 41, tables 42"
    assert noted.read_text().splitlines() == [
        "sbatch --parsable",
        "sbatch --parsable --dependency=afterany:41",
    ]
    assert (tmp_path / "out" / "logs" / "slurm").is_dir()
    for path in tmp_path.glob("script.*"):
        assert path.read_text().startswith("#!/bin/bash\n#SBATCH ")
        assert subprocess.run(["bash", "-n", path], check=False).returncode == 0


@pytest.mark.parametrize(("fail_at", "cancelled"), [(1, []), (2, ["scancel 41"])])
def test_a_refusal_leaves_nothing_half_submitted(tmp_path, sbatch, fail_at, cancelled):
    noted = sbatch(fail_at)
    script = slurm_script(tmp_path / "out", SEGMENT, MEDPROMPT, Resources(tasks=2))
    with pytest.raises(DeviceError, match="no such partition"):
        submit(script)

    assert [line for line in noted.read_text().splitlines() if "scancel" in line] == cancelled
