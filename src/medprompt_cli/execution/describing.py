"""What the lesions of a case are like, where nobody asked anything else of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice

import numpy as np

from medprompt_cli.characterization import diffusion, enhancement, places, signal, sites
from medprompt_cli.characterization.mass_effect import midline_shift
from medprompt_cli.domain.anatomy import LESIONS
from medprompt_cli.domain.finding import Finding
from medprompt_cli.domain.volume import LabelMap, Mask
from medprompt_cli.execution.case import Case
from medprompt_cli.execution.characterizing import IMAGES_OF
from medprompt_cli.execution.extent import ends_outside
from medprompt_cli.execution.segment import CaseResult
from medprompt_cli.execution.values import Characterized, Image
from medprompt_cli.measurement.instances import find_instances, instance_masks

MOST_INSTANCES = 50
"""Of every kind of lesion so many are described one by one, the largest: a twentieth of a
second each, most of it spent on where they lie."""

Look = tuple[str, tuple[Image, ...], Callable[[Mask], Finding]]
"""A feature, the images that show it, and how it is found."""


def describe_lesions(result: CaseResult, images: Sequence[Image]) -> tuple[Characterized, ...]:
    """Signal and place of every lesion, and what it does to the middle of the brain.

    Of all of a lesion together the signal on every image and, where the images for it are
    there, enhancement and diffusion; of each piece of it, the largest first, these and where
    it lies.

    Args:
        result: With the structures around, see `segment_case`.
        images: Of the case, on the grid of the result.
    """
    masks = [mask for mask in result.masks if mask.region in LESIONS]
    if not masks or result.around is None:
        return ()
    everything = np.any([mask.voxels for mask in masks], axis=0)
    lesions = Mask("lesion", everything, masks[0].geometry)
    scene = _Scene(tuple(images), result.around, result.cortex, lesions)
    found = [one for mask in masks for one in scene.of(mask)]
    return (*found, Characterized(midline_shift(result.around), scene.images))


@dataclass(frozen=True)
class _Scene:
    """What lesions are held against.

    Attributes:
        images: What shows them.
        structures: Tissue and fluid.
        cortex: Its parcels; None if none is seen.
        lesions: All of them, none of which is normal tissue.
    """

    images: tuple[Image, ...]
    structures: LabelMap
    cortex: LabelMap | None
    lesions: Mask

    def of(self, mask: Mask) -> Iterator[Characterized]:
        """All of a lesion, then each of its pieces."""
        yield from _judged(mask, self._shown, None)
        pieces = instance_masks(find_instances(mask))
        for number, piece in enumerate(islice(pieces, MOST_INSTANCES), start=1):
            own = Mask(mask.region, piece.voxels, mask.geometry)
            yield from _judged(own, (*self._shown, *self._placed), number)

    @cached_property
    def _shown(self) -> tuple[Look, ...]:
        """What images show."""
        around = {"structures": self.structures, "others": self.lesions}
        looks: list[Look] = [
            (signal.FEATURE, (image,), partial(signal.signal, image=image.read(), **around))
            for image in self.images
        ]
        if pair := self._pair("enhances"):
            before, after = (image.read() for image in pair)
            added = enhancement.uptake(before, after, self.structures, self.lesions)
            judge = partial(enhancement.enhances, added=added, **around)
            looks.append((enhancement.FEATURE, pair, judge))
        if pair := self._pair("restricts_diffusion"):
            dwi, adc = (image.read() for image in pair)
            judge = partial(diffusion.restricts_diffusion, dwi=dwi, adc=adc, **around)
            looks.append((diffusion.FEATURE, pair, judge))
        return tuple(looks)

    @cached_property
    def _placed(self) -> tuple[Look, ...]:
        """What labels tell of where a piece lies."""
        judges = {
            sites.SITE: partial(sites.site, structures=self.structures),
            sites.CROSSING: partial(sites.midline_crossing, structures=self.structures),
        }
        if self.cortex is not None:
            labels = {"structures": self.structures, "parcels": self.cortex}
            judges[places.LOBE] = partial(places.lobe, **labels)
        return tuple((feature, self.images, judge) for feature, judge in judges.items())

    def _pair(self, function: str) -> tuple[Image, ...]:
        """The images that a function looks at; none unless all are there."""
        case = Case.of("case", self.images)
        found = [case.image(kind) for kind in IMAGES_OF[function]]
        there = tuple(image for image in found if image is not None)
        return there if len(there) == len(found) else ()


def _judged(
    lesion: Mask, looks: Sequence[Look], instance: int | None
) -> Iterator[Characterized]:
    cut = ends_outside(lesion)
    for feature, images, look in looks:
        found = (
            Finding.missing(lesion.region, feature, "truncated_fov") if cut else look(lesion)
        )
        yield Characterized(found if instance is None else found.of_instance(instance), images)
