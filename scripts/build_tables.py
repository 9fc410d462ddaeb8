"""Build the code point tables of `filter/tables/` from named public data.

Run ``pip install '.[tables]'`` first. Writes ``codepoints.npz`` and ``SOURCES.json`` (versions, licences, counts).

- traditional -> simplified: OpenCC's TSCharacters (Apache-2.0), from opencc-python-reimplemented
- look-alike letters: Unicode's confusables (Unicode License v3), from confusable-homoglyphs
- width, case, category: the Unicode data of the running Python
"""

from __future__ import annotations

import json
import platform
import sys
import unicodedata
from importlib import metadata, resources
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from filter.codepoints import CLASSES, TABLE_SIZE

TARGET = Path(__file__).resolve().parents[1] / "filter" / "tables"
CLASS = {name: index for index, name in enumerate(CLASSES)}
SENTENCE_END = ".!。！？…．｡؟।॥۔‼⁉"
COMMA = ",，、;；:：،؛､"
SEPARATOR = "|_-/\\·•>»›~*#=+｜＿－／—–‐・∙◦▪■●★☆→"
MARKUP = "<{}&$^`"
DAMAGE = "\ufffd\ufffe\uffff"

# First and last code point of the blocks that decide a class; Unicode 16.0, Blocks.txt.
SCRIPT_BLOCKS: tuple[tuple[int, int, str], ...] = (
    (0x0370, 0x03FF, "greek"),
    (0x1F00, 0x1FFF, "greek"),
    (0x0400, 0x052F, "cyrillic"),
    (0x1C80, 0x1C8F, "cyrillic"),
    (0x2DE0, 0x2DFF, "cyrillic"),
    (0xA640, 0xA69F, "cyrillic"),
    (0x0590, 0x05FF, "hebrew"),
    (0x0600, 0x06FF, "arabic"),
    (0x0750, 0x077F, "arabic"),
    (0x0870, 0x08FF, "arabic"),
    (0xFB50, 0xFDFF, "arabic"),
    (0xFE70, 0xFEFF, "arabic"),
    (0x0900, 0x0DFF, "indic"),
    (0x0E00, 0x0EFF, "thai"),
    (0x3040, 0x309F, "hiragana"),
    (0x30A0, 0x30FF, "katakana"),
    (0x31F0, 0x31FF, "katakana"),
    (0xFF66, 0xFF9F, "katakana"),
    (0x1100, 0x11FF, "hangul"),
    (0x3130, 0x318F, "hangul"),
    (0xA960, 0xA97F, "hangul"),
    (0xAC00, 0xD7FF, "hangul"),
    (0x2E80, 0x2FDF, "han"),
    (0x3005, 0x3007, "han"),
    (0x3400, 0x4DBF, "han"),
    (0x4E00, 0x9FFF, "han"),
    (0xF900, 0xFAFF, "han"),
    (0x20000, 0x3FFFF, "han"),
    (0x1D400, 0x1D7FF, "fancy"),
    (0x2460, 0x24FF, "fancy"),
    (0x1F100, 0x1F1E5, "fancy"),
    (0xFF10, 0xFF19, "fancy"),
    (0xFF21, 0xFF3A, "fancy"),
    (0xFF41, 0xFF5A, "fancy"),
    (0x1F000, 0x1F0FF, "emoji"),
    (0x1F1E6, 0x1FAFF, "emoji"),
    (0x2600, 0x27BF, "emoji"),
    (0x2B00, 0x2BFF, "emoji"),
)


def opencc_characters(name: str) -> dict[int, int]:
    """One OpenCC character table: code point to code point, first choice only, identity left out."""
    text = resources.files("opencc").joinpath("dictionary", name).read_text(encoding="utf8")
    pairs = {}
    for row in text.splitlines():
        source, _, targets = row.partition("\t")
        target = targets.split(" ")[0]
        if len(source) == 1 and len(target) == 1 and source != target:
            pairs[ord(source)] = ord(target)
    return pairs


def look_alikes() -> dict[str, str]:
    """Letters that look like one ASCII letter, to that letter in lower case (Unicode's confusables)."""
    text = resources.files("confusable_homoglyphs").joinpath("confusables.json").read_text(encoding="utf8")
    found = {}
    for source, others in json.loads(text).items():
        if len(source) != 1 or source.isascii() or not source.isalpha():
            continue
        letters = sorted({o["c"].lower() for o in others if len(o["c"]) == 1 and o["c"].isascii() and o["c"].isalpha()})
        # A letter can look like several (capital I, small l): the first in order, always the same one.
        if letters:
            found[source] = letters[0]
    return found


