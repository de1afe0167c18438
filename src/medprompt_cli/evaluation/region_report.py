"""Tables of lesions, and of parcels and lobes, as Markdown for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from medprompt_cli.domain.anatomy import LESIONS
from medprompt_cli.domain.parcels import DKT31, LOBES
from medprompt_cli.evaluation.masks import mean
from medprompt_cli.evaluation.overlap import bootstrap_interval
from medprompt_cli.evaluation.pooled import CLASS_QUANTITIES
from medprompt_cli.evaluation.report import NOTHING, By, table_line
from medprompt_cli.evaluation.scores import Quantity, Score

LESION_COLUMNS: dict[Quantity, tuple[str, str]] = {
    "true_ml": ("True mL", ".2f"),
    "dice": ("Dice", ".3f"),
    "hd95_mm": ("95 % Hausdorff (mm)", ".1f"),
    "volume_bias_pct": ("Volume, % above the truth", "+.0f"),
    "lesions_true": ("True lesions", ".0f"),
    "lesions_predicted": ("Predicted lesions", ".0f"),
    "lesion_precision": ("Lesion precision", ".2f"),
    "lesion_recall": ("Lesion recall", ".2f"),
    "lesion_f1": ("Lesion F1", ".2f"),
}
"""Heading and format of the columns of the lesion table."""

CLASS_HEADINGS: dict[Quantity, str] = {
    "n_acc": "N-Acc",
    "lesion_recall": "Lesion recall",
    "giou": "gIoU",
    "ciou": "cIoU",
}

NOT_VISIBLE = "not visible"
MEAN_OF_PARCELS = "mean of the parcels"


def lesion_table(scans: Iterable[Sequence[Score]], by: By = "group") -> str:
    """A line for each group, or scan, and lesion that its truth holds.

    A group of several scans shows means, with the bootstrap interval of the Dice. Empty
    without such a lesion.

    Args:
        scans: The scores of each scan.
        by: Whether a line is a group of scans or one scan.
    """
    rows: dict[tuple[str, str], dict[Quantity, list[Score]]] = {}
    for one in (one for scores in scans for one in scores):
        if one.region in LESIONS:
            title = one.group if by == "group" else one.scan or ""
            row = rows.setdefault((title, one.region), {})
            row.setdefault(one.quantity, []).append(one)
    lines = [
        table_line([_counted(title, row), region, *(_cell(row, q) for q in LESION_COLUMNS)])
        for (title, region), row in rows.items()
        if _has_truth(row)
    ]
    heads = ["Scan", "Lesion", *(heading for heading, _ in LESION_COLUMNS.values())]
    rule = ["---", "---", *["--:"] * len(LESION_COLUMNS)]
    return "\n".join([table_line(heads), table_line(rule), *lines, ""]) if lines else ""


def _has_truth(row: dict[Quantity, list[Score]]) -> bool:
    return any(one.value or one.status == "not_visible" for one in row["true_ml"])


def _counted(title: str, row: dict[Quantity, list[Score]]) -> str:
    count = len(row["true_ml"])
    return title if count == 1 else f"{title} (n = {count})"


def _cell(row: dict[Quantity, list[Score]], quantity: Quantity) -> str:
    scores = row.get(quantity, [])
    if scores and all(one.status == "not_visible" for one in scores):
        return NOT_VISIBLE
    values = [one.value for one in scores if one.value is not None]
    middle, form = mean(values), LESION_COLUMNS[quantity][1]
    if middle is None:
        return NOTHING
    text = format(middle, form)
    interval = bootstrap_interval(values) if quantity == "dice" else None
    return (
        text if interval is None else f"{text} ({interval[0]:{form}} to {interval[1]:{form}})"
    )


def class_table(pooled: Iterable[Score]) -> str:
    """A line for each class of lesion, with what `pool` made of all scans; or nothing."""
    rows: dict[str, dict[Quantity, Score]] = {}
    for one in pooled:
        rows.setdefault(one.region, {})[one.quantity] = one
    if not rows:
        return ""
    heads = ["Lesion", *(CLASS_HEADINGS[quantity] for quantity in CLASS_QUANTITIES)]
    lines = [table_line(heads), table_line(["---", *["--:"] * len(CLASS_QUANTITIES)])]
    for region, row in rows.items():
        lines.append(table_line([region, *(_pooled(row[q]) for q in CLASS_QUANTITIES)]))
    return "\n".join([*lines, ""])


def _pooled(one: Score) -> str:
    if one.value is None:
        return NOT_VISIBLE if one.status == "not_visible" else NOTHING
    spread = "" if one.low is None else f" ({one.low:.2f} to {one.high:.2f})"
    return f"{one.value:.2f}{spread}, n = {one.n}"


def parcel_table(scans: Iterable[Sequence[Score]]) -> str:
    """Mean Dice of every cortical parcel and lobe: sides and scans averaged; or nothing."""
    kinds: dict[str, list[Score]] = {kind: [] for kind in (*LOBES, *sorted(DKT31.values()))}
    for one in (one for scores in scans for one in scores):
        kind = one.region.partition("-")[2]
        if one.quantity == "dice" and kind in kinds:
            kinds[kind].append(one)
    if not any(kinds.values()):
        return ""
    parcels = [one for kind in DKT31.values() for one in kinds[kind]]
    rows = {**kinds, MEAN_OF_PARCELS: parcels}
    lines = [table_line(["Parcel or lobe", "Dice"]), table_line(["---", "--:"])]
    lines += [table_line([name, _parcel(scores)]) for name, scores in rows.items()]
    return "\n".join([*lines, ""])


def _parcel(scores: Sequence[Score]) -> str:
    if scores and all(one.status == "not_visible" for one in scores):
        return NOT_VISIBLE
    value = mean(one.value for one in scores)
    return NOTHING if value is None else f"{value:.3f}"
