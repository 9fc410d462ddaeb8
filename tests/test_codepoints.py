from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filter.codepoints import CLASS, CLASSES, NEWLINE, SPACE, TABLE_SIZE, class_table, fold_table, to_codes

INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u202a\u202e\u2066\ufe0f"
TRADITIONAL = {
    "網": "网",
    "國": "国",
    "產": "产",
    "視": "视",
    "頻": "频",
    "體": "体",
    "廣": "广",
    "發": "发",
    "學": "学",
    "見": "见",
}


def folded(text: str) -> str:
    codes = fold_table()[to_codes(text)]
    return "".join(map(chr, codes[codes != 0]))


def test_white_space_is_what_str_strip_strips():
    is_space = class_table() == CLASS["space"]
    expected = np.array([chr(c).isspace() and c != NEWLINE for c in range(TABLE_SIZE)])
    assert np.flatnonzero(is_space != expected).tolist() == []
    assert class_table()[NEWLINE] == CLASS["newline"]
    assert (class_table() == CLASS["newline"]).sum() == 1


def test_every_code_point_has_a_class():
    assert len(class_table()) == TABLE_SIZE
    assert class_table().max() < len(CLASSES)


def test_only_a_line_feed_folds_to_a_line_feed():
    assert np.flatnonzero(fold_table() == NEWLINE).tolist() == [NEWLINE]


def test_folding_twice_changes_nothing_more():
    table = fold_table()
    kept = np.flatnonzero(table)
    again = kept[table[table[kept]] != table[kept]]
    assert {chr(c) for c in again} <= {"薴"}, "OpenCC itself maps this one in two steps"


def test_folded_values_are_code_points():
    assert fold_table().dtype == np.uint32
    assert fold_table().max() < TABLE_SIZE


@pytest.mark.parametrize("character", INVISIBLE)
def test_invisible_characters_are_dropped(character):
    assert fold_table()[ord(character)] == 0


def test_tabs_and_wide_spaces_become_spaces():
    assert {fold_table()[ord(c)] for c in " \t\r\u3000\u00a0\u2028\x85"} == {SPACE}


@pytest.mark.parametrize(("traditional", "simplified"), TRADITIONAL.items())
def test_traditional_characters_fold_to_simplified(traditional, simplified):
    assert folded(traditional) == simplified == folded(simplified)


@pytest.mark.parametrize("text", ["Casino 777", "abc", "ZX|y,z", "(a)_-"])
def test_full_width_forms_fold_as_the_narrow_ones(text):
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)
    assert folded(wide) == folded(text)


def test_decimal_digits_fold_to_zero():
    known = unicodedata.ucd_3_2_0  # later digits depend on the Python that made the table
    digits = [c for c in range(TABLE_SIZE) if {known.category(chr(c)), unicodedata.category(chr(c))} == {"Nd"}]
    odd = [chr(c) for c in digits if fold_table()[c] != ord("0")]
    assert odd == []


@pytest.mark.parametrize(
    ("look_alike", "letter"),
    [("а", "a"), ("е", "e"), ("о", "o"), ("Α", "a"), ("𝐚", "a"), ("𝓏", "z"), ("ⓐ", "a")],
)
def test_look_alikes_fold_to_one_letter(look_alike, letter):
    assert folded(look_alike) == folded(letter)


def test_case_is_levelled_in_the_common_scripts():
    for text in ("ABCXYZ", "ÀÉÎÕÜ", "АБВЖЮЯ", "ΒΓΔΛΩ"):
        assert folded(text) == folded(text.lower())


def test_script_classes_tell_simplified_from_traditional():
    kinds = [CLASSES[class_table()[ord(c)]] for c in "网網中あアЖαعאกक한"]
    assert kinds == [
        "han_simplified", "han_traditional", "han", "hiragana", "katakana", "cyrillic", "greek", "arabic", "hebrew",
        "thai", "indic", "hangul",
    ]  # fmt: skip


@given(st.text(st.characters(codec=None)))
def test_codes_are_the_code_points_lone_surrogates_too(text):
    assert to_codes(text).tolist() == [ord(c) for c in text]
