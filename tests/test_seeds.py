from __future__ import annotations

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from material import ROOT

sys.path.insert(0, str(ROOT / "scripts"))
import check_seeds

from filter import seeds as product
from filter.labels import BLANK, LABELS
from filter.seeds import Seed

SEEDS, UNREADABLE = product.read_seeds([ROOT / "seeds"])


def seed(text: str, label: str = "article", **fields: str) -> Seed:
    return Seed("some.jsonl:1", {"text": text, "label": label, "language": "en", "family": "f", **fields})


def test_there_are_as_many_as_promised():
    assert check_seeds.short_of(check_seeds.count(SEEDS), check_seeds.PROMISED) == []


def test_every_row_fits_the_schema():
    assert UNREADABLE == []
    assert list(product.check_schema(SEEDS)) == []


def test_no_link_address_or_number_could_be_somebodys():
    assert list(product.check_invented(SEEDS)) == []


def test_no_line_nearly_repeats_another():
    assert [(a.place, b.place, a.text, b.text) for a, b, _ in product.near_copies(SEEDS)] == []


def test_a_line_has_one_label_wherever_it_stands_alone():
    from filter.io.labelled import read_labelled

    assert len(read_labelled([ROOT / "seeds"])) > 500


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"label": "spam"}, "unknown label"),
        ({"text": " "}, "labelled blank"),
        ({"label": "blank"}, "labelled blank"),
        ({"text": "", "label": "blank"}, "outside a page"),
        ({"text": "a\nb"}, "line break"),
        ({"family": ""}, "no family"),
        ({"language": ""}, "no language"),
        ({"topic": "x"}, "unknown field topic"),
        ({"note": 3}, "not a string"),
        ({"label": "navigation", "clean": "x"}, "clean"),
    ],
)
def test_a_row_that_does_not_fit_is_told(fields, problem):
    row = Seed("some.jsonl:7", {"text": "A line.", "label": "article", "language": "en", "family": "f", **fields})
    assert any(problem in found and found.startswith("some.jsonl:7: ") for found in product.check_schema([row]))


def test_a_page_torn_apart_is_told():
    rows = [seed("a", page="p"), seed("b", page="q"), seed("c", page="p")]
    assert any("do not stand together" in problem for problem in product.check_schema(rows))


@pytest.mark.parametrize(
    "text",
    [
        "see www.lucky-cat.com",
        "mail me at jo@some-shop.de",
        "https://a.b.museum/x",
        "win at lucky.casino now",
        "call +44 20 7946 1234 88",
        "(030) 984 761 23",
    ],
)
def test_what_could_be_somebodys_is_told(text):
    assert list(product.check_invented([seed(text)]))


@pytest.mark.parametrize(
    "text",
    [
        "see www.lucky.test",
        "jo@example.com",
        "https://a.invalid/x",
        "call 555 0199 0000",
        "from 1987-2004 and on",
        "open main.py and setup.cfg",
        "10.000.000 lines",
    ],
)
def test_what_is_nobodys_passes(text):
    assert list(product.check_invented([seed(text)])) == []


def test_planted_copies_are_found_in_spite_of_case_width_script_and_digits():
    pairs = [
        (
            "The old mill by the river opens again in May 2019.",
            "THE OLD MILL BY THE RIVER opens again in May 2024!",
        ),
        ("網站發布了新的產品目錄請查看", "网站发布了新的产品目录请查看"),
        ("Ｐｌａｙ ｓｌｏｔｓ ｏｎｌｉｎｅ ｎｏｗ", "play slots online now"),
    ]
    found = product.near_copies([seed(text) for pair in pairs for text in pair])
    assert [(a.text, b.text) for a, b, _ in found] == pairs


def test_copies_under_another_label_dates_and_short_lines_do_not_count():
    rows = [
        seed("Home page"),
        seed("Home page", "navigation"),
        seed("2024-01-02 10:20"),
        seed("2023-04-05 11:30"),
        seed("Search"),
        seed("Search"),
    ]
    rows += [
        seed("A line that stands here twice.", "duplicate"),
        seed("A line that stands here twice.", "duplicate"),
    ]
    assert product.near_copies(rows) == []


@given(st.lists(st.text("abc ", min_size=8, max_size=24), max_size=12), st.sampled_from((0.3, 0.6, 0.8)))
def test_the_index_finds_what_comparing_all_finds(texts, limit):
    def shingles(text: str) -> set[str]:
        text = product.folded(text)
        return {text[i : i + 4] for i in range(len(text) - 3)}

    def is_compared(text: str) -> bool:
        text = product.folded(text)
        return len(text) >= 8 and 2 * sum(map(str.isalpha, text)) >= len(text)

    chosen = [(number, shingles(text)) for number, text in enumerate(texts) if is_compared(text)]
    expected = {(i, j) for i, a in chosen for j, b in chosen if i < j and len(a & b) > limit * len(a | b)}
    rows = [Seed(f"x:{number}", seed(text).fields) for number, text in enumerate(texts)]
    found = {(int(a.place[2:]), int(b.place[2:])) for a, b, _ in product.near_copies(rows, limit)}
    assert found == expected


def test_large_families_are_told():
    rows = [seed(str(n), family="big") for n in range(4)] + [seed(str(n), family=f"f{n}") for n in range(96)]
    assert product.large_families(rows) == [("article", "big", 4, 0.04)]


def test_the_table_in_the_readme_is_that_of_the_seeds():
    readme = check_seeds.README.read_text(encoding="utf8")
    assert readme == check_seeds.with_table(readme, SEEDS), "run python scripts/check_seeds.py --readme"


def test_the_json_schema_says_what_is_checked():
    schema = json.loads((ROOT / "seeds" / "schema.json").read_text(encoding="utf8"))
    assert set(schema["properties"]) == set(product.FIELDS)
    assert tuple(schema["required"]) == product.REQUIRED
    assert set(schema["properties"]["label"]["enum"]) == {*LABELS, BLANK}


def test_a_loose_line_under_two_labels_is_told():
    rows = [
        Seed(f"x.jsonl:{n}", seed("The same line", label).fields)
        for n, label in ((1, "article"), (2, "advert"), (3, "article"))
    ]
    assert list(product.check_contradictions(rows)) == [
        "x.jsonl:2: labelled advert, but article in x.jsonl:1; decide for one",
        "x.jsonl:3: the same line as x.jsonl:1; remove one",
    ]


def test_lines_of_pages_may_be_this_here_and_that_there():
    rows = [
        Seed("x:1", seed("News", "navigation", page="p").fields),
        Seed("x:2", seed("News", "article", page="p").fields),
    ]
    assert list(product.check_contradictions(rows)) == []


def test_csv_is_read_too(tmp_path):
    (tmp_path / "mine.csv").write_text("text,label,language,family\nBuy now,advert,en,f\n,,,\n", encoding="utf8")
    rows, problems = product.read_seeds([tmp_path / "mine.csv"])
    assert problems == []
    assert rows[0] == Seed("mine.csv:2", {"text": "Buy now", "label": "advert", "language": "en", "family": "f"})


def test_rows_that_are_no_json_are_told(tmp_path):
    (tmp_path / "mine.jsonl").write_bytes(b'{"text": \n[1]\n\n\xff\n')
    rows, problems = product.read_seeds([tmp_path])
    assert rows == []
    assert [problem.split(": ")[0] for problem in problems] == ["mine.jsonl:1", "mine.jsonl:2", "mine.jsonl:4"]
