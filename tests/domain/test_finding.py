"""A finding has a value and a probability if, and only if, it was measured."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

from medprompt_cli.domain.finding import EVIDENCE_UNITS, Evidence, Finding
from medprompt_cli.domain.measurement import STATUSES, UNITS
from medprompt_cli.errors import InputError


def test_what_was_found_carries_its_numbers():
    z = Evidence(np.float64(2.5), "1")

    found = Finding("ms-lesion", "signal", "hyper", np.float64(0.95), evidence={"z": z})

    assert (found.value, found.status, found.number("z")) == ("hyper", "measured", 2.5)
    assert type(found.probability) is type(found.number("z")) is float
    assert found.number("adc") is None
    assert found.certainty is not None
    assert found.certainty.english == "definitely"
    assert found.of_instance(3).instance == 3
    assert pickle.loads(pickle.dumps(found)) == found
    assert len({found, found.of_instance(3)}) == 2


@pytest.mark.parametrize("status", [s for s in STATUSES if s != "measured"])
def test_what_was_not_found_has_none(status):
    missing = Finding.missing("lesion", "lobe", status, {"n": Evidence(3, "1")}, ("Why.",))

    assert (missing.value, missing.probability, missing.certainty) == (None, None, None)
    assert (missing.status, missing.number("n"), missing.notes) == (status, 3.0, ("Why.",))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"status": "done"}, "has status 'done'"),
        ({"status": "absent"}, "has status absent, value hyper and probability 0.9"),
        ({"value": None}, "has status measured, value None and probability 0.9"),
        ({"probability": None}, "has status measured, value hyper and probability None"),
        ({"probability": 1.5}, "has probability 1.5"),
        ({"probability": math.nan}, "has probability nan"),
        ({"evidence": {"z": Evidence(1, "volt")}}, "rests on z in 'volt'"),
        ({"evidence": {"z": Evidence(math.inf, "1")}}, "rests on z inf"),
    ],
)
def test_what_contradicts_itself_is_refused(given, said):
    whole = {"region": "lesion", "feature": "signal", "value": "hyper", "probability": 0.9}

    with pytest.raises(InputError, match=f"^The signal of lesion {said}") as caught:
        Finding(**{**whole, **given})

    assert caught.value.code == "bad-finding"


def test_evidence_may_have_every_unit_of_a_measurement():
    assert EVIDENCE_UNITS.keys() > UNITS.keys()
