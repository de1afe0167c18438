"""`medprompt run` as callers of BIDS Apps know it."""

from __future__ import annotations

import json
import os
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from medprompt_cli import __version__, api
from medprompt_cli.cli.app import app
from medprompt_cli.cli.run import memory_gb, respelt
from medprompt_cli.errors import UsageError

VALUED = ("-p", "--prompt", "--nprocs", "--mem", "--bids-filter-file", "-w")
HERE = ("bids", "out", "participant")


@pytest.fixture
def bids(tmp_path, save_scan):
    """Three subjects, two sessions, T1w and FLAIR."""
    for sub in ("01", "02", "03"):
        for ses in ("a", "b"):
            for name in ("T1w", "acq-hi_run-01_FLAIR"):
                stem = f"sub-{sub}/ses-{ses}/anat/sub-{sub}_ses-{ses}_{name}"
                save_scan(tmp_path / "bids" / f"{stem}.nii.gz", "left-hippocampus")
    (tmp_path / "bids" / "dataset_description.json").write_text(
        '{"Name": "x", "BIDSVersion": "1.11.0"}'
    )
    return tmp_path / "bids"


@pytest.fixture(autouse=True)
def opened(monkeypatch, threshold_segmenter):
    """Use a segmenter without weights; say with which options it was opened."""
    options = []

    def open_segmenter(asked):
        options.append(asked)
        return threshold_segmenter

    monkeypatch.setattr(api, "_open_segmenter", open_segmenter)
    return options


