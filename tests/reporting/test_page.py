"""A subject's page: whole in itself, true to its facts, and closed to what is no markup."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from medprompt_cli.reporting import page as pages
from medprompt_cli.reporting.courses import course_plots
from medprompt_cli.reporting.gathering import Tables, gather
from medprompt_cli.reporting.niivue import find_bundle
from medprompt_cli.reporting.page import subject_page
from medprompt_cli.reporting.report import Language, Report, Section, Sentence

PROVENANCE = {
    "prompts": ("all", "lesion"),
    "plan_hash": "ab" * 32,
    "weights": {"Name": "test", "SHA256": "cd" * 32},
}
NASTY = """</script><script>alert("'x'")</script><img src=x onerror='y'>"""


def report_of(facts, *, language: Language = "en", sentences=None, provenance=PROVENANCE):
    said = sentences or [Sentence("Left hippocampus: measured.", tuple(facts.rows)[:3])]
    sections = (Section("Structures", tuple(said)),)
    return Report(facts.subject, language, "global", sections, facts, provenance)


def match(pattern, text):
    found = re.search(pattern, text, re.DOTALL)
    assert found is not None, pattern
    return found


class Seen(HTMLParser):
    """What a browser makes of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.ids, self.links, self.text = Counter(), [], [], []
        self.loaded, self.handlers = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name == "href" and tag == "a":
                self.links.append(value)
            if name in {"src", "href", "action"} and tag != "a":
                self.loaded.append(value)
            if name.startswith("on"):
                self.handlers.append(value)

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture
def two_visits(heads):
    return [heads.make(), heads.make(name="sub-01_ses-02_T1w", visit="ses-02")]


@pytest.fixture
def built(heads, two_visits):
    facts = heads.facts(*two_visits)
    sentences = [Sentence("All of it.", tuple(facts.rows)), Sentence("A caveat.")]
    return subject_page(report_of(facts, sentences=sentences), two_visits)


def test_it_opens_with_what_it_is_not(built):
    body = built.partition("<body>")[2]

    assert body.lstrip().startswith('<p class="research"')
    assert "For research only. Not a medical device." in body


def test_every_link_within_leads_somewhere_and_every_name_is_once(built):
    seen = Seen(built)

    assert max(Counter(seen.ids).values()) == 1
    assert {link for link in seen.links if link.startswith("#")} <= {f"#{i}" for i in seen.ids}
    assert [link for link in seen.links if not link.startswith("#")] == ["index.html"]


def test_a_sentence_leads_to_every_row_it_restates(heads, two_visits):
    facts = heads.facts(*two_visits)
    volume = next(f for f in facts.numbers if f.quantity == "volume" and f.value)
    text = subject_page(
        report_of(facts, sentences=[Sentence("Said.", (volume.id,))]), two_visits
    )
    anchor = match(r'Said\.<wbr><a class="ref" href="#(\w+)"', text)[1]
    row = match(
        rf'<tr data-case="([^"]+)" data-place="([^"]+)">[^\n]*id="{anchor}">([\d.]+)<', text
    )

    assert row.groups() == (volume.case, volume.region, f"{volume.value:.4g}")


def test_it_asks_for_nothing_from_elsewhere(built):
    seen = Seen(built)

    assert seen.loaded
    assert all(address.startswith("data:") for address in seen.loaded)
    assert "default-src 'none'" in built
    assert not re.search(r"url\(|@import", built.partition("</style>")[0])


def test_the_same_facts_and_scans_give_the_same_page(heads, two_visits, built):
    facts = heads.facts(*two_visits)
    sentences = [Sentence("All of it.", tuple(facts.rows)), Sentence("A caveat.")]

    assert subject_page(report_of(facts, sentences=sentences), two_visits) == built


