"""The benchmark of pages: a made-up cohort of 2,000 sessions, and a subject it is given."""

from __future__ import annotations

import re

import pytest

from medprompt_cli.reporting.cohort_page import cohort_page

TEN_MB = 10_000_000


@pytest.fixture
def script(benchmark_module):
    return benchmark_module("pages")


@pytest.mark.slow
def test_two_thousand_sessions_stay_under_ten_megabytes(script):
    cases, table = script.cohort_of(2000)
    page = cohort_page("made-up", cases, table)

    assert len(cases) == 2000
    assert sum(case.state == "failed" for case in cases) == 40
    assert table.num_rows > 1900 * 90
    assert len(page.encode()) < TEN_MB
    assert page.count('<svg class="strip"') == table.num_rows // 1960


def test_regions_that_were_moved_far_off_are_found(script):
    cases, table = script.cohort_of(300)
    page = cohort_page("made-up", cases, table)
    listed = re.findall(r'<td class="n">([+-][\d.]+)</td>', page)

    # a factor of 3 is 11 standard deviations of 10 %, beside the scan's own deviation; the
    # rest of 29,100 volumes stays below five
    assert all(float(z) > 6.5 for z in listed[:3])
    assert all(abs(float(z)) < 6.5 for z in listed[3:])


def test_a_run_prints_times_and_sizes(script, capsys, tmp_path):
    script.main(sessions=20, keep=tmp_path)

    said = capsys.readouterr().out
    assert re.search(r"page of 20 sessions, \d+ volumes: \d+\.\d\d s \(\d+\.\d\d s\)", said)
    assert re.search(r"index\.html: \d+\.\d MB", said)
    assert (tmp_path / "index.html").is_file()
