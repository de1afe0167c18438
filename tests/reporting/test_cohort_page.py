"""A cohort's page: what is there, what stands out and why, and ratings that can be kept."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pytest

from medprompt_cli.reporting.cohort_page import CohortCase, cohort_page
from medprompt_cli.reporting.strips import ranges, strip

REGIONS = ("left-hippocampus", "lesion")


def cohort(count=24, *, far=3):
    """Scans whose hippocampi are alike but for one, and whose lesions are not."""
    cases, rows = [], []
    for number in range(count):
        name = f"sub-{number + 1:02d}_ses-01_T1w"
        page = f"sub-{number + 1:02d}.html"
        cases.append(CohortCase.named(name, "done", page=page))
        for region in REGIONS:
            usual = 4.0 * 1.01 ** ((number * 7) % 11 - 5)
            value = 1.0 if number == far and region == "left-hippocampus" else usual
            value = 10.0 ** (number % 5) if region == "lesion" else value
            qc = ("review", "uncertain") if number == far else ("pass", None)
            rows.append((name, region, "soft-volume", value, "mL", *qc))
    names = ("case", "region", "quantity", "value", "unit", "qc", "qc_reasons")
    columns = list(zip(*rows, strict=True))
    return cases, pa.table(dict(zip(names, map(list, columns), strict=True)))


def match(pattern, text):
    found = re.search(pattern, text, re.DOTALL)
    assert found is not None, pattern
    return found


def section(text, name):
    return match(rf'<section id="{name}">(.*?)</section>', text)[1]


def test_names_say_what_they_are_of():
    case = CohortCase.named("data/sub-a1_ses-02_acq-hi_FLAIR.nii.gz", "failed")

    assert (case.subject, case.session, case.kind) == ("sub-a1", "ses-02", "FLAIR")
    assert CohortCase.named("strange image.nii", "failed").subject == ""


def test_an_outlier_is_listed_with_its_reason():
    cases, table = cohort()
    rows = re.findall(
        r"<tr><td>(.*?)</tr>", section(cohort_page("c", cases, table), "outliers")
    )

    assert len(rows) == 1
    assert rows[0].startswith(
        '<a href="sub-04.html">sub-04_ses-01_T1w</a></td><td>left hippocampus'
    )
    assert re.search(
        r"soft volume of 1 mL, below the 3\.\d+ to 4\.\d+ mL of 24 T1w scans", rows[0]
    )
    assert "review: uncertain" in rows[0]
    z = float(match(r">(-[\d.]+)<", rows[0])[1])
    usual = np.log(4.0) + np.log(1.01) * np.array(
        [(n * 7) % 11 - 5 for n in range(24) if n != 3]
    )
    logs = np.append(usual, 0.0)
    spread = 1.4826 * np.median(np.abs(logs - np.median(logs)))
    assert z == pytest.approx(-np.median(logs) / spread, abs=0.06)


def test_few_scans_have_no_outliers():
    cases, table = cohort(9)

    assert "None." in section(cohort_page("c", cases, table), "outliers")


def test_the_matrix_has_a_cell_for_every_scan_and_none_for_what_is_not_there():
    cases = [
        CohortCase.named("sub-01_ses-01_T1w", "done", page="sub-01.html"),
        CohortCase.named("sub-01_ses-02_FLAIR", "failed", cause="Broken.", remedy="Mend it."),
        CohortCase.named("sub-02_ses-01_T1w", "todo"),
        CohortCase.named("sub-02_ses-02_T1w", "stale"),
    ]
    text = section(cohort_page("c", cases, cohort(1)[1]), "complete")
    head = re.findall(r'<th scope="col">(.*?)</th>', text)
    rows = [re.findall(r"<td>(.*?)</td>", row) for row in text.split("<tr>")[2:]]

    assert head == ["subject", "ses-01<br>T1w", "ses-02<br>FLAIR", "ses-02<br>T1w"]
    assert rows[0][0] == '<a href="sub-01.html">sub-01</a>'
    assert [re.sub("<.*?>", "", cell) for cell in rows[0][1:]] == ["✓", "✕", ""]
    assert [re.sub("<.*?>", "", cell) for cell in rows[1][1:]] == ["·", "", "↻"]


def test_failures_stand_together_by_what_helps():
    cases = [
        CohortCase.named(f"sub-{n:02d}_T1w", "failed", cause=f"{n} is cut.", remedy="Copy it.")
        for n in range(3)
    ]
    cases.append(
        CohortCase.named("x<y>.nii", "failed", cause="Is <b>empty</b>.", remedy="Redo.")
    )
    text = section(cohort_page("c", cases, cohort(1)[1]), "failures")

    assert re.findall(r"<summary><b>(\d+)</b> (scans?):", text) == [
        ("3", "scans"),
        ("1", "scan"),
    ]
    assert "2 is cut." in text
    assert "Is &lt;b&gt;empty&lt;/b&gt;." in text
    assert "<y>" not in text


def test_a_point_stands_where_its_value_is():
    values = [(0, "a", 1.0), (1, "b", 2.0), (3, "c", 3.0), (4, "d", 9.0)]
    found = strip("title", values, (0.5, 4.0), {"d": "d.html"})
    xs = [float(x) for x in re.findall(r"M([\d.]+) ", found.plot)]

    assert (xs[1] - xs[0]) == pytest.approx(xs[2] - xs[1], abs=0.11)
    assert (xs[3] - xs[0]) == pytest.approx(8 * (xs[1] - xs[0]), abs=0.5)
    assert 'data-cases="0-1 3-4"' in found.plot
    assert 'data-values="1 2 3 9"' in found.plot
    assert (found.scans, found.far) == (4, 1)
    assert f'<a href="d.html"><circle cx="{xs[3]}"' in found.plot
    assert ranges([]) == ""


@pytest.mark.slow
def test_it_rates_downloads_and_leads_to_subjects(open_page, tmp_path):
    cases, table = cohort()
    path = tmp_path / "index.html"
    path.write_text(cohort_page("a cohort", cases, table), encoding="utf-8")
    (tmp_path / "sub-04.html").write_text("<title>four</title>", encoding="utf-8")
    (tmp_path / "sub-01.html").write_text("<title>one</title>", encoding="utf-8")
    opened = open_page(path)
    page = opened.page
    rows = page.locator("#cases tbody tr")
    rows.nth(0).locator("button.pass").click()
    rows.nth(3).locator("button.fail").click()
    rows.nth(3).locator("input").fill("left is\tright")
    rows.nth(3).locator("input").press("Tab")
    rows.nth(5).locator("button.pass").click()
    rows.nth(5).locator("button.pass").click()  # taken back

    assert page.inner_text("#rated") == "2 of 24 rated"
    with page.expect_download() as download:
        page.locator("#save").click()
    assert download.value.suggested_filename == "ratings.tsv"
    saved = tmp_path / "saved.tsv"
    download.value.save_as(saved)
    assert [line.split("\t") for line in saved.read_text().splitlines()] == [
        ["participant_id", "session_id", "case", "rating", "comment"],
        ["sub-01", "ses-01", "sub-01_ses-01_T1w", "pass", "n/a"],
        ["sub-04", "ses-01", "sub-04_ses-01_T1w", "fail", "left is right"],
    ]
    page.locator("#find").fill("sub-2")
    assert page.locator("#cases tbody tr:visible").count() == 5
    page.screenshot(path=tmp_path / "cohort.png")
    page.reload()
    assert page.inner_text("#rated") == "2 of 24 rated"

    plot = page.locator("svg.strip").first
    plot.scroll_into_view_if_needed()
    x, y = map(
        float, match(r"M([\d.]+) ([\d.]+)", plot.locator("path").get_attribute("d")).groups()
    )
    box = plot.bounding_box()
    scale = box["width"] / 640
    page.mouse.move(box["x"] + x * scale, box["y"] + y * scale)
    assert page.inner_text("#point") == "sub-01_ses-01_T1w: 3.806"
    page.mouse.click(box["x"] + x * scale, box["y"] + y * scale)
    page.wait_for_url("**/sub-01.html")
    page.go_back()
    page.locator("svg.strip a").first.click()
    page.wait_for_url("**/sub-04.html")
    assert opened.said == []
    assert {address.rpartition("/")[2] for address in opened.asked} <= {
        "index.html",
        "sub-01.html",
        "sub-04.html",
    }
