"""The model and the picture of a cohort, and what is said where there is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from medprompt_cli.bids.entry import ImageEntry
from medprompt_cli.bids.tables import Row
from medprompt_cli.cohort.trends import MOST_NAMED, write_cohort
from medprompt_cli.cohort.visit_results import VisitResults
from medprompt_cli.cohort.visits import FollowedVisit
from medprompt_cli.domain.measurement import Measurement

START = datetime(2020, 1, 1)
REGION = "left-hippocampus"


def visit(subject, year, value, *, dated=True):
    entry = ImageEntry(Path("x_T1w.nii.gz"), subject, f"ses-{year}", "T1w", {"sub": subject})
    when = START + timedelta(days=365.25 * year) if dated else None
    volume = Measurement(REGION, "volume", value + 0.1, "mL")
    soft = Measurement(REGION, "soft-volume", value, "mL")
    places = Measurement(REGION, "count", 1, "1")
    return VisitResults(
        FollowedVisit(f"ses-{year}", when, (entry,)), {}, (volume, soft, places)
    )


@pytest.fixture
def cohort():
    def build(count, *, dated=True):
        random = np.random.default_rng(0)
        people = {}
        for n in range(count):
            level = random.normal(4, 0.5)
            people[f"sub-{n:02}"] = [
                visit(f"sub-{n:02}", y, level - 0.1 * y + random.normal(0, 0.01), dated=dated)
                for y in range(3)
            ]
        return people

    return build


def test_a_model_of_every_structure_and_a_picture(cohort, tmp_path):
    people = cohort(10)
    participants: dict[str, Row] = {
        name: {"age": str(60 + n), "sex": "FM"[n % 2]} for n, name in enumerate(people)
    }
    found = write_cohort(tmp_path, people, participants)
    model = pd.read_csv(tmp_path / "model.tsv", sep="\t").set_index("term")

    assert (found.files, found.notes) == (
        tuple(tmp_path / name for name in ("model.tsv", "model.json", "trajectories.png")),
        (),
    )
    assert list(model.index) == ["intercept", "years", "age", "sex[M against F]"]
    assert set(zip(model["region"], model["quantity"], strict=True)) == {
        (REGION, "soft-volume")
    }
    assert model.loc["years", "coefficient"] == pytest.approx(-0.1, abs=0.01)
    assert model.loc["years", "lower"] < -0.1 < model.loc["years", "upper"]
    assert set(model["subjects"]) == {10}
    assert (tmp_path / "trajectories.png").read_bytes().startswith(b"\x89PNG")


def test_lesions_are_modelled_and_drawn_by_their_masks(cohort, tmp_path):
    people = cohort(10)
    for visits in people.values():
        for n, found in enumerate(visits):
            level = found.measurements[0].value + 2 * n
            mask, soft = (
                Measurement("lesion", name, value, "mL")
                for name, value in (("volume", level), ("soft-volume", 50 + 9 * n))
            )
            visits[n] = replace(found, measurements=(*found.measurements, soft, mask))
    write_cohort(tmp_path, people, {})
    model = pd.read_csv(tmp_path / "model.tsv", sep="\t").set_index(["region", "term"])

    assert model.loc[("lesion", "years"), "quantity"] == "volume"
    assert model.loc[("lesion", "years"), "coefficient"] == pytest.approx(1.9, abs=0.01)


def test_few_people_have_a_picture_and_no_model(cohort, tmp_path):
    (tmp_path / "model.tsv").write_text("of an earlier run")
    found = write_cohort(tmp_path, cohort(3), {})

    assert found.files == (tmp_path / "trajectories.png",)
    assert found.notes == (
        "3 subjects have two visits with dates; a model of the cohort takes 8, and was not"
        " made.",
    )
    assert not (tmp_path / "model.tsv").exists()


def test_sides_lie_together_and_few_people_have_names(cohort, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *_, **__: drawn.append(figure))
    wanted = ("left-hippocampus", "right-hippocampus", "brainstem", "lesion")
    for count in (2, MOST_NAMED + 1):
        people = cohort(count)
        for visits in people.values():
            for n, found in enumerate(visits):
                soft = found.measurements[1]
                every = tuple(replace(soft, region=name) for name in wanted[::-1])
                visits[n] = replace(found, measurements=every)
        write_cohort(tmp_path, people, {})
    few, many = drawn

    titles = [axes.get_title() for axes in few.axes]
    assert sorted(titles) == sorted(wanted)
    assert titles.index("right-hippocampus") == titles.index("left-hippocampus") + 1
    assert titles[-1] == "lesion"
    assert [t.get_text() for t in few.legends[0].get_texts()] == ["sub-00", "sub-01"]
    assert [t.get_text() for t in many.legends[0].get_texts()] == ["model"]


def test_without_dates_there_is_nothing_to_draw(cohort, tmp_path):
    found = write_cohort(tmp_path, cohort(10, dated=False), {})

    assert found.files == ()
    assert found.notes == (
        "Nobody has two visits with dates and values: there are no trajectories.",
    )