def test_nothing_that_is_given_becomes_markup(heads, monkeypatch):
    monkeypatch.setattr(pages, "find_bundle", lambda: None)
    plain, nasty = heads.make(), heads.make()
    [image] = nasty.images
    nasty = replace(
        nasty,
        images=(replace(image, source=f"data/{NASTY}", notes=(NASTY,)),),
        labels=(replace(nasty.labels[0], names={17: NASTY, 53: "b", 16: "c"}),),
        notes=(NASTY,),
    )
    facts = heads.facts(nasty)
    said = [Sentence(NASTY, tuple(facts.rows)[:1])]
    report = report_of(facts, sentences=said, provenance={NASTY: NASTY})
    found = Seen(subject_page(replace(report, notes=(NASTY,)), [nasty]))
    clean = Seen(subject_page(report_of(heads.facts(plain)), [plain]))

    assert found.tags["script"] == clean.tags["script"] == 0
    assert found.tags["img"] == 0
    assert found.handlers == []
    assert "".join(found.text).count(NASTY) >= 7


def test_names_do_not_end_the_script_that_holds_them(heads):
    if find_bundle() is None:
        pytest.skip("the viewer comes with the extra `report`")
    case = heads.make()
    nasty = replace(
        case, labels=(replace(case.labels[0], names={17: NASTY, 53: "b", 16: "c"}),)
    )
    scripts = [
        Seen(subject_page(report_of(heads.facts(c)), [c])).tags["script"] for c in (case, nasty)
    ]

    assert scripts[0] == scripts[1]


def test_what_was_not_measured_says_why_and_has_no_number(built):
    row = match(r"<tr[^>]*><td>left amygdala</td>(.*?)</tr>", built)[1]

    assert "outside the field of view" in row
    assert not re.search(r">-?\d", row.partition("<td")[2].replace('class="n"', ""))


def test_provenance_is_there_word_for_word(built):
    text = " ".join(Seen(built).text)

    for part in ("ab" * 32, "cd" * 32, "all, lesion", "data/sub-01_ses-01_T1w.nii.gz"):
        assert part in text
    assert re.search(r"48 \W 56 \W 40 3 \W 3 \W 4 RAS", re.sub(r"\s+", " ", text))


def test_a_scan_whose_image_is_gone_is_named_with_the_reason(heads):
    gone = replace(heads.make(), images=(), labels=(), masks=(), notes=("It was moved.",))
    facts = heads.facts(heads.make())
    said = [Sentence("All of it.", tuple(facts.rows))]
    text = subject_page(report_of(facts, sentences=said), [gone])
    seen = Seen(text)

    assert "No picture: the image could not be read." in text
    assert "It was moved." in text
    assert seen.tags["svg"] == 0
    assert {link for link in seen.links if link.startswith("#f")} <= {f"#{i}" for i in seen.ids}


def test_without_the_viewer_the_page_says_how_to_get_it(heads, monkeypatch):
    monkeypatch.setattr(pages, "find_bundle", lambda: None)
    case = heads.make()
    text = subject_page(report_of(heads.facts(case)), [case])

    assert "pip install &#39;medprompt-cli[report]&#39;" in text
    assert Seen(text).tags["script"] == 0
    assert '<svg class="slices"' in text


def test_korean_pages_speak_korean(heads, monkeypatch):
    monkeypatch.setattr(pages, "find_bundle", lambda: None)
    case = heads.make()
    text = subject_page(report_of(heads.facts(case), language="ko"), [case])

    assert '<html lang="ko">' in text
    assert "연구용입니다. 의료기기가 아닙니다." in text
    assert not {*pages.PAGE_WORDS["en"]} ^ {*pages.PAGE_WORDS["ko"]}


