"""Recipes: what the examples say, and what a wrong one is told."""

from __future__ import annotations

import dataclasses
import json

import pytest

from medprompt_cli.errors import UsageError
from medprompt_cli.networks.config import CONFIGS
from medprompt_cli.networks.levels import plan_levels
from medprompt_cli.networks.pyramid import CORE_LEVEL
from medprompt_cli.training.recipe import Recipe, read_recipe, recipe_to_dict

REMEDY = "Give a TOML file with the keys of training/recipe.py."


@pytest.fixture
def write(tmp_path):
    def save(text):
        path = tmp_path / "recipe.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return save


def test_examples_are_recipes(repository):
    paths = sorted((repository / "examples" / "training").glob("small-*.toml"))
    assert len(paths) >= 3

    for path in paths:
        recipe = read_recipe(path)
        spacing = recipe.generator.spacing_mm
        assert recipe.name == path.stem
        assert recipe.network in CONFIGS
        assert plan_levels((spacing, spacing, spacing))[0].index == recipe.level
        assert json.loads(json.dumps(recipe_to_dict(recipe)))["name"] == recipe.name


def test_lists_become_tuples_and_tables_become_ranges(write):
    recipe = read_recipe(
        write(
            """
            name = "small"
            held_out = ["a.nii.gz"]
            [generator]
            boxes = [[5, 6, 5], [4, 4, 4]]
            [generator.shape]
            rotation_deg = 5.0
            warp_steps_mm = [32.0]
            [generator.appearance]
            blur = 0.5
            contrasts = ["ct", "t2star"]
            [generator.lesion]
            share = 0.7
            ms_count = [2, 9]
            [generator.lesion.weights]
            ms = 3.0
            cyst = 1.0
            """
        )
    )

    assert recipe.held_out == ("a.nii.gz",)
    assert recipe.generator.boxes == ((5, 6, 5), (4, 4, 4))
    assert recipe.generator.shape.rotation_deg == 5
    assert recipe.generator.shape.warp_steps_mm == (32.0,)
    assert recipe.generator.appearance.blur == 0.5
    assert recipe.generator.appearance.contrasts == ("ct", "t2star")
    assert recipe.generator.lesion.share == 0.7
    assert recipe.generator.lesion.ms_count == (2, 9)
    assert recipe.generator.lesion.weights == {"ms": 3.0, "cyst": 1.0}
    assert dataclasses.replace(recipe).steps == Recipe("small").steps


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            'name = "a"\nstride = 2\n',
            "Recipe.__init__() got an unexpected keyword argument 'stride'",
        ),
        ("steps = 2\n", "Recipe.__init__() missing 1 required positional argument: 'name'"),
        (
            'name = "a"\n[generator]\nsize = 3\n',
            "GeneratorConfig.__init__() got an unexpected keyword argument 'size'",
        ),
        (
            'name = "a"\n[generator.shape]\nbend = 3\n',
            "ShapeRange.__init__() got an unexpected keyword argument 'bend'",
        ),
        (
            'name = "a"\n[generator.appearance]\nglow = 3\n',
            "AppearanceRange.__init__() got an unexpected keyword argument 'glow'",
        ),
        (
            'name = "a"\n[generator.lesion]\nsize_mm = 3\n',
            "LesionRange.__init__() got an unexpected keyword argument 'size_mm'",
        ),
        ('name = "a"\ngenerator = 3\n', "'int' object is not iterable"),
        ("name = \n", "Invalid value (at line 1, column 8)"),
        (b"\xff", "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
    ],
    ids=[
        "key",
        "no-name",
        "generator",
        "shape",
        "appearance",
        "lesion",
        "table",
        "toml",
        "text",
    ],
)
def test_a_wrong_recipe_is_told_why(write, text, said):
    path = write(text)

    with pytest.raises(UsageError, match="cannot be used") as caught:
        read_recipe(path)

    assert str(caught.value) == f"Recipe {path} cannot be used: {said}."
    assert caught.value.remedy == REMEDY


def test_a_missing_recipe_is_named(tmp_path):
    path = tmp_path / "none.toml"

    with pytest.raises(UsageError, match="cannot be used") as caught:
        read_recipe(path)

    assert str(caught.value) == (
        f"Recipe {path} cannot be used: [Errno 2] No such file or directory: '{path}'."
    )


@pytest.mark.parametrize(
    ("line", "said", "key"),
    [
        ('network = "huge"', "network = 'huge' is none of small, paper, tiny.", "network"),
        ("level = 3", "level = 3 is none of 0, 1, 2.", "level"),
        (
            '[generator.appearance]\ncontrasts = ["t1", "t3"]',
            "contrasts = 't3' is none of t1, t2, flair, ct, t1c, dwi, adc, pd, t2star.",
            "contrasts",
        ),
        (
            "[generator.lesion.weights]\nglioma = 1.0\nwart = 0.1",
            "weights = 'wart' is none of wmh, ms, glioma, metastasis, meningioma, infarct,"
            " lacune, hemorrhage, cyst, cavity.",
            "weights",
        ),
    ],
)
def test_a_choice_that_is_not_there_is_answered_with_those_that_are(write, line, said, key):
    path = write(f'name = "a"\n{line}\n')

    with pytest.raises(UsageError, match="is none of") as caught:
        read_recipe(path)

    assert str(caught.value) == f"Recipe {path} cannot be used: {said}"
    assert caught.value.remedy == f"Set {key} to one of these."


def test_the_core_is_trained_unless_told_otherwise(recipe):
    assert recipe.level == CORE_LEVEL
    assert dataclasses.replace(recipe, core_weight=0.0).trains_core
    assert dataclasses.replace(recipe, level=1).trains_core
    assert not dataclasses.replace(recipe, level=1, core_weight=0.0).trains_core
