"""The walkthrough holds: every block, number and picture in it is what the code gives now."""

import re
import sys

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

import make_docs

PAGE = ROOT / "docs" / "walkthrough.md"
TEXT = PAGE.read_text(encoding="utf-8")
GIVEN = {"5×5", "2.5", "0.5", "5", "3", "1000", "998", "0", "1", "2"}  # what the text sets itself: no results


@pytest.fixture(scope="module")
def again():
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        return make_docs.computed(TEXT)


def test_every_block_and_every_number_is_what_the_code_gives(again):
    for shown, computed in zip(TEXT.splitlines(), again[0].splitlines(), strict=True):
        assert shown == computed


def test_a_wrong_number_or_output_would_be_noticed(monkeypatch):
    monkeypatch.chdir(ROOT)
    start = TEXT[: TEXT.index("### exp amplifies")]
    for right, wrong in (("88 %<!--=", "87 %<!--="), ("[12.18  1.65]", "[12.19  1.65]")):
        page = start.replace(right, wrong)
        assert page != start
        assert make_docs.computed(page)[0] == start


def test_every_number_in_a_sentence_is_computed_or_given():
    prose = re.sub(r"```.*?```|^#.*?$|^!\[.*?$|`[^`]*`|\]\([^)]*\)", "", TEXT, flags=re.DOTALL | re.MULTILINE)
    prose = re.sub(r"−?\d[\d,]*(\.\d+)?( %)?<!--=.*?-->", "", prose, flags=re.DOTALL)
    left = set(re.findall(r"[\d,.×]*\d", prose))
    assert left <= GIVEN, left - GIVEN


def test_every_picture_exists(again):
    for picture in re.findall(r"!\[[^\]]*\]\(([^)]*)\)", TEXT):
        assert (PAGE.parent / picture).read_bytes().startswith(b"\x89PNG"), picture
    assert again[1]
