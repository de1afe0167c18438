"""Count how often the 95 % interval of a volume holds the truth, and judge expected Dice.

    python examples/benchmarks/coverage.py heads.labels.xz
    python examples/benchmarks/coverage.py heads.labels.xz --heads 40 --scans ../shared/data

Heads are drawn from the label maps that no weights learnt from, in 1 mm voxels, and segmented
as any scan. Of every structure that is whole in the image three numbers are kept: the true
volume, the expected one, and what is undecided of it. The two constants of
measurement/interval.py are fitted on half of the heads, and the share of intervals that hold
the truth is counted on the other half; then with the constants as they stand, on all. With
--scans the same is done for scans with a truth: there it also counts that people draw borders
by other rules. Beside it stands the correlation of expected Dice with Dice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from common import HERE, MANIFEST, heading, with_structures

from medprompt_cli.bids.images import read_image
from medprompt_cli.bids.nifti import read_labels
from medprompt_cli.domain.anatomy import BASE_INDEX, BASE_STRUCTURES
from medprompt_cli.domain.geometry import Geometry
from medprompt_cli.domain.posterior import PosteriorSums
from medprompt_cli.domain.volume import Volume
from medprompt_cli.evaluation.cases import read_cases
from medprompt_cli.evaluation.schemes import CLASS_OF
from medprompt_cli.execution.segment import CaseResult, segment_case
from medprompt_cli.measurement.interval import (
    COMMON_SHARE,
    CORRELATED_MM3,
    NORMAL_95,
    volume_sd_ml,
)
from medprompt_cli.measurement.quality import expected_dice
from medprompt_cli.planning.vocabulary import resolve
from medprompt_cli.segmentation.segmenter import Segmenter
from medprompt_cli.synthesis.bank import read_bank
from medprompt_cli.synthesis.deform import Draw
from medprompt_cli.synthesis.generator import Generator, Sample
from medprompt_cli.training.recipe import read_recipe

RECIPE = HERE.parent / "training/small-2mm.toml"
SEED = 86_420
CORRELATED = np.geomspace(1, 1000, 25)
SHARES = np.linspace(0.0, 1.0, 41)
FEWEST = 10
"""Structures of fewer true voxels are left out, as tables leave them out."""


@dataclass(frozen=True)
class Told:
    """What was said of one structure, and the truth.

    Attributes:
        head: Which head it is of.
        name: The structure.
        true_ml: Its volume.
        mask_ml: That of its mask.
        sums: What its probabilities add up to.
        dice: Of mask and truth.
    """

    head: int
    name: str
    true_ml: float
    mask_ml: float
    sums: PosteriorSums
    dice: float

    @property
    def error_ml(self) -> float:
        """How far the expected volume is from the truth."""
        return self.sums.total_ml - self.true_ml


def told_of(head: int, result: CaseResult, truth: np.ndarray, ml: float) -> Iterator[Told]:
    """Compare what is whole in the image with the truth.

    Args:
        head: Number of the head.
        result: What was found in it.
        truth: (I, J, K, P) ids of base structures; P parts of a voxel.
        ml: Volume of a voxel.
    """
    labels = result.labels
    if labels is None:
        return
    parts = truth.shape[3]
    middle = truth[..., parts // 2]
    whole = {r.name for r in result.results if r.status == "measured"}
    for name in sorted(whole & result.sums.keys()):
        index = BASE_INDEX[name]
        found, true = labels.voxels == index, middle == index
        true_voxels = float(np.count_nonzero(truth == index)) / parts
        if true_voxels < FEWEST:
            continue
        both, mask = np.count_nonzero(found & true), np.count_nonzero(found)
        dice = 2 * both / (mask + np.count_nonzero(true))
        yield Told(head, name, true_voxels * ml, mask * ml, result.sums[name], dice)


def synthetic(bank: Path, segmenter: Segmenter, heads: int, spacing: float) -> list[Told]:
    """Heads of label maps that were held out, one map after the other."""
    recipe = read_recipe(RECIPE)
    held_out = [m for m in read_bank(bank) if m.name in recipe.held_out]
    config = replace(recipe.generator, spacing_mm=spacing, streams=(1,))
    generators = [
        Generator([packed], config, Draw(SEED + n)) for n, packed in enumerate(held_out)
    ]
    ids = np.array([0, *(s.index for s in BASE_STRUCTURES)], np.uint8)
    told: list[Told] = []
    for head in range(heads):
        sample = generators[head % len(generators)].sample()
        volume = volume_of(sample)
        result = segment_case(volume, resolve(["all"]), segmenter)
        truth = ids[sample.labels.numpy()]
        told += told_of(head, result, truth, volume.geometry.voxel_volume_mm3 / 1000)
    return told


def volume_of(sample: Sample) -> Volume:
    """The first image of a head as a scan."""
    image = sample.images[0].numpy()
    i, j, k = image.shape
    return Volume(image, Geometry((i, j, k), np.diag([*sample.spacing, 1.0])))


def real(root: Path, segmenter: Segmenter) -> list[Told]:
    """Scans of accuracy.tsv with a truth of base structures.

    Without those that the truth draws by another rule, and the fluid around the brain, of
    which it draws a few mL.
    """
    told: list[Told] = []
    id_of = np.zeros(max(CLASS_OF.values()) + 1, np.uint8)
    for name, index in BASE_INDEX.items():
        id_of[CLASS_OF[name]] = index
    for head, case in enumerate(with_structures(read_cases(MANIFEST, root))):
        volume = read_image(case.images[0])
        result = segment_case(volume, resolve(["all"]), segmenter)
        if case.truth is None:
            continue
        truth = id_of[case.scheme.classes(read_labels(case.truth).voxels)][..., None]
        found = told_of(head, result, truth, volume.geometry.voxel_volume_mm3 / 1000)
        other_rules = {s.name for s in BASE_STRUCTURES if s.kind in {*case.scheme.notes, "csf"}}
        told += [one for one in found if one.name not in other_rules]
    return told


def coverage(told: Sequence[Told], correlated: float, share: float) -> float:
    """Share of intervals that hold the truth."""
    held = [
        abs(t.error_ml) <= NORMAL_95 * volume_sd_ml(t.sums.spread_ml, correlated, share)
        for t in told
    ]
    return float(np.mean(held))


def fit(told: Sequence[Told]) -> tuple[float, float]:
    """The c, in mm3, and b that make the errors likeliest, widened to hold 95 % of them."""
    error = np.array([t.error_ml for t in told])
    spread = np.array([t.sums.spread_ml for t in told])
    best = (np.inf, 1.0, 0.0)
    for correlated in CORRELATED:
        for share in SHARES:
            variance = correlated / 1000 * spread + (share * spread) ** 2
            cost = float(np.sum(np.log(variance) + error**2 / variance))
            best = min(best, (cost, float(correlated), float(share)))
    _, correlated, share = best
    sd = np.sqrt(correlated / 1000 * spread + (share * spread) ** 2)
    wider = float(np.quantile(np.abs(error) / sd, 0.95)) / NORMAL_95
    return correlated * wider**2, share * wider


def summary(told: Sequence[Told]) -> Iterator[str]:
    """How the intervals and the expected Dice did, a line each."""
    first, second = ([t for t in told if t.head // 2 % 2 == half] for half in (0, 1))
    if first and second:
        constants = fit(first)
        yield (
            f"fitted on half of the heads, c = {constants[0]:.3g} mm3 and b = "
            f"{constants[1]:.3g}: {coverage(second, *constants):.1%} of the intervals of the "
            "other half hold the truth"
        )
    whole = fit(told)
    yield f"fitted on all: c = {whole[0]:.3g} mm3 and b = {whole[1]:.3g}"
    held = coverage(told, CORRELATED_MM3, COMMON_SHARE)
    widths = [NORMAL_95 * volume_sd_ml(t.sums.spread_ml) / t.true_ml for t in told if t.true_ml]
    yield (
        f"as they stand, c = {CORRELATED_MM3:g} mm3 and b = {COMMON_SHARE:g}: {held:.1%} hold "
        f"the truth; half of the intervals are wider than +-{np.median(widths):.0%}"
    )
    yield from quality(told)


def quality(told: Iterable[Told]) -> Iterator[str]:
    """What expected Dice says of Dice."""
    pairs = [(expected_dice(t.mask_ml, t.sums), t.dice) for t in told]
    said, true = np.array(pairs).T
    yield (
        f"expected Dice {said.mean():.3f}, Dice {true.mean():.3f}; correlation "
        f"{np.corrcoef(said, true)[0, 1]:.2f} over {len(pairs)} structures"
    )


def worst(told: Sequence[Told]) -> Iterator[str]:
    """The structures whose intervals hold the truth least often."""
    names = {t.name for t in told}
    held = {
        name: coverage([t for t in told if t.name == name], CORRELATED_MM3, COMMON_SHARE)
        for name in names
    }
    for name in sorted(names, key=lambda name: (held[name], name))[:5]:
        own = [t for t in told if t.name == name]
        bias = np.mean([t.error_ml / t.true_ml for t in own])
        yield f"  {name}: {held[name]:.0%} hold it; {bias:+.0%} on average"


def main(
    bank: Annotated[Path, typer.Argument(help="File made by `medprompt train pack`.")],
    heads: Annotated[int, typer.Option(min=1, help="Synthetic heads.")] = 12,
    spacing: Annotated[float, typer.Option(help="Of their voxels, in mm.")] = 1.0,
    scans: Annotated[
        Path | None, typer.Option(help="Root of accuracy.tsv: its scans too.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    weights: Annotated[str | None, typer.Option(help="Name or file.")] = None,
) -> None:
    """Count how often intervals hold the truth."""
    segmenter = Segmenter(device=device, weights=weights)
    typer.echo(heading(segmenter, "coverage.py"))
    groups = {f"{heads} heads": synthetic(bank, segmenter, heads, spacing)}
    if scans is not None:
        groups["scans"] = real(scans, segmenter)
    for name, told in groups.items():
        typer.echo(f"\n{name}, {len(told)} structures")
        for line in (*summary(told), *worst(told)):
            typer.echo(line)


if __name__ == "__main__":
    typer.run(main)
