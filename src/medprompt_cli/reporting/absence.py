"""That a region is not there, and how small a lesion may be there all the same."""

from __future__ import annotations

from medprompt_cli.reporting.facts import NumberFact
from medprompt_cli.reporting.names import name_of
from medprompt_cli.reporting.report import Language
from medprompt_cli.reporting.wording import with_unit


def absence(number: NumberFact, language: Language) -> str:
    """A region that is not there, in one sentence.

    Args:
        number: Its volume, absent.
        language: To be said in.
    """
    name, limit = name_of(number.region, language), number.detection_limit_ml
    korean, certainty = language == "ko", number.certainty
    words = (certainty.korean if korean else certainty.english) if certainty else ""
    sure = f" ({words})" if words else ""
    if limit is None:
        return f"{name} 없음{sure}." if korean else f"No {name}{sure}."
    least = with_unit(limit, "mL")
    if korean:
        return f"{least} 이상의 {name} 없음{sure}; 더 작은 것은 있어도 보이지 않을 수 있음."
    return f"No {name} of {least} or more{sure}; smaller ones may be there and not be seen."
