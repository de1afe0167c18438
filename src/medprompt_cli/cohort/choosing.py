"""Whether what is asked for can be had: refusals before anything is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from medprompt_cli.bids.dataset import Dataset
from medprompt_cli.errors import InputError, UsageError, WeightsError
from medprompt_cli.planning.vocabulary import Target


def check_visible(targets: Sequence[Target]) -> None:
    """Make sure that the weights see something of what is asked for.

    Raises:
        WeightsError: If they do not.
    """
    if not any(target.visible for target in targets):
        lesion = any(target.kind == "lesion" for target in targets)
        raise WeightsError(
            f"The weights cannot see {', '.join(target.name for target in targets)}.",
            remedy="Ask for what they can see, such as "
            + ("'lesion', which is any." if lesion else "'left hippocampus'."),
        )


def check_together(together: Sequence[str], suffixes: Sequence[str]) -> None:
    """Make sure that scans that are to be read together are of several kinds.

    Raises:
        UsageError: If they are not, or other scans are asked for as well.
    """
    kinds = {kind.lower() for kind in together}
    if together and suffixes:
        raise UsageError(
            f"Only {', '.join(suffixes)} is to be segmented, and "
            f"{', '.join(together)} together.",
            remedy="Name the scans that are to be read together, and no other suffix.",
        )
    if together and len(kinds) < max(2, len(together)):
        raise UsageError(
            f"{', '.join(together)} cannot be read together: "
            "these are not two or more kinds of scan.",
            remedy="Name each kind once, such as FLAIR,T1w.",
        )


def nothing_to_segment(source: Path, dataset: Dataset, asked: Sequence[str]) -> InputError:
    """Say why there is no image: the first thing wrong with one, or what was asked for."""
    unusable = [p for p in dataset.problems if p.severity == "skipped"]
    if unusable:
        first = unusable[0]
        return InputError(
            f"{source} holds no usable image. {first.said}",
            remedy=first.remedy,
            code=first.code,
        )
    if not asked and any(image.is_diffusion for image in dataset.images):
        return InputError(
            f"{source} holds no image but diffusion images, which are left out of a dataset.",
            remedy="Ask for them with --suffix dwi.",
            code="no-images",
        )
    limited = f" of {', '.join(asked)}" if asked else ""
    return InputError(
        f"{source} holds no image{limited}.",
        remedy=f"See what is there with: medprompt check {source}",
        code="no-images",
    )
