"""A set is answered image by image; what is refused is wrong, what is done is kept."""

import json
from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from medprompt_cli.bids.instruction_set import PAIRS, pairs_text, read_pairs
from medprompt_cli.cohort.instruction_answers import OnePass
from medprompt_cli.cohort.instruction_build import build_instructions
from medprompt_cli.cohort.instruction_job import BuildJob
from medprompt_cli.cohort.instruction_plans import understand_all
from medprompt_cli.cohort.instruction_run import Models, evaluate_instructions
from medprompt_cli.errors import DeviceError, UsageError
from medprompt_cli.planning.prompt_model import load_prompt_model
from medprompt_cli.planning.vocabulary import resolve


def no_sentences():
    raise AssertionError("a name was read as a sentence")


@pytest.fixture
def instructions(heads, tmp_path, boxes):
    """A set about two images, in names so that nothing has to be read, and its folder."""
    heads.mask("sub-01", "Tumor", boxes("left"), boxes("right"))
    out = tmp_path / "set"
    build_instructions(BuildJob(heads.root, out, languages=("en",), balanced=False))
    words = {"tumor": "tumor", "lesion": "lesion", "infarct": "gliding"}
    pairs = [
        replace(pair, instruction=words[pair.target])
        for pair in read_pairs(out)
        if pair.form == "global" and pair.target in words
    ]
    (out / PAIRS).write_text(pairs_text(pairs), encoding="utf-8")
    return out


@pytest.fixture
def evaluated(instructions, threshold_segmenter, tmp_path):
    """Evaluates that set; gives what came of it, and what was said on the way."""

    def run(out="scores", segmenter=threshold_segmenter):
        said = []
        models = Models(lambda: segmenter, no_sentences)
        place = None if out is None else tmp_path / out
        found = evaluate_instructions(instructions, models, place, lambda *w: said.append(w))
        return found, said

    return run


def sizes(found):
    return {
        (o.pair.participant_id, o.pair.instruction): (o.status, o.predicted_ml, o.shared_ml)
        for o in found.outcomes
    }


def test_answers_are_held_against_masks(evaluated):
    found, said = evaluated()

    left, both = pytest.approx(48 * 0.008), pytest.approx(108 * 0.008)
    # the tumor on the left is found, and the one on the right is not
    assert sizes(found)["sub-01", "tumor"] == ("answered", left, left)
    [tumor] = [outcome for outcome in found.outcomes if outcome.true_ml > 0]
    assert (tumor.true_ml, tumor.iou) == (both, pytest.approx(48 / 108))
    assert sizes(found)["sub-02", "lesion"] == ("answered", 0, 0)
    assert said == [("sub-01_FLAIR", "done"), ("sub-02_FLAIR", "done")]


def test_what_is_refused_is_wrong_and_listed(evaluated, tmp_path):
    found, _ = evaluated()

    assert sizes(found)["sub-02", "gliding"] == ("refused", None, None)
    lines = (tmp_path / "scores" / "instructions.md").read_text().splitlines()
    refused = "| gliding | refused: the words have no program | Unknown target 'gliding'. | 2 |"
    assert refused in lines
    scores = {s.quantity: s for s in found.scores if (s.subset, s.member) == ("all", "all")}
    assert scores["giou"].value == pytest.approx((48 / 108 + 1 + 1) / 5)
    assert scores["n_acc"].value == pytest.approx(2 / 4)


def test_an_image_is_looked_at_once(evaluated, threshold_segmenter):
    evaluated()

    assert threshold_segmenter.seen == ["sub-01_FLAIR.nii.gz", "sub-02_FLAIR.nii.gz"]


def test_each_distinct_instruction_is_understood_once():
    calls = []

    def load():
        calls.append(1)
        return load_prompt_model()

    plans = understand_all(["tumor", "Segment the tumor.", "tumor"], load)
    assert list(plans) == ["tumor", "Segment the tumor."]
    assert len(calls) == 1
    assert plans["tumor"].text == plans["Segment the tumor."].text


def test_what_is_done_is_kept(evaluated, threshold_segmenter, tmp_path):
    first, _ = evaluated()
    threshold_segmenter.seen.clear()
    again, said = evaluated()

    assert threshold_segmenter.seen == []
    assert [became for _, became in said] == ["already there"] * 2
    assert again.kept == ("sub-01_FLAIR", "sub-02_FLAIR")
    assert (again.outcomes, again.scores) == (first.outcomes, first.scores)


def test_what_has_changed_is_done_again(
    evaluated, instructions, threshold_segmenter, heads, tmp_path
):
    evaluated()
    pairs = read_pairs(instructions)
    changed = [
        replace(p, instruction="edema") if p.participant_id == "sub-02" else p for p in pairs
    ]
    (instructions / PAIRS).write_text(pairs_text(changed), encoding="utf-8")
    assert [became for _, became in evaluated()[1]] == ["already there", "done"]

    heads.head("sub-01")  # without its tumor
    found, said = evaluated()
    assert [became for _, became in said] == ["done", "already there"]
    assert sizes(found)["sub-01", "tumor"][1] == 0

    threshold_segmenter.weights_sha256 = "6" * 64
    assert [became for _, became in evaluated()[1]] == ["done", "done"]


