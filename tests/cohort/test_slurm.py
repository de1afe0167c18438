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

code=0
for table in TABLES; do
    if [[ -d /data/out/$table ]]; then
        /opt/env/bin/medprompt tables /data/out --table "$table"
        ended=$?
        code=$((ended > code ? ended : code))
    fi
done
/opt/env/bin/medprompt status /data/out
far=$?
# Tables that failed are worse than cases that failed or are to do.
exit "$((code > 0 ? code : far))"
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


def test_tables_are_collected_where_it_is_said():
    resources = Resources(tasks=1, partition="gpu", gres="gpu:1", collect_partition="cpu")
    script = slurm_script(Path("/data/out"), SEGMENT, MEDPROMPT, resources)
    array, _, collect = script.partition("COLLECT")

    assert "in an array of 1 job, then" in array
    assert "#SBATCH --partition=gpu\n" in array
    assert "#SBATCH --partition=cpu\n" in collect
    assert "gres" not in collect


@pytest.mark.parametrize(
    ("findings", "measurements", "status", "code"),
    [(0, 0, 0, 0), (0, 0, 75, 75), (0, 0, 1, 1), (1, 0, 0, 1), (0, 65, 75, 65), (1, 70, 0, 70)],
)
def test_the_second_job_ends_with_the_code_of_what_failed(
    tmp_path, findings, measurements, status, code
):
    out, command = tmp_path / "out", tmp_path / "medprompt"
    command.write_text(
        f"#!/bin/bash\ncase $1.$4 in tables.findings) exit {findings};;"
        f" tables.measurements) exit {measurements};; status.) exit {status};; esac\nexit 99\n"
    )
    command.chmod(0o755)
    for table in ("findings", "measurements"):
        (out / table).mkdir(parents=True)
    script = slurm_script(out, SEGMENT, [str(command)], Resources(tasks=2))
    collect = script.partition("<<'COLLECT'\n")[2].partition("\nCOLLECT\n")[0]

    assert subprocess.run(["bash", "-c", collect], check=False).returncode == code


@pytest.mark.parametrize(
    "text",
    ["0", "10", "10:00", "600", "00:10:00", "04:00:00", "1-12", "1-12:30", "1-0:0:0", "0-1"],
)
def test_times_of_slurm(text):
    assert f"--time={text}" in Resources(tasks=2, time=text).lines()


@pytest.mark.parametrize(
    "text",
    ["4h", "", "4 h", "1:2:3:4", "-5", "1-", "1-2-3", "90 min", "1.5", "infinite", "\u0664"],
)
def test_times_that_slurm_does_not_read(text):
    with pytest.raises(UsageError, match="is no time as SLURM writes it") as caught:
        Resources(tasks=2, time=text)
    assert caught.value.remedy == (
        "Write 04:00:00 for four hours, 1-12 for a day and twelve hours; a number alone is"
        " minutes."
    )


@pytest.mark.parametrize(
    ("text", "means"),
    [("4", "4 min 0 s"), ("04:30", "4 min 30 s"), ("0:9:59", "9 min 59 s"), ("1", "1 min 0 s")],
)
def test_a_time_that_is_over_once_the_signal_has_come(text, means):
    with pytest.raises(UsageError, match="to SLURM") as caught:
        Resources(tasks=2, time=text)
    assert str(caught.value) == (
        f"--time {text} is {means} to SLURM, and a job is told to stop 120 s before its time"
        " is up."
    )
    assert caught.value.remedy.startswith("Give 10 minutes or more")


def test_an_option_of_sbatch_without_dashes_is_refused():
    with pytest.raises(UsageError, match="--sbatch account=brain is no option") as caught:
        Resources(tasks=2, more=("account=brain",))
    assert caught.value.remedy == "Write it with them: --sbatch --account=brain."


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
