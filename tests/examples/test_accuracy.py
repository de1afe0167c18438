import runpy

import pytest

from medprompt_cli.evaluation.schemes import SCHEMES


@pytest.fixture(scope="module")
def script(repository):
    return runpy.run_path(str(repository / "examples/benchmarks/accuracy.py"))


def test_the_table_goes_between_the_marks_and_nowhere_else(script):
    page = f"before\n{script['START']}\nold\n{script['END']}\nafter\n"

    new = script["between_marks"](page, "\nnew table\n\n")

    assert new == f"before\n{script['START']}\nnew table\n{script['END']}\nafter\n"
    assert script["between_marks"](new, "new table") == new


def test_a_page_without_marks_is_refused(script):
    with pytest.raises(ValueError, match="The page has no <!-- accuracy:start -->"):
        script["between_marks"]("before\nafter\n", "table")


def test_the_readme_has_a_place_for_it(script, repository):
    page = (repository / "README.md").read_text(encoding="utf-8")

    assert page.count(script["START"]) == page.count(script["END"]) == 1


def test_the_heading_names_weights_machine_and_command(script, tmp_path):
    description = tmp_path / "cpuinfo"
    description.write_text("processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n")

    assert script["processor"](description) == "Some CPU @ 2 GHz"
    heading = script["heading"]("tiny 1.0", "cpu", tmp_path.relative_to(tmp_path.parent))
    assert heading.startswith("Weights tiny 1.0, ")
    assert heading.endswith(f"By `{script['COMMAND']} {tmp_path.name}`:")


@pytest.mark.shared
def test_every_scan_it_names_is_there(repository, shared_data):
    from medprompt_cli.evaluation.cases import read_cases

    cases = read_cases(repository / "examples/benchmarks/accuracy.tsv", shared_data)

    assert [case.group for case in cases].count("manual") == 6
    for case in cases:
        assert case.scheme in SCHEMES.values()
        for path in (case.image, case.truth, case.brain):
            assert path is None or path.is_file()
