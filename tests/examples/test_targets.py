"""The cost of many targets: what is asked for, and what the table says of it."""

from __future__ import annotations

import pytest
import torch

from medprompt_cli.domain.anatomy import BASE_NAMES


@pytest.fixture
def script(benchmark_module):
    return benchmark_module("targets")


def test_one_target_the_base_structures_and_everything(script):
    one, base, everything = script.requests().values()

    assert [target.name for target in one] == ["left-hippocampus"]
    assert [target.name for target in base] == list(BASE_NAMES)
    assert set(base) < set(everything)
    assert all(target.visible for target in everything)


def test_the_table_compares_medians_with_the_first(script):
    seconds = {"one": [2.0, 2.1, 9.0], "many": [2.5, 2.0, 2.3]}

    assert script.table(seconds, {"one": 1, "many": 32}).splitlines()[2:] == [
        "| one | 1 | 2.10 | 2.00 to 9.00 | 1.00 |",
        "| many | 32 | 2.30 | 2.00 to 2.50 | 1.10 |",
    ]


@pytest.mark.parametrize(("many", "said"), [(2.6, ": kept."), (2.7, ": not kept.")])
def test_the_promise_is_kept_or_not(script, many, said):
    assert script.verdict({"one": [2.0], "many": [many], "all": [9.0]}).endswith(said)


def test_runs_take_turns_after_one_to_warm_up(benchmark_module):
    stopwatch = benchmark_module("stopwatch")
    done = []
    actions = {"a": lambda: done.append("a"), "b": lambda: done.append("b")}

    seconds = stopwatch.interleaved(actions, 2, torch.device("cpu"))

    assert "".join(done) == "ababab"
    assert [len(values) for values in seconds.values()] == [2, 2]


def test_a_run_writes_what_it_prints(
    script, threshold_segmenter, save_scan, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(script, "Segmenter", lambda **_: threshold_segmenter)
    scan = save_scan(tmp_path / "scan.nii", "left-hippocampus")
    page = tmp_path / "README.md"
    page.write_text("a\n<!-- cost-targets:start -->\nold\n<!-- cost-targets:end -->\nb\n")

    threads = torch.get_num_threads()
    script.main(scan, 1, threads, "cpu", None, page)

    printed = capsys.readouterr().out.strip()
    start, end = "<!-- cost-targets:start -->", "<!-- cost-targets:end -->"
    assert page.read_text() == f"a\n{start}\n{printed}\n{end}\nb\n"
    assert len(threshold_segmenter.seen) == 6  # three requests, once more to warm up
    assert f"12 x 14 x 10 voxels, threads: {threads}, median of 1." in printed


def test_the_readme_has_a_place_for_it(repository):
    page = (repository / "README.md").read_text(encoding="utf-8")

    for mark in ("<!-- cost-targets:start -->", "<!-- cost-targets:end -->"):
        assert page.count(mark) == 1