def test_changes_are_plotted_with_their_noise(heads, two_visits):
    change = {
        **{"participant_id": "sub-01", "session_id": "ses-02", "earlier_session": "ses-01"},
        **{"case": two_visits[1].name, "earlier_case": two_visits[0].name, "unit": "mL"},
        **{"region": "left-hippocampus", "quantity": "volume", "status": "measured"},
        **{"first": 10.4, "second": 10.4, "percent": 12.5, "limit_percent": 4.0},
        "exceeds_limit": True,
    }
    text = subject_page(report_of(heads.facts(*two_visits, changes=[change])), two_visits)
    figures = re.findall(
        r'<figure class="course( beyond)?".*?<figcaption>(.*?)</figcaption>', text, re.S
    )

    assert figures[0] == (" beyond", "left hippocampus <b>+12.5 %</b>")
    assert {name for _, name in figures[1:]} == {
        "right hippocampus <b></b>",
        "brainstem <b></b>",
    }
    assert text.count('class="band"') == 1
    assert "beyond noise" in text


def test_a_course_is_of_the_images_that_its_change_is_of(heads, two_visits):
    first, second = two_visits
    change = {
        **{"participant_id": "sub-01", "session_id": "ses-02", "earlier_session": "ses-01"},
        **{"case": "sub-01_ses-02_FLAIR", "earlier_case": "sub-01_ses-01_FLAIR", "unit": "mL"},
        **{"region": "brainstem", "quantity": "volume", "status": "measured", "percent": 10.0},
    }
    shared = {"participant_id": "sub-01", "region": "brainstem", "quantity": "volume"}
    about = {**shared, "unit": "mL", "status": "measured", "qc": "pass", "version": "0.1.0"}
    flair = [
        {**about, "session_id": visit, "case": f"sub-01_{visit}_FLAIR", "value": value}
        for visit, value in (("ses-01", 20.0), ("ses-02", 22.0))
    ]
    rows = [row for case in (first, second) for row in heads.rows(case)[0]]
    facts = gather("sub-01", Tables(measurements=[*rows, *flair], changes=[change]))

    [brainstem] = [one for one in course_plots(facts)[0] if one.region == "brainstem"]
    assert brainstem.percent == "+10 %"
    assert brainstem.case == "sub-01_ses-02_FLAIR"
    assert [f">{value}<" in brainstem.plot for value in ("20", "22")] == [True, True]


def test_many_rows_of_a_sentence_are_folded_but_lead_there(heads, two_visits):
    facts = heads.facts(*two_visits)
    report = report_of(facts, sentences=[Sentence("All of it.", tuple(facts.rows))])
    text = subject_page(report, two_visits)

    said = match(r'<span class="sentence">All of it\.(.*?)</li>', text)
    before, more, folded = re.split(r"<summary>\+(\d+)</summary>", said[1])
    assert before.count('class="ref"') == 8
    assert folded.count('class="ref"') == int(more) > 0


def inside(page, voxel):
    """Which structure of a test head holds a voxel of its crop, by the viewer's own reading."""
    return page.get_attribute(f'.pane[data-case="{voxel}"]', "data-regions")


@pytest.mark.slow
def test_it_opens_from_disk_shows_the_scan_and_jumps(heads, two_visits, open_page, tmp_path):
    if find_bundle() is None:
        pytest.skip("the viewer comes with the extra `report`")
    path = tmp_path / "sub-01's page & <more>.html"
    path.write_text(
        subject_page(report_of(heads.facts(*two_visits)), two_visits), encoding="utf-8"
    )
    opened = open_page(path)
    page = opened.page
    page.wait_for_selector("#viewer:not([data-state=starting])")

    assert page.get_attribute("#viewer", "data-state") == "ready", opened.said
    assert opened.asked == [path.as_uri()]
    assert page.locator(".pane").count() == 2
    for case in two_visits:
        shot = page.locator(f'.pane[data-case="{case.name}"] canvas').screenshot()
        grays = gray_levels(shot)
        assert len(np.unique(grays)) > 20, "the canvas is blank"
        assert (grays > 60).mean() > 0.15
    for name in ("left-hippocampus", "right-hippocampus", "brainstem"):
        page.locator(f'#measurements tr[data-place="{name}"]').first.click()
        page.wait_for_selector(
            f'.pane[data-case="{two_visits[0].name}"][data-regions="{name}"]'
        )
        assert inside(page, two_visits[1].name) == name
    voxels = page.get_attribute(".pane", "data-voxel")
    page.locator('#lesions tr[data-case="sub-01_ses-02_T1w"]').click()
    page.wait_for_selector('.pane[data-case="sub-01_ses-02_T1w"][data-regions="lesion"]')
    # pieces have numbers of their own on every scan, and these scans were not registered
    assert page.get_attribute(".pane", "data-voxel") == voxels
    page.screenshot(path=tmp_path / "subject.png")
    assert (tmp_path / "subject.png").stat().st_size > 10_000
    assert opened.said == []


