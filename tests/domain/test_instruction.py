from dataclasses import replace

import pytest

from medprompt_cli.domain.instruction import Instruction
from medprompt_cli.errors import InputError

PAIR = Instruction(
    pair_id="a",
    type="basic",
    form="basic",
    language="en",
    instruction="Segment the tumor in the brainstem.",
    answer="[SEG] There is one tumor in the brainstem.",
    asked="tumor",
    target="tumor",
    place="brainstem",
    participant_id="sub-01",
    session_id=None,
    case="sub-01_FLAIR",
    images=("bids:source:sub-01/anat/sub-01_FLAIR.nii.gz",),
    truth=(),
    pieces=1,
    volume_ml=2.5,
    mask="mask.nii.gz",
)
NOTHING = {"type": "absence", "pieces": 0, "volume_ml": 0.0, "mask": None}


def test_what_is_absent_has_neither_mask_nor_volume():
    assert replace(PAIR, **NOTHING).place == "brainstem"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"type": "global"}, "is of type global and form basic"),
        ({"place": None}, "is basic with place None"),
        ({"form": "global", "type": "global"}, "is global with place 'brainstem'"),
        ({"mask": None}, "is of type basic with mask None"),
        ({**NOTHING, "mask": "mask.nii.gz"}, "is of type absence with mask 'mask.nii.gz'"),
        ({**NOTHING, "volume_ml": 1.0}, "is of type absence with 0 pieces of 1.0 mL"),
        ({"pieces": 0}, "is of type basic with 0 pieces of 2.5 mL"),
        ({"language": "de"}, "has language 'de'"),
        ({"images": ()}, "names no image"),
    ],
)
def test_what_does_not_go_together_is_refused(change, said):
    with pytest.raises(InputError, match=f"^The pair 'a' {said}.$"):
        replace(PAIR, **change)
