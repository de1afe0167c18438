import inspect
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from medprompt_cli.cli.app import app
from medprompt_cli.cli.dataset import build
from medprompt_cli.cohort.instruction_job import BuildJob
from medprompt_cli.synthesis.demo import DemoOptions, write_demo

RUNNER = CliRunner()


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    root = tmp_path_factory.mktemp("demo") / "bids"
    write_demo(root, DemoOptions(subjects=1, sessions=1, small=True))
    return root


def run(*words):
    return RUNNER.invoke(app, ["dataset", "build", *map(str, words)])


def test_counts_are_printed_and_images_named_on_the_way(demo, tmp_path):
    shown = run(demo, tmp_path / "set")

    assert shown.exit_code == 0, shown.output
    first, left_out, following = shown.stdout.splitlines()
    assert first.startswith(f"{tmp_path / 'set'}: 40 pairs about 2 images: 16 basic, 4 global,")
    assert first.endswith("0 lesion_inference, 20 absence")
    assert left_out == "Left out: no-kind 2, surplus 4"
    assert following == f"Next: medprompt evaluate instructions {tmp_path / 'set'} -o SCORES"
    assert shown.stderr == "sub-01_ses-01_FLAIR\nsub-01_ses-01_T1w\n"


def test_options_reach_the_set(demo, tmp_path):
    words = ("--language", "ko", "--unbalanced", "--least-voxels", "13", "--seed", "5")
    shown = run(demo, tmp_path / "set", *words, "--json")

    content = json.loads(shown.stdout)
    assert content["pairs"]["basic"].keys() == {"ko"}
    assert (content["seed"], content["balanced"], content["least_voxels"]) == (5, False, 13)
    assert content["dropped"]["basic"] == {"too-small": 2}  # on the left of the thick slices
    assert content == json.loads((tmp_path / "set" / "summary.json").read_text())


def test_a_folder_without_masks_exits_with_65(demo, tmp_path):
    shown = run(demo / "sub-01", tmp_path / "set")

    assert shown.exit_code == 65
    assert shown.stderr.startswith(
        f"Error: {demo / 'sub-01'} holds no file that is named mask or dseg.\n"
    )
    assert not (tmp_path / "set").exists()


def test_what_is_said_to_be_the_default_is_it():
    told = {name: one.default for name, one in inspect.signature(build).parameters.items()}
    job = BuildJob(Path(), Path())

    assert (told["least_ml"], told["least_voxels"]) == (job.least.volume_ml, job.least.voxels)
    assert (told["certain"], told["heads"], told["seed"]) == (job.certain, job.heads, job.seed)
    assert job.balanced is not told["unbalanced"]
