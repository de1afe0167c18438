from medprompt_cli.evaluation.pooled import pool
from medprompt_cli.evaluation.region_report import class_table, lesion_table, parcel_table
from medprompt_cli.evaluation.scores import Quantity, Score, status_of


def scores(scan, group, region, values: dict[Quantity, float | None]):
    return [
        Score(scan, group, region, quantity, value, status_of(value, there=True))
        for quantity, value in values.items()
    ]


def tumor(scan, dice):
    values: dict[Quantity, float | None] = {
        "true_ml": 10.0,
        "predicted_ml": 8.0,
        "shared_ml": 5.0,
        "dice": dice,
        "hd95_mm": 7.25,
        "volume_bias_pct": -20.0,
        "lesions_true": 2,
        "lesions_predicted": 3,
        "lesion_precision": 1 / 3,
        "lesion_recall": 0.5,
        "lesion_f1": 0.4,
    }
    return scores(scan, "glioma", "tumor", values)


def healthy(scan, region, predicted_ml):
    values: dict[Quantity, float | None] = {
        "true_ml": 0.0,
        "predicted_ml": predicted_ml,
        "shared_ml": 0.0,
    }
    return scores(scan, "healthy", region, values)


def cells(table, row):
    return [
        [cell.strip() for cell in line.strip("|").split("|")][1:]
        for line in table.splitlines()
        if line.startswith(f"| {row} |")
    ]


def test_a_line_is_a_group_and_a_lesion():
    table = lesion_table([tumor("a", 0.6), tumor("b", 0.8)])

    assert table.splitlines()[0].split(" | ")[:5] == [
        "| Scan", "Lesion", "True mL", "Dice", "95 % Hausdorff (mm)"
    ]  # fmt: skip
    assert cells(table, "glioma (n = 2)") == [
        [
            "tumor",
            "10.00",
            "0.700 (0.600 to 0.800)",
            "7.2",
            "-20",
            "2",
            "3",
            "0.33",
            "0.50",
            "0.40",
        ]
    ]


def test_a_line_can_be_a_scan():
    table = lesion_table([tumor("a", 0.6), tumor("b", None)], "scan")

    assert cells(table, "a")[0][2] == "0.600"
    assert cells(table, "b")[0][2] == "-"


def test_lesions_that_no_truth_holds_have_no_line():
    spurious = healthy("c", "cyst", 1.0)

    assert lesion_table([spurious]) == ""
    assert "cyst" not in lesion_table([spurious, tumor("a", 0.5)])


def test_what_the_weights_cannot_see_is_said_to_be_so():
    quantities: tuple[Quantity, ...] = ("true_ml", "dice", "predicted_ml", "shared_ml")
    hidden = [Score("a", "ms", "ms-lesion", each, None, "not_visible") for each in quantities]

    assert cells(lesion_table([hidden]), "ms")[0][:3] == ["ms-lesion", *["not visible"] * 2]
    assert cells(class_table(pool([hidden], {"a"})), "ms-lesion") == [["not visible"] * 4]


def test_a_class_has_its_intervals_and_numbers_of_scans():
    others = [healthy("b", "tumor", 0.0), healthy("c", "tumor", 0.1)]

    table = class_table(pool([tumor("a", 0.6), *others], {"a", "b", "c"}))

    assert table.splitlines()[0] == "| Lesion | N-Acc | Lesion recall | gIoU | cIoU |"
    (line,) = cells(table, "tumor")
    assert line[0] == "0.50 (0.00 to 1.00), n = 2"
    assert line[1] == "0.50, n = 1"
    assert line[2].startswith("0.46 (")  # (5 / 13 + 1 + 0) / 3
    assert line[3].endswith(", n = 3")


def test_without_lesions_there_is_no_table():
    assert class_table([]) == ""
    assert parcel_table([tumor("a", 0.5)]) == ""


def test_sides_of_a_parcel_are_averaged_and_parcels_too():
    dice = {
        "left-insula": 0.5,
        "right-insula": 0.7,
        "left-cuneus": 0.9,
        "left-occipital-lobe": 0.95,
    }
    found = [
        Score("a", "g", region, "dice", value, "measured") for region, value in dice.items()
    ]

    table = parcel_table([found])

    assert cells(table, "insula") == [["0.600"]]
    assert cells(table, "occipital-lobe") == [["0.950"]]
    assert cells(table, "precentral") == [["-"]]
    assert cells(table, "mean of the parcels") == [["0.700"]]  # a lobe is no parcel