def test_a_damaged_answer_is_worked_out_again(evaluated, tmp_path):
    evaluated()
    (tmp_path / "scores" / "answers" / "sub-01_FLAIR.json").write_text("{")

    assert [became for _, became in evaluated()[1]] == ["done", "already there"]


def test_an_image_that_cannot_be_read_is_named_and_the_rest_goes_on(evaluated, heads, tmp_path):
    (heads.root / "sub-01/anat/sub-01_FLAIR.nii.gz").write_bytes(b"no image")
    found, said = evaluated()

    assert said == [("sub-01_FLAIR", "failed"), ("sub-02_FLAIR", "done")]
    assert {o.pair.participant_id for o in found.outcomes} == {"sub-02"}
    assert "sub-01_FLAIR was not judged: " in (tmp_path / "scores/instructions.md").read_text()
    assert "images: 2 (1 not judged)" in found.heading
    heads.head("sub-01")
    assert [became for _, became in evaluated()[1]] == ["done", "already there"]


def test_an_error_of_ours_leaves_its_traceback(evaluated, threshold_segmenter, tmp_path):
    def broken(volumes, targets):
        raise ValueError("a bug")

    threshold_segmenter.segment = broken
    found, _ = evaluated()

    assert set(found.failures) == {"sub-01_FLAIR", "sub-02_FLAIR"}
    told = (tmp_path / "scores" / "answers" / "sub-01_FLAIR.error.txt").read_text()
    assert "ValueError: a bug" in told


def test_a_missing_device_ends_the_run_and_keeps_what_is_done(evaluated, threshold_segmenter):
    segment = threshold_segmenter.segment

    def second_fails(volumes, targets):
        if threshold_segmenter.seen:
            raise DeviceError("It is gone.", remedy="Look for it.")
        return segment(volumes, targets)

    threshold_segmenter.segment = second_fails
    with pytest.raises(DeviceError, match="It is gone"):
        evaluated()
    threshold_segmenter.segment = segment
    assert [became for _, became in evaluated()[1]] == ["already there", "done"]


def test_nothing_is_kept_without_a_folder(evaluated, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    assert evaluated(out=None)[0].outcomes
    assert sorted(tmp_path.rglob("*")) == before


def test_results_do_not_go_into_the_set(evaluated, instructions):
    with pytest.raises(UsageError, match="would lie among its pairs"):
        evaluated(out=instructions.name)


def test_the_long_table_and_the_plans_are_written(evaluated, tmp_path):
    found, _ = evaluated()

    table = pq.read_table(tmp_path / "scores" / "instructions.parquet")
    assert table.num_rows == len(found.scores)
    lines = (tmp_path / "scores" / "plans.jsonl").read_text().splitlines()
    plans = {one["instruction"]: one for one in map(json.loads, lines)}
    assert plans["tumor"]["program"].splitlines()[1] == 'tumor = segment(scan, "tumor")'
    assert plans["gliding"]["status"] == "refused"


def test_targets_that_were_not_foreseen_get_a_pass_of_their_own(
    threshold_segmenter, heads, tmp_path
):
    from medprompt_cli.bids.images import read_image

    volume = read_image(heads.root / "sub-01/anat/sub-01_FLAIR.nii.gz")
    once = OnePass(threshold_segmenter, resolve(["tumor", "lesion"]))
    first = once.segment(volume, resolve(["tumor"]))

    assert once.segment(volume, resolve(["lesion"])) is first
    assert len(threshold_segmenter.seen) == 1
    assert "edema" in once.segment(volume, resolve(["edema"])).masks
    assert len(threshold_segmenter.seen) == 2


@pytest.mark.weights
def test_words_that_the_bundled_network_reads_are_answered(
    heads, threshold_segmenter, tmp_path, boxes
):
    """All the way: sentences of a set, read by the network, looked for by a threshold."""
    heads.head("sub-01", tumor=(boxes("left"), boxes("right")))
    heads.mask("sub-01", "Tumor", boxes("left"), boxes("right"))
    build_instructions(BuildJob(heads.root, tmp_path / "set"))
    models = Models(lambda: threshold_segmenter, load_prompt_model)
    found = evaluate_instructions(tmp_path / "set", models)

    basic = [o for o in found.outcomes if o.pair.type == "basic" and o.answered]
    assert len(basic) >= 6
    sided = [o for o in basic if o.pair.place and o.pair.place.endswith("-hemisphere")]
    assert {o.pair.place for o in sided} == {"left-hemisphere", "right-hemisphere"}
    assert all(o.iou == 1 for o in basic), [o for o in basic if o.iou < 1]
    absent = [o for o in found.outcomes if o.pair.type == "absence" and o.answered]
    assert all(o.right_about_nothing for o in absent)