@pytest.fixture
def medprompt(tmp_path, monkeypatch):
    """Run `medprompt run` with arguments; say the names of the cases that were done."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("MKL_NUM_THREADS", "1")

    def run(*arguments):
        shown = CliRunner().invoke(app, ["run", *arguments])
        logs = sorted(path.stem for path in (tmp_path / "out" / "logs").glob("*.json"))
        return shown.exit_code, logs, shown

    return run


@pytest.mark.parametrize(
    "words",
    [
        ("bids", "out", "participant", "--participant-label", "01", "02"),
        ("bids", "out", "participant", "--participant_label", "01", "02"),
        ("bids", "out", "participant", "--participant_label", "01 02"),
        ("bids", "out", "participant", "--participant-label=01", "--participant_label=02"),
        ("--participant-label", "01", "02", "bids", "out", "participant"),
        ("bids", "--participant-label", "01", "02", "out", "participant"),
    ],
)
def test_lists_and_spellings(words):
    found = respelt([*words, "-p", "brain", "--skip_bids_validation"], VALUED)
    labels = [word for word in found if word.startswith("--participant-label=")]

    assert labels == ["--participant-label=01", "--participant-label=02"]
    assert [word for word in found if word in HERE] == list(HERE)
    assert found[-3:] == ["-p", "brain", "--skip-bids-validation"]


@pytest.mark.parametrize(
    "typed",
    [
        "--participant-label 01 03 --session-label a --bids-filter-file f.json"
        " --skip-bids-validation -w work --nprocs 2 --mem 4G",
        "--participant_label sub-01 sub-03 --session_label ses-a --bids_filter_file f.json"
        " --skip_bids_validation --work_dir work --nprocs 2 --mem 4G",
        "--participant_label='01 03' --session_label=a --bids_filter_file=f.json"
        " --skip_bids_validation --work_dir=work --nprocs=2 --mem=4G",
        "-w work --session_label a --mem=4096M --nprocs 2 --bids-filter-file f.json"
        " --skip-bids-validation --participant_label 01 --participant-label 03",
    ],
    ids=["dashes", "underscores", "equals", "mixed"],
)
@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
def test_every_option_in_both_spellings(bids, medprompt, tmp_path, opened, typed, first):
    (tmp_path / "f.json").write_text('{"a": {"suffix": "T1w"}}')
    (bids / "dataset_description.json").unlink()
    words = [*shlex.split(typed), "-p", "left hippocampus"]
    code, names, shown = medprompt(*([*words, *HERE] if first else [*HERE, *words]))

    assert code == 0, shown.stderr
    assert names == ["sub-01_ses-a_T1w", "sub-03_ses-a_T1w"]
    assert os.environ["OMP_NUM_THREADS"] == "2"
    assert opened[0].memory_gb is not None
    assert not (tmp_path / "work").exists()


def test_what_is_no_name_of_an_option_keeps_its_underscores():
    words = [
        *HERE,
        "--bids_filter_file",
        "a_b.json",
        "--prompt=x_y",
        "-p",
        "c_d",
        "--",
        "--e_f",
    ]

    assert respelt(words, VALUED) == [
        *HERE,
        *("--bids-filter-file", "a_b.json", "--prompt=x_y", "-p", "c_d", "--", "--e_f"),
    ]


LABELS = st.lists(st.from_regex(r"[0-9A-Za-z]{1,4}", fullmatch=True), min_size=1, max_size=4)


@given(LABELS, LABELS, st.permutations(["participants", "sessions", "bids", "out", "group"]))
def test_positional_words_survive_lists_before_them(participants, sessions, order):
    words = []
    for part in order:
        if part == "participants":
            words += ["--participant-label", *participants]
        elif part == "sessions":
            words += ["--session_label", *sessions]
        else:
            words.append(f"./{part}")
    found = respelt(words, VALUED)

    assert [word for word in found if word.startswith("./")] == [
        f"./{part}" for part in order if not part.endswith("s") or part == "bids"
    ]
    # What the lists hold is what was typed: nothing of it is lost or taken for BIDS or OUT.
    for name, labels in (("participant", participants), ("session", sessions)):
        assert [
            word.partition("=")[2] for word in found if word.startswith(f"--{name}-label=")
        ] == labels


def test_participants_and_sessions(bids, medprompt):
    code, names, _ = medprompt(
        *("bids", "out", "participant", "--participant_label", "01", "sub-03"),
        *("--session-label", "b", "-p", "left hippocampus"),
    )

    assert code == 0
    assert names == [
        "sub-01_ses-b_T1w",
        "sub-01_ses-b_acq-hi_run-01_FLAIR",
        "sub-03_ses-b_T1w",
        "sub-03_ses-b_acq-hi_run-01_FLAIR",
    ]


@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        (("--suffix", "T1w", *HERE), {"T1w"}),
        ((*HERE, "--suffix", "T1w", "FLAIR"), {"T1w", "FLAIR"}),
    ],
)
def test_kinds_of_scan(bids, medprompt, words, kinds):
    code, names, shown = medprompt(
        *words, "--participant-label", "01", "-p", "left hippocampus"
    )

    assert code == 0, shown.stderr
    assert {name.rpartition("_")[2] for name in names} == kinds


def test_the_group_gets_tables_of_all(bids, medprompt, tmp_path):
    medprompt(*HERE, "-p", "left hippocampus")
    code, _, shown = medprompt("bids", "out", "group")

    assert (code, shown.stdout) == (0, "out/measurements.tsv\nout/measurements.json\n")
    assert (tmp_path / "out" / "measurements.tsv").read_text().count("volume") >= 12


def test_a_group_without_participants_is_no_input(bids, medprompt):
    code, _, shown = medprompt("bids", "out", "group")

    assert code == 65
    assert shown.stderr.startswith("Error: out holds no measurements:")


def test_cores_and_memory_reach_the_segmenter(bids, medprompt, opened):
    code, _, _ = medprompt(
        *(*HERE, "-p", "left hippocampus", "--nprocs", "3", "--mem", "4500M", "-w", "work"),
    )

    assert code == 0
    assert opened[0].memory_gb == pytest.approx(3.5)
    assert os.environ["OMP_NUM_THREADS"] == "3"


@pytest.mark.parametrize(
    ("text", "gb"), [("16", 15), ("16G", 15), ("16GB", 15), ("2000m", 1), ("0.01T", 9)]
)
def test_amounts_of_memory(text, gb):
    assert memory_gb(text) == pytest.approx(gb)


@pytest.mark.parametrize("text", ["16000", "much", "-4", "1G", "16X", "", "1e3G"])
def test_amounts_that_are_none(text):
    with pytest.raises(UsageError, match="--mem"):
        memory_gb(text)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"t1w": {"datatype": "anat", "suffix": "T1w"}}, ["T1w"]),
        ({"a": {"suffix": ["T1w", "FLAIR"]}}, ["T1w", "acq-hi_run-01_FLAIR"]),
        ({"a": {"acquisition": None}}, ["T1w"]),
        ({"a": {"acquisition": "hi", "run": 1}}, ["acq-hi_run-01_FLAIR"]),
        ({"a": {"acquisition": "Query.NONE"}, "bold": {"datatype": "func"}}, ["T1w"]),
        ({"a": {"run": "*"}}, ["acq-hi_run-01_FLAIR"]),
        ({"a": {"session": "ses-a", "suffix": "T1w"}}, ["T1w"]),
    ],
)
def test_filter_files(bids, medprompt, tmp_path, query, expected):
    (tmp_path / "filter.json").write_text(json.dumps(query))
    code, names, shown = medprompt(
        *(*HERE, "-p", "left hippocampus", "--participant-label", "02"),
        *("--session-label", "a", "--bids_filter_file", "filter.json"),
    )

    assert code == 0, shown.stderr
    assert names == [f"sub-02_ses-a_{name}" for name in expected]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is no JSON"),
        ("[]", "does not hold an object of queries"),
        ('{"a": {"colour": "red"}}', "asks by 'colour', which is no entity of BIDS"),
        ('{"a": {"run": []}}', "asks for 'run' to be []"),
        ('{"bold": {"datatype": "func"}}', "holds no query with datatype anat or ct"),
    ],
)
def test_filter_files_that_cannot_be_followed(bids, medprompt, tmp_path, content, message):
    (tmp_path / "filter.json").write_text(content)
    code, names, shown = medprompt(
        *HERE, "-p", "left hippocampus", "--bids-filter-file", "filter.json"
    )

    assert (code, names) == (65, [])
    assert f"The filter file filter.json {message}" in shown.stderr


def test_a_filter_that_leaves_nothing(bids, medprompt, tmp_path):
    (tmp_path / "filter.json").write_text('{"a": {"suffix": "T2w"}}')
    code, _, shown = medprompt(*HERE, "-p", "brain", "--bids-filter-file", "filter.json")

    assert code == 65
    assert shown.stderr.startswith("Error: bids holds no image of the filter filter.json.\n")


def test_a_folder_that_does_not_say_it_is_bids(bids, medprompt):
    (bids / "dataset_description.json").write_text('{"Name": "x"}')
    code, names, shown = medprompt(*HERE, "-p", "left hippocampus")

    assert (code, names) == (65, [])
    assert shown.stderr == (
        "Error: bids is no BIDS dataset: bids/dataset_description.json has no BIDSVersion.\n"
        "Try: Mend it, or take the folder as it is with --skip-bids-validation.\n"
    )
    assert medprompt(*HERE, "-p", "left hippocampus", "--skip-bids-validation")[0] == 0


def test_another_level_is_a_usage_error(bids, medprompt):
    assert medprompt("bids", "out", "session", "-p", "brain")[0] == 2


def test_the_version(medprompt):
    code, _, shown = medprompt("--version")

    assert (code, shown.stdout) == (0, f"medprompt {__version__}\n")


@pytest.mark.parametrize(
    ("words", "said", "remedy"),
    [
        (
            ("--nthreads", "4"),
            "No such option: --nthreads",
            "Give the cores to use with --nprocs.",
        ),
        (
            ("--omp_nthreads=4",),
            "No such option: --omp-nthreads",
            "Give the cores to use with --nprocs.",
        ),
        (
            ("--mem_mb", "8000"),
            "No such option: --mem-mb",
            "Give the memory with --mem, as in 16G or 16000M.",
        ),
        (
            ("--random-seed", "1"),
            "No such option: --random-seed",
            "Leave it out: no result depends on a seed.",
        ),
        (
            ("--participant_label", "01,02"),
            "--participant-label 01,02 is no label.",
            "Separate them by spaces: --participant-label 01 02.",
        ),
        (
            ("--session_label=ses-a,b",),
            "--session-label ses-a,b is no label.",
            "Separate them by spaces: --session-label ses-a b.",
        ),
    ],
)
def test_habits_from_other_apps_are_refused_with_what_to_write(medprompt, words, said, remedy):
    code, names, shown = medprompt(*HERE, *words, "-p", "brain")

    assert (code, names) == (2, [])
    assert shown.stderr == f"Error: {said}\nTry: {remedy}\n"
