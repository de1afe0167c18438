from types import SimpleNamespace

import pytest

from medprompt_cli.domain.anatomy import LESIONS
from medprompt_cli.evaluation.cases import Judged, distinct, read_cases
from medprompt_cli.evaluation.pooled import pool
from medprompt_cli.evaluation.schemes import SCHEMES, find_scheme
from medprompt_cli.evaluation.scores import Score


@pytest.fixture
def common(benchmark_module):
    return benchmark_module("common")


@pytest.fixture
def script(benchmark_module):
    return benchmark_module("accuracy")


def test_the_table_goes_between_the_marks_and_nowhere_else(common):
    start, end = common.marks("accuracy")
    page = f"before\n{start}\nold\n{end}\nafter\n"

    new = common.between_marks(page, "\nnew table\n\n", (start, end))

    assert new == f"before\n{start}\nnew table\n{end}\nafter\n"
    assert common.between_marks(new, "new table", (start, end)) == new


def test_nothing_is_written_to_a_page_that_lacks_a_mark(common, tmp_path):
    page = tmp_path / "README.md"
    start, end = common.marks("accuracy")
    page.write_text(f"{start}\nold\n{end}\n")

    with pytest.raises(ValueError, match="The page has no <!-- lesions:start -->"):
        common.write_texts(page, {"accuracy": "new", "lesions": "new"})

    assert page.read_text() == f"{start}\nold\n{end}\n"


@pytest.mark.parametrize(
    "name", ["accuracy", "lesions", "parcels", "brain", "robustness", "retest"]
)
def test_the_readme_has_a_place_for_every_table(common, repository, name):
    page = (repository / "README.md").read_text(encoding="utf-8")

    start, end = common.marks(name)
    assert page.count(start) == page.count(end) == 1
    assert page.index(start) < page.index(end)


def test_the_heading_names_weights_machine_and_command(common, tmp_path):
    description = tmp_path / "cpuinfo"
    description.write_text("processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n")
    segmenter = SimpleNamespace(weights_name="tiny", weights_version="1.0", device_name="cpu")

    assert common.processor(description) == "Some CPU @ 2 GHz"
    heading = common.heading(segmenter, "accuracy.py scans")
    assert heading.startswith("Weights tiny 1.0, ")
    assert heading.endswith(", device cpu. By `python examples/benchmarks/accuracy.py scans`:")


def test_only_what_the_weights_see_is_asked_for(common):
    asked = []
    segmenter = SimpleNamespace(segment=lambda volumes, targets: asked.append(targets))

    common.Eyes(segmenter)(["image"], ["left hippocampus", "brain", "tumor"])

    (targets,) = asked
    assert all(target.visible for target in targets)
    assert [target.name for target in targets][:2] == ["left-hippocampus", "brain"]


def test_an_unknown_scan_is_refused_with_those_there_are(common):
    cases = [Judged(name, name, SCHEMES["freesurfer"]) for name in ("one", "two")]

    assert [case.name for case in common.chosen(cases, ["two"])] == ["two"]
    assert common.chosen(cases, []) == cases
    with pytest.raises(SystemExit, match="There is no scan 'three'; there are one, two"):
        common.chosen(cases, ["three"])


def test_tables_that_no_scan_is_about_are_left_out(script):
    case = Judged("a", "ms", find_scheme("ms-lesion"))
    scores = [
        Score("a", "ms", "ms-lesion", quantity, 1.0, "measured")
        for quantity in ("true_ml", "predicted_ml", "shared_ml", "dice")
    ]

    found = script.tables([case], [scores], pool([scores], {"a"}))

    assert list(found) == ["lesions"]
    assert "| ms | ms-lesion | 1.00 | 1.000 |" in found["lesions"]
    assert "| ms-lesion | - | - | 1.00, n = 1 | 1.00, n = 1 |" in found["lesions"]


@pytest.fixture
def cases(repository, tmp_path):
    return read_cases(repository / "examples/benchmarks/accuracy.tsv", tmp_path)


def test_every_healthy_scan_is_searched_for_every_lesion(cases):
    healthy = [case for case in cases if case.absent]

    assert len(healthy) == 10
    assert {case.absent for case in healthy} == {LESIONS}
    assert {case.name for case in healthy} <= distinct(cases)


def test_a_scan_with_lesions_counts_once(cases):
    with_lesions = [case for case in cases if set(case.targets) & set(LESIONS)]

    assert [case.name for case in with_lesions if case.name in distinct(cases)] == [
        *("ms-flair-t1", "glioma-1", "glioma-2", "tcga", "stroke")
    ]


@pytest.mark.shared
def test_every_file_it_names_is_there(repository, shared_data):
    cases = read_cases(repository / "examples/benchmarks/accuracy.tsv", shared_data)

    assert [case.group for case in cases].count("manual") == 6
    for case in cases:
        for path in (*case.images, case.truth, case.brain):
            assert path is None or path.is_file()