def enclosed_letter(character: str) -> str | None:
    """Squared and negative circled Latin letters, which NFKC leaves alone."""
    name = unicodedata.name(character, "")
    head, mark, letter = name.rpartition("LATIN CAPITAL LETTER ")
    return letter.lower() if mark and len(letter) == 1 and ("SQUARED" in head or "CIRCLED" in head) else None


def fold_one(character: str, to_simplified: dict[int, int], alike: dict[str, str]) -> int:
    """The folded code point of a character; 0 drops it."""
    if character == "\n":
        return 10
    category = unicodedata.category(character)
    if category == "Cs":
        return 0xFFFD
    if (
        category == "Cf"
        or character in "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"
        or 0xFE00 <= ord(character) <= 0xFE0F
    ):
        return 0
    if category in ("Cc", "Zs", "Zl", "Zp"):
        return 32
    for form in (unicodedata.normalize("NFKC", character), enclosed_letter(character)):
        if form and len(form) == 1:
            character = form
    if unicodedata.category(character) == "Nd":
        return ord("0")
    lower = character.casefold()
    if len(lower) == 1 or all(unicodedata.category(mark) == "Mn" for mark in lower[1:]):
        character = lower[0]
    character = alike.get(character, character)
    return to_simplified.get(ord(character), ord(character))


def class_one(code: int, simplified_only: set[int], traditional_only: set[int]) -> str:
    """The character class of a code point, before folding."""
    character = chr(code)
    category = unicodedata.category(character)
    if character == "\n":
        return "newline"
    if character.isspace():
        return "space"
    for marks, name in (
        ("?", "question"),
        (SENTENCE_END, "sentence_end"),
        (COMMA, "comma"),
        (SEPARATOR, "separator"),
        (MARKUP, "markup"),
        (DAMAGE, "damage"),
    ):
        if character in marks:
            return name
    if category in ("Cc", "Cs", "Co", "Cn"):
        return "damage"
    if category == "Cf" or 0xFE00 <= code <= 0xFE0F:
        return "invisible"
    if code in simplified_only:
        return "han_simplified"
    if code in traditional_only:
        return "han_traditional"
    for first, last, name in SCRIPT_BLOCKS:
        if first <= code <= last:
            return name
    if category == "Nd":
        return "digit"
    if category in ("Mn", "Mc", "Me"):
        return "mark"
    if category[0] == "L":
        if code < 128:
            return "upper" if category == "Lu" else "lower"
        return "latin_extended" if "LATIN" in unicodedata.name(character, "") else "other_script"
    if category in ("Ps", "Pe", "Pi", "Pf") or character in "\"'":
        return "bracket"
    return "symbol"


def main() -> None:
    to_simplified = opencc_characters("TSCharacters.txt")
    to_traditional = opencc_characters("STCharacters.txt")
    traditional_only = set(to_simplified) - set(to_traditional)
    simplified_only = set(to_traditional) - set(to_simplified)
    alike = look_alikes()
    fold = np.arange(TABLE_SIZE, dtype=np.uint32)
    classes = np.zeros(TABLE_SIZE, dtype=np.uint8)
    for code in range(TABLE_SIZE):
        fold[code] = fold_one(chr(code), to_simplified, alike)
        classes[code] = CLASS[class_one(code, simplified_only, traditional_only)]
    changed = np.flatnonzero(fold != np.arange(TABLE_SIZE)).astype(np.uint32)
    starts = np.flatnonzero(np.diff(classes, prepend=255)).astype(np.uint32)
    TARGET.mkdir(exist_ok=True)
    np.savez(
        TARGET / "codepoints.npz",
        fold_from=changed,
        fold_to=fold[changed],
        class_start=starts,
        class_of=classes[starts],
    )
    sources = {
        "unicode": {
            "version": unicodedata.unidata_version,
            "python": platform.python_version(),
            "licence": "Unicode License v3",
        },
        "opencc-python-reimplemented": {
            "version": metadata.version("opencc-python-reimplemented"),
            "licence": "Apache-2.0",
            "data": "OpenCC TSCharacters.txt, STCharacters.txt",
        },
        "confusable-homoglyphs": {
            "version": metadata.version("confusable-homoglyphs"),
            "licence": "MIT; data Unicode License v3",
            "data": "Unicode confusables.txt",
        },
        "counts": {"folded": len(changed), "class_runs": len(starts), "look_alikes": len(alike)},
    }
    (TARGET / "SOURCES.json").write_text(json.dumps(sources, indent=2, sort_keys=True) + "\n", encoding="utf8")
    print(json.dumps(sources["counts"]))


if __name__ == "__main__":
    main()
