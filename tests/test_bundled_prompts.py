"""The bundled weights that read prompts: what they make of them, and what phi does."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from medprompt_cli.bids.images import read_image
from medprompt_cli.planning.checker import check
from medprompt_cli.planning.compile import compile_prompt
from medprompt_cli.planning.prompt_model import load_prompt_model
from medprompt_cli.planning.speaking import Speaker
from medprompt_cli.planning.tree import Program
from medprompt_cli.planning.vocabulary import resolve
from medprompt_cli.segmentation.segmenter import Segmenter
from medprompt_cli.segmentation.steering import steer
from medprompt_cli.training.prompt_evaluation import judge, rates

pytestmark = pytest.mark.weights

FLOORS = {"all_en": 0.85, "all_ko": 0.80}
"""Shares of a few held-out prompts that have to come out right; the benchmark takes more."""


@pytest.fixture(scope="module")
def model():
    return load_prompt_model()


@pytest.mark.parametrize(
    ("prompt", "targets", "quantities", "compares"),
    [
        ("volume of the left hippocampus", ("left-hippocampus",), ("volume",), "none"),
        ("how many lesions are there?", ("lesion",), ("count",), "none"),
        (
            "how much has the tumour grown since the first visit?",
            ("tumor",),
            ("change",),
            "visits",
        ),
        ("asymmetry of the hippocampus", ("hippocampus",), ("asymmetry",), "sides"),
        ("is there any edema?", ("edema",), ("presence",), "none"),
        ("좌측 해마의 부피를 알려줘", ("left-hippocampus",), ("volume",), "none"),
    ],
)
def test_plain_questions_are_understood(model, prompt, targets, quantities, compares):
    found = compile_prompt(prompt, model)

    assert found.status == "ok", found.explanation
    assert found.intent is not None
    assert (found.intent.targets, found.intent.quantities, found.intent.compares) == (
        targets,
        quantities,
        compares,
    )


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [
        ("what is the weather in Seoul tomorrow?", "out-of-scope"),
        ("write me a poem about the sea", "out-of-scope"),
        ("rm -rf / please", "out-of-scope"),
        ("오늘 점심 뭐 먹지?", "out-of-scope"),
        ("volume of the left spleen", "unknown-target"),
    ],
)
def test_what_is_no_business_of_ours_is_refused(model, prompt, reason):
    found = compile_prompt(prompt, model)

    assert found.status == "refused"
    assert found.program is None
    assert found.reason in {reason, "out-of-scope"}


@pytest.mark.slow
def test_held_out_prompts_are_understood_as_often_as_they_were(model):
    found = rates(judge(model, 120, seed=515_151), model.agreement)

    assert {name: found[name] for name in FLOORS if found[name] < FLOORS[name]} == {}


def test_a_dialogue_begins_with_what_its_answer_hangs_on(model):
    speaker = Speaker.about("how much has the tumour grown since the first visit?", model)
    said = []
    for told in ("one", "false", "unknown"):
        while (statement := speaker.next()) is not None:
            said.append(statement)
            if speaker.walk.waits:
                speaker.tell(told)
                break

    check(Program(tuple(said)), whole=False)
    assert 2 <= len(said) <= 20


def test_a_prompt_is_compiled_without_torch(model):
    code = (
        "import sys\n"
        "from medprompt_cli.planning.compile import compile_prompt\n"
        "from medprompt_cli.planning.prompt_model import load_prompt_model\n"
        "print(compile_prompt('left hippocampus volume', load_prompt_model()).status)\n"
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.stderr) == ("ok\n", "")


@pytest.mark.shared
@pytest.mark.slow
def test_swapping_the_phrase_swaps_the_mask(shared_data, model):
    """The network is run with the phi of two prompts, each in the place of the other."""
    phi = {}
    for name in ("left-putamen", "left-thalamus"):
        phi |= compile_prompt(f"outline the {name.replace('-', ' ')}", model).phi
    volume = read_image(shared_data / "anatomy" / "t1_crop.nii.gz")
    names = ("left-putamen", "left-thalamus")

    def masks(given):
        segmenter = Segmenter(device="cpu", follow_intensities=False)
        steer(segmenter.predictor.network, given)
        labels = segmenter.segment(volume, resolve(list(names))).labels
        return {name: labels.voxels == index for index, name in labels.names.items()}

    own = masks({})
    said = masks(phi)
    swapped = masks({names[0]: phi[names[1]], names[1]: phi[names[0]]})

    for one, other in (names, names[::-1]):
        assert dice(said[one], own[one]) > 0.9
        assert dice(swapped[one], own[other]) > 0.8
        assert dice(swapped[one], own[one]) < 0.1


def dice(one, other):
    return (
        2
        * np.count_nonzero(one & other)
        / max(1, np.count_nonzero(one) + np.count_nonzero(other))
    )
