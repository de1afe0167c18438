"""Lesions in whole samples: how many heads have them, and that image and truth agree."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from medprompt_cli.domain.anatomy import BASE_STRUCTURES
from medprompt_cli.synthesis.appearance import AppearanceRange
from medprompt_cli.synthesis.bank import PackedLabels
from medprompt_cli.synthesis.deform import Draw, ShapeRange
from medprompt_cli.synthesis.generator import Generator, GeneratorConfig
from medprompt_cli.synthesis.lesion_model import LesionRange

ROW = {s.name: n for n, s in enumerate(BASE_STRUCTURES, start=1)}
WHITE = torch.tensor([ROW[f"{side}-cerebral-white-matter"] for side in ("left", "right")])


@pytest.fixture
def grown(lesion_head):
    """Draw samples of a whole head at 4 mm: a grey for each label, and the lesions as said."""

    def draw(seeds, *, stripped=0.0, **lesion):
        flat = AppearanceRange(
            stripped=stripped, spread=0, bias=0, noise=0, gamma=0, blur=0, dark_air=0
        )
        config = GeneratorConfig(
            boxes=((4, 4, 4),),
            oversample=1,
            thick=0,
            coarse=0,
            ghosts=0,
            ringing=0,
            shape=ShapeRange(0, 0, 0, 0, 0),
            appearance=flat,
            lesion=LesionRange(**lesion),
        )
        packed = PackedLabels("solid", lesion_head.numpy(), (1.0, 1.0, 1.0))
        generator = Generator([packed], config, Draw(0))
        samples = []
        for seed in seeds:
            generator.draw = Draw(seed)  # the places lesions grow from are found once
            samples.append(generator.sample())
        return samples

    return draw


def test_as_many_heads_have_lesions_as_asked_for(grown):
    assert not any(sample.lesions.any() for sample in grown(range(4), share=0.0))
    assert all(sample.lesions.any() for sample in grown(range(8), share=1.0))
    half = sum(bool(sample.lesions.any()) for sample in grown(range(40), share=0.5))
    assert 8 < half < 30


def test_lesions_are_seen_in_the_image(grown):
    """White matter is of one grey, but for the lesions in it and their faded borders."""
    apart = []
    for sample in grown(range(8), share=1.0, weights={"glioma": 1.0}):
        lesions, greys = sample.lesions[..., 0] > 0, sample.images[0]
        near = F.max_pool3d(lesions.float()[None, None], 3, 1, 1)[0, 0] > 0
        inside = torch.isin(sample.labels[..., 0], WHITE)
        healthy = greys[inside & ~near]
        assert float(healthy.std()) < 1e-4
        apart.append(float((greys[inside & lesions] - healthy[0]).abs().mean()))
    assert min(apart) > 0.05


def test_stripping_takes_no_lesion_with_it(grown):
    """A meningioma sits in the fluid, which is mostly stripped; what is cut is cut in both."""
    weights, cut = {"meningioma": 1.0}, 0

    whole = grown(range(8), share=1.0, weights=weights)
    stripped = grown(range(8), share=1.0, weights=weights, stripped=1.0)

    for one, other in zip(whole, stripped, strict=True):
        tumour = one.lesions > 0
        assert tumour.any()
        assert torch.equal(one.lesions, other.lesions)
        assert torch.equal(one.labels[tumour], other.labels[tumour])
        gone = (one.labels > 0) & (other.labels == 0)
        assert not other.images[0][gone[..., 0]].any()
        cut += int(gone.sum())
    assert cut > 0
