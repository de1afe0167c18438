"""English words of instructions and answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from medprompt_cli.domain.instruction import Form


class Noun(NamedTuple):
    """A lesion's name.

    Attributes:
        one: One of it, or all of what is not counted.
        many: Several; None of what is not counted.
        article: Before one of it.
    """

    one: str
    many: str | None
    article: str = "a"


NOUNS: Mapping[str, Noun] = {
    "lesion": Noun("lesion", "lesions"),
    "white-matter-hyperintensity": Noun(
        "white matter hyperintensity", "white matter hyperintensities"
    ),
    "ms-lesion": Noun("MS lesion", "MS lesions", "an"),
    "tumor": Noun("tumor", "tumors"),
    "tumor-core": Noun("tumor core", "tumor cores"),
    "enhancing-tumor": Noun("enhancing tumor", None),
    "edema": Noun("edema", None),
    "infarct": Noun("infarct", "infarcts", "an"),
    "hemorrhage": Noun("hemorrhage", "hemorrhages"),
    "cyst": Noun("cyst", "cysts"),
    "metastasis": Noun("metastasis", "metastases"),
    "meningioma": Noun("meningioma", "meningiomas"),
    "resection-cavity": Noun("resection cavity", "resection cavities"),
    "necrosis": Noun("necrosis", None),
}

_SIDED: Mapping[str, str] = {
    "hemisphere": "in the {} hemisphere",
    "frontal-lobe": "in the {} frontal lobe",
    "parietal-lobe": "in the {} parietal lobe",
    "temporal-lobe": "in the {} temporal lobe",
    "occipital-lobe": "in the {} occipital lobe",
    "insula": "in the {} insula",
    "cingulate": "in the {} cingulate gyrus",
    "cerebral-white-matter": "in the {} cerebral white matter",
    "thalamus": "in the {} thalamus",
    "basal-ganglia": "in the {} basal ganglia",
    "cerebellum": "in the {} cerebellum",
}
PLACE_PHRASES: Mapping[str, str] = {
    **{
        f"{side}-{name}": words.format(side)
        for name, words in _SIDED.items()
        for side in ("left", "right")
    },
    "brainstem": "in the brainstem",
}

TEMPLATES: Mapping[Form, tuple[str, ...]] = {
    "basic": (
        "Segment the {one} {place}.",
        "Outline the {many} {place}.",
        "Please mark {every} {place}.",
        "Is there {any} {one} {place}? If so, segment it.",
        "Delineate all {many} {place}.",
        "I need a mask of the {many} {place}.",
    ),
    "global": (
        "Segment the {one}.",
        "Outline all {many} in this scan.",
        "Please mark {every}.",
        "Is there {any} {one}? If so, segment it.",
        "Delineate the {many} of this patient.",
        "I need a mask of the {many}.",
    ),
    "lesion_inference": (
        "Segment the lesion and say what it is.",
        "Outline whatever is abnormal in this scan.",
        "What kind of lesion is this? Segment it.",
        "Mark the pathology and name it.",
        "Segment the lesion. Which disease is it?",
        "Find the abnormality and outline it.",
    ),
}
"""How an instruction is worded; the same words whether the target is there or not."""
