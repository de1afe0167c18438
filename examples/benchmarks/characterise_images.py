"""Images of a synthetic lesion whose signal, uptake and diffusion are drawn, not judged.

The truth of each is what was drawn, before blur, receive field, noise and response.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from medprompt_cli.characterization.around import is_tissue
from medprompt_cli.characterization.signal import HYPER, HYPO, ISO
from medprompt_cli.domain.anatomy import BASE_STRUCTURES
from medprompt_cli.domain.finding import NO, YES
from medprompt_cli.synthesis.appearance import (
    DRAWN_CONTRASTS,
    AppearanceRange,
    Look,
    draw_look,
    finish,
    paint,
    spoil,
)
from medprompt_cli.synthesis.classes import CONTRASTS, PAINT_CLASSES
from medprompt_cli.synthesis.deform import Draw
from medprompt_cli.synthesis.lesion_paint import STEP, paint_lesions
from medprompt_cli.synthesis.lesion_parts import PART_INDEX

ACUTE, OLD = "infarct-lacunar", "infarct-gliosis"
"""What restricted diffusion looks like, and old damage. A lacunar infarct looks like any acute
one, but its border does not fade: where it does, no voxel of a thin lesion is left that shows
what was drawn."""

RESTRICTED = frozenset({ACUTE, "infarct-acute"})
"""Parts that are drawn as tissue of restricted diffusion."""

SHINE_THROUGH = 0.5
"""Share of the lesions without restriction that are bright on DWI all the same."""

SCALE = (0.7, 1.4)
"""Scale of the image after contrast agent, relative to the one before."""

ADC_OF_ONE = 3000.0
"""um2/s that the number 1 of `CONTRASTS["adc"]`, fluid, stands for: as in water at body
temperature."""

ADC_STORED = (1.0, 1e-3, 1e-6)
"""What a map multiplies um2/s by before it is stored."""

ADC_SPREAD = 0.05
"""Standard deviation of a tissue's ADC between people, as part of it."""

RANGES = AppearanceRange(any_contrast=0, tissue_contrast=0, contrasts=DRAWN_CONTRASTS)
_QUANTITATIVE = replace(RANGES, bias=0.0, gamma=0.0)

_IS_TISSUE = {s.index: is_tissue(s.name) for s in BASE_STRUCTURES}
_TISSUE = torch.tensor([_IS_TISSUE.get(p.target, False) for p in PAINT_CLASSES])
_CORTEX = next(n for n, p in enumerate(PAINT_CLASSES) if p.index == 3)  # noqa: PLR2004 - FreeSurfer's id


@dataclass(frozen=True, eq=False)
class Painter:
    """Paints one lesion of a head.

    Attributes:
        labels: (I, J, K) uint8, positions in `PAINT_CLASSES`.
        parts: (I, J, K) uint8, positions in `PARTS`: all lesions of the head.
        lesion: (I, J, K) bool, the voxels that are asked about.
        draw: Random numbers.
    """

    labels: torch.Tensor
    parts: torch.Tensor
    lesion: torch.Tensor
    draw: Draw

    def signal(self) -> tuple[str, torch.Tensor]:
        """An image of any known contrast, and the word for the lesion's signal on it.

        Every voxel of it is held against the mean of the tissue that it replaces, in fluid
        against that of the cortex. The word goes by the median of these differences, before
        anything else is done to the image: see `graded`.
        """
        look = draw_look(self.draw, RANGES)
        clean = self._painted(look, look.contrast or "", self.parts)
        under = self.labels[self.lesion].int()
        normal = torch.where(_TISSUE, look.means, look.means[_CORTEX])[under]
        step = float((clean[self.lesion] - normal).median())
        return graded(step), self._acquired([clean])[0]

    def enhancement(self) -> tuple[str, torch.Tensor, torch.Tensor]:
        """T1 before and after contrast agent, and whether the lesion took it up.

        What `CONTRASTS` says to be brighter after it, such as choroid plexus, is; the lesion is
        brightened by a step that stands out, or not at all. Both images come from one scanner:
        noise and scale differ.
        """
        look = draw_look(self.draw, replace(RANGES, contrasts=("t1",)))
        before = self._painted(look, "t1", self.parts)
        added = torch.tensor(
            [CONTRASTS["t1c"][p.tissue] - CONTRASTS["t1"][p.tissue] for p in PAINT_CLASSES]
        )
        after = before + added.clamp_min(0)[self.labels.int()] * (self.parts == 0)
        takes_up = self.draw.chance(0.5)
        after[self.lesion] += self.draw.uniform(*STEP) if takes_up else 0.0
        before, after = self._acquired([before, after])
        return (YES if takes_up else NO), before, after * self.draw.uniform(*SCALE)

    def diffusion(self, part: str) -> tuple[str, torch.Tensor, torch.Tensor]:
        """DWI and ADC map, and whether diffusion is restricted in the lesion.

        If it is, the lesion looks as an acute infarct on both. If not, it looks as its own
        part on both, or as old infarct if its part is acute; or as acute on DWI alone, as T2
        shines through.

        Args:
            part: What the lesion is made of.
        """
        restricted = self.draw.chance(0.5)
        own = OLD if part in RESTRICTED else part
        on_adc = ACUTE if restricted else own
        on_dwi = ACUTE if restricted else own
        if not restricted and self.draw.chance(SHINE_THROUGH):
            on_dwi, on_adc = ACUTE, OLD
        look = draw_look(self.draw, replace(RANGES, contrasts=("dwi",)))
        dwi = self._painted(look, "dwi", self._repainted(on_dwi))
        means = torch.tensor([CONTRASTS["adc"][p.tissue] for p in PAINT_CLASSES])
        means *= 1 + ADC_SPREAD * torch.randn(len(means), generator=self.draw.scalars)
        adc = self._painted(Look("adc", means), "adc", self._repainted(on_adc))
        [dwi] = self._acquired([dwi])
        [adc] = self._acquired([adc], _QUANTITATIVE)
        stored = ADC_STORED[self.draw.integer(len(ADC_STORED))]
        return (YES if restricted else NO), dwi, adc * ADC_OF_ONE * stored

    def _painted(self, look: Look, contrast: str, parts: torch.Tensor) -> torch.Tensor:
        image = paint(self.labels, look, self.draw, RANGES)
        return paint_lesions(image, self.labels, parts, contrast, look.means, self.draw)

    def _repainted(self, part: str) -> torch.Tensor:
        return self.parts.masked_fill(self.lesion, PART_INDEX[part])

    def _acquired(
        self, images: Sequence[torch.Tensor], ranges: AppearanceRange = RANGES
    ) -> list[torch.Tensor]:
        """Images of one scanner: one blur, receive field and response, noise of their own."""
        seed, found = self.draw.integer(2**31), []
        for number, image in enumerate(images):
            scanner = Draw(seed)
            seen = spoil(image, scanner, ranges)
            scanner.fields.manual_seed(seed + 1 + number)
            found.append(finish(seen, scanner, ranges))
        return found


def graded(step: float) -> str:
    """The word for a difference in drawn intensity: `iso` below the least `STEP`.

    That is the least by which the synthesiser lets a part of an unknown contrast stand out.
    """
    if abs(step) < STEP[0]:
        return ISO
    return HYPER if step > 0 else HYPO