@pytest.mark.slow
def test_scans_that_were_registered_move_together(heads, open_page, tmp_path):
    if find_bundle() is None:
        pytest.skip("the viewer comes with the extra `report`")
    moved = np.eye(4)
    moved[:3, 3] = 2 * 3.0, -3 * 3.0, 1 * 4.0
    cases = [
        replace(heads.make(), to_shared=np.eye(4)),
        replace(heads.make(name="sub-01_ses-02_T1w", visit="ses-02"), to_shared=moved),
    ]
    path = tmp_path / "sub-01.html"
    path.write_text(subject_page(report_of(heads.facts(*cases)), cases), encoding="utf-8")
    page = open_page(path).page
    page.wait_for_selector("#viewer[data-state=ready]")

    def apart():
        one, other = (
            np.array(list(map(int, pane.get_attribute("data-voxel").split(","))))
            for pane in page.locator(".pane").all()
        )
        return (one - other).tolist()

    page.locator('#lesions tr[data-case="sub-01_ses-02_T1w"]').click()
    page.wait_for_selector('.pane[data-case="sub-01_ses-02_T1w"][data-regions="lesion"]')
    assert apart() == [2, -3, 1]
    before = page.locator(".pane").first.get_attribute("data-voxel")
    canvas = page.locator(".pane canvas").first
    box = canvas.bounding_box()
    canvas.click(position={"x": box["width"] * 0.15, "y": box["height"] * 0.45})
    page.wait_for_timeout(300)
    assert page.locator(".pane").first.get_attribute("data-voxel") != before
    assert apart() == [2, -3, 1]
    page.locator("#viewer-link").uncheck()
    canvas.click(position={"x": box["width"] * 0.2, "y": box["height"] * 0.55})
    page.wait_for_timeout(300)
    assert apart() != [2, -3, 1]


@pytest.mark.slow
def test_regions_can_be_hidden_and_faded(heads, open_page, tmp_path):
    if find_bundle() is None:
        pytest.skip("the viewer comes with the extra `report`")
    case = heads.make()
    path = tmp_path / "sub-01.html"
    path.write_text(subject_page(report_of(heads.facts(case)), [case]), encoding="utf-8")
    opened = open_page(path)
    page = opened.page
    page.wait_for_selector("#viewer[data-state=ready]")
    page.locator('#measurements tr[data-place="brainstem"]').click()
    page.wait_for_selector('.pane[data-regions="brainstem"]')

    def colored():
        page.wait_for_timeout(300)
        return saturation(page.locator(".pane canvas").screenshot())

    shown = colored()
    page.locator("#viewer-opacity").fill("0")
    faded = colored()
    page.locator("#viewer-opacity").fill("100")
    page.locator("#viewer-regions > summary").click()
    page.locator('#viewer-regions button[value="none"]').click()
    hidden = colored()

    assert shown > 1.3 * faded
    assert hidden == pytest.approx(faded, rel=0.2)
    assert opened.said == []


def pixels(shot):
    import io

    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)


def gray_levels(shot):
    return pixels(shot).mean(axis=2)


def saturation(shot):
    """How many pixels have a colour."""
    found = pixels(shot)
    return int((found.max(axis=2) - found.min(axis=2) > 25).sum())
