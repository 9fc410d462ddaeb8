"""A grammar of junk, and of honest text with the same marks: vocabulary, separators, scripts, evasion, damage, form.

Injected lines come in every script, separator and disguise, and words seen in one must be known in the others. Honest
lines get each of these just as often, so that none of them alone teaches anything. What is drawn depends on the seed and
on the line alone: the same line gets the same variants whatever else is trained on.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from filter.codepoints import CLASS, class_table, fold_table
from filter.io.labelled import LabelledLine, LabelledPage
from filter.labels import ARTICLE, BLANK, GENUINE, INJECTED
from filter.training.data import TrainingSet, is_extracted

Change = Callable[[str, np.random.Generator], str]

VARIANTS_SHARE = 0.6
MOST_VARIANTS = 6000
PAGES_SHARE = 0.3
LISTS_SHARE = 0.5
"""Of the families with a vocabulary that get a list made of it."""
MOST_DOCUMENTS, MOST_FORMULAIC = 500, 250
FEWEST_LINES, LONGEST_DOCUMENT = 6, 18
FULL_STOPS = ".。।؟?!！？… "
FEWEST_WORDS = 5
LONGEST_PIECE = 24
FORMULA_LENGTH = 90
SEPARATORS = (
    ",",
    "，",
    "_",
    "-",
    "|",
    " ",
    "、",
    "/",
    " I ",
    " | ",
    "·",
    "",
    " - ",
    ";",
    "  ",
    "#",
    "+",
    "&",
    "★",
    "~",
    ", ",
    " / ",
)
EMOJI = "🔥💰⭐🎁💋👉✅🍀💎🌸🎶📌☀🐟🌿"
DIGITS_AS_LETTERS = str.maketrans("oOiIlLeEaAsStT", "00111133445577")
LOOKALIKES = str.maketrans("aceopxyABCEHKMOPTX", "асеорхуАВСЕНКМОРТХ")
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
_SPLIT = re.compile(r"[,，_|、/·;；~★#+]|\s[-–—I]\s|\s{2,}|(?<=\S)-(?=\S)")
_WRAP = (60, 72, 80)
_WIDE_WRAP = (28, 36)


def rng_of(text: str, seed: int) -> np.random.Generator:
    """A generator of random numbers that depends on a text alone."""
    digest = hashlib.sha256(f"{seed}:{text}".encode("utf8", "surrogatepass")).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))


@cache
def _traditional() -> dict[int, int]:
    """Simplified to traditional characters: one of those that fold to it."""
    table = fold_table()
    traditional = np.flatnonzero(class_table() == CLASS["han_traditional"])
    return {int(table[code]): int(code) for code in traditional[::-1]}


def to_traditional(text: str, rng: np.random.Generator) -> str:
    """Simplified characters as traditional ones.

    Examples
    --------
    >>> to_traditional("网络", np.random.default_rng(0))
    '網絡'
    """
    return text.translate(_traditional())


def to_simplified(text: str, rng: np.random.Generator) -> str:
    """Traditional characters as simplified ones, as they are folded."""
    table, kinds, traditional = fold_table(), class_table(), CLASS["han_traditional"]
    return "".join(chr(table[ord(c)]) if kinds[ord(c)] == traditional else c for c in text)


def to_full_width(text: str, rng: np.random.Generator) -> str:
    """ASCII as full-width characters."""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else "\u3000" if c == " " else c for c in text)


def spaced(text: str, rng: np.random.Generator) -> str:
    """A space between the letters of some words."""
    return _some_words(text, rng, " ".join)


def dotted(text: str, rng: np.random.Generator) -> str:
    """A dot between the letters of some words."""
    return _some_words(text, rng, (".", "·", "-", "*")[int(rng.integers(4))].join)


def digits_as_letters(text: str, rng: np.random.Generator) -> str:
    """Digits for letters that look like them, in some words."""
    return _some_words(text, rng, lambda word: word.translate(DIGITS_AS_LETTERS))


def look_alikes(text: str, rng: np.random.Generator) -> str:
    """Letters of another script for some that look like them."""
    return _some_words(text, rng, lambda word: word.translate(LOOKALIKES))


def with_invisible(text: str, rng: np.random.Generator) -> str:
    """Invisible characters between letters."""
    return "".join(c + INVISIBLE[int(rng.integers(len(INVISIBLE)))] if rng.random() < 0.3 else c for c in text)


def with_emoji(text: str, rng: np.random.Generator) -> str:
    """Emoji between words, or between characters where words are not set apart."""
    words = text.split(" ")
    if len(words) < 3:
        words = [text[i : i + 3] for i in range(0, len(text), 3)]
        return "".join(word + (_emoji(rng) if rng.random() < 0.3 else "") for word in words)
    return " ".join(word + (_emoji(rng) if rng.random() < 0.2 else "") for word in words)


def _emoji(rng: np.random.Generator) -> str:
    return EMOJI[int(rng.integers(len(EMOJI)))]


def _some_words(text: str, rng: np.random.Generator, change: Callable[[str], str]) -> str:
    share = rng.uniform(0.2, 1.0)
    # Runs of unspaced script count as words of three.
    words = re.findall(r"\s+|[^\W\d_\u0e00-\u0eff\u3040-\u9fff]+|[\u0e00-\u0eff\u3040-\u9fff]{1,3}|.", text)
    return "".join(
        change(word) if len(word) > 1 and word[0].isalpha() and rng.random() < share else word for word in words
    )


def lost_punctuation(text: str, rng: np.random.Generator) -> str:
    """Marks lost to a wrong encoding: a question mark, two of them, or nothing in their place."""
    lost = ("?", "??", "", " ")[int(rng.integers(4))]
    return "".join(lost if not c.isalnum() and not c.isspace() and rng.random() < 0.6 else c for c in text)


def lost_characters(text: str, rng: np.random.Generator) -> str:
    """Two question marks for a character here and there."""
    return "".join("??" if c.isalpha() and rng.random() < 0.04 else c for c in text)


def broken_tag(text: str, rng: np.random.Generator) -> str:
    """A cut tag or an entity at the end, or entities for marks."""
    if rng.random() < 0.4:
        return text.replace("&", "&amp;").replace('"', "&quot;").replace(" ", "&nbsp;", 1)
    return text.rstrip(".。") + ("</p>", "/p>", "?/p>", '">', "<br", "&nbsp;", "</span>")[int(rng.integers(7))]


def cut(text: str, rng: np.random.Generator) -> str:
    """The beginning of the line, cut as a teaser is."""
    return text[: max(int(len(text) * rng.uniform(0.4, 0.9)), 1)].rstrip() + ("…", "...", "")[int(rng.integers(3))]


def in_a_list(text: str, rng: np.random.Generator) -> str:
    """As an item, a quotation, a heading or a cell of Markdown."""
    number = int(rng.integers(1, 30))
    before, after = (
        ("- ", ""), ("* ", ""), ("• ", ""), (f"{number}. ", ""), (f"{number}、", ""), ("> ", ""), ("## ", ""), ("| ", " |"),
        ("**", "**"), ("[", f"](https://host-{number}.example/{number})"), ("◆ ", ""), ("\u3000\u3000", ""), ("    ", ""), ("» ", ""),
    )[int(rng.integers(14))]  # fmt: skip
    return f"{before}{text}{after}"


def in_capitals(text: str, rng: np.random.Generator) -> str:
    """In capital letters."""
    return text.upper()


SCRIPTS: tuple[Change, ...] = (to_traditional, to_simplified, to_full_width)
EVASIONS: tuple[Change, ...] = (spaced, dotted, digits_as_letters, look_alikes, with_invisible, with_emoji)
DAMAGES: tuple[Change, ...] = (lost_punctuation, lost_characters, broken_tag, cut)
FORMS: tuple[Change, ...] = (in_a_list, in_capitals)
CHANGES: tuple[tuple[float, tuple[Change, ...]], ...] = (
    (0.35, SCRIPTS),
    (0.3, EVASIONS),
    (0.3, DAMAGES),
    (0.35, FORMS),
)
"""Kinds of change, and how often a variant gets one of each."""


def variant(text: str, rng: np.random.Generator) -> str:
    r"""A line as it might stand elsewhere: in another script, disguised, damaged, in another form.

    Parameters
    ----------
    text : str
    rng : numpy.random.Generator

    Returns
    -------
    str
        Without line feeds; the same line where nothing was drawn or a change does not apply.

    Examples
    --------
    >>> variant("Best casino bonus", rng_of("Best casino bonus", 4))
    'Ｂｅｓｔ\u3000ｃａｓｉｎｏ\u3000ｂｏｎｕｓ'
    """
    for share, changes in CHANGES:
        if rng.random() < share:
            text = changes[int(rng.integers(len(changes)))](text, rng)
    return text


def variants(lines: Sequence[LabelledLine], seed: int, most: int = MOST_VARIANTS) -> list[LabelledLine]:
    """Variants of some lines, of injected and of genuine ones alike, under the label and family of the line.

    Parameters
    ----------
    lines : sequence of LabelledLine
    seed : int
    most : int
        Lines of either kind that get one, at most; never more than `VARIANTS_SHARE` of them.

    Returns
    -------
    list of LabelledLine
    """
    found = []
    for labels in (INJECTED, (ARTICLE,)):
        eligible = [line for line in lines if line.label in labels and line.clean is None]
        share = min(VARIANTS_SHARE, most / max(len(eligible), 1))
        for line in eligible:
            rng = rng_of(line.text, seed)
            text = variant(line.text, rng) if rng.random() < share else line.text
            if text != line.text and text.strip():
                found.append(replace(line, text=text))
    return found


def vocabulary(texts: Sequence[str]) -> list[str]:
    """Pieces between separators of lines that have some: what a list can be made of.

    Examples
    --------
    >>> vocabulary(["slot gacor|slot online|maxwin"])
    ['maxwin', 'slot gacor', 'slot online']
    """
    pieces: set[str] = set()
    for text in texts:
        split = [piece.strip() for piece in _SPLIT.split(text)]
        if len(split) > 2:
            pieces.update(piece for piece in split if 1 < len(piece) <= LONGEST_PIECE)
    return sorted(pieces)


def keyword_list(words: Sequence[str], rng: np.random.Generator) -> str:
    """Some words in a row, by one separator or none."""
    count = min(int(rng.integers(3, 25)), len(words))
    picked = [words[i] for i in rng.choice(len(words), count, replace=False)]
    return SEPARATORS[int(rng.integers(len(SEPARATORS)))].join(picked)


def lists(lines: Sequence[LabelledLine], seed: int, share: float = LISTS_SHARE) -> list[LabelledLine]:
    """Lists made of the words of one family each: of junk, and of honest lists just as often.

    Parameters
    ----------
    lines : sequence of LabelledLine
    seed : int
    share : float
        Of the families that get one.

    Returns
    -------
    list of LabelledLine
    """
    by_family: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for line in lines:
        if line.family and (line.label in INJECTED or line.label == ARTICLE) and line.clean is None:
            by_family[line.family, line.label, line.language].append(line.text)
    found = []
    for (family, label, language), texts in sorted(by_family.items()):
        rng, words = rng_of(f"{family} {label} {language}", seed), vocabulary(texts)
        if len(words) >= FEWEST_WORDS and rng.random() < share:
            found.append(LabelledLine(keyword_list(words, rng), label, language, family))
    return found


def rewrapped(page: LabelledPage, rng: np.random.Generator) -> LabelledPage:
    """The page with its running text in other lines: each run of genuine lines joined to one, or wrapped hard.

    Parameters
    ----------
    page : LabelledPage
    rng : numpy.random.Generator

    Returns
    -------
    LabelledPage
    """
    join = rng.random() < 0.4
    columns = {True: int(rng.choice(_WIDE_WRAP)), False: int(rng.choice(_WRAP))}
    found: list[LabelledLine] = []
    for line in page.lines:
        before = found[-1] if found else None
        if line.label != ARTICLE or line.clean is not None:
            found.append(line)
        elif join and before is not None and before.label == ARTICLE and before.clean is None:
            found[-1] = replace(before, text=f"{before.text} {line.text}")
        elif join:
            found.append(line)
        else:
            found += [replace(line, text=part) for part in wrapped(line.text, columns[_is_wide(line.text)])]
    return LabelledPage(page.name, tuple(found))


def _is_wide(text: str) -> bool:
    return sum("\u3000" <= c <= "\u9fff" or "\uac00" <= c <= "\ud7a3" for c in text) * 3 > len(text)


def wrapped(text: str, columns: int) -> list[str]:
    """A paragraph in lines of at most so many characters, cut at spaces where there are some.

    Examples
    --------
    >>> wrapped("The mill was built by two brothers.", 16)
    ['The mill was', 'built by two', 'brothers.']
    """
    found, rest = [], text
    while len(rest) > columns:
        at = rest.rfind(" ", 1, columns + 1)
        at = at if at > columns // 3 else columns
        found.append(rest[:at].rstrip())
        rest = rest[at:].lstrip()
    return [*found, rest] if rest or not found else found


def page_variants(pages: Sequence[LabelledPage], seed: int, share: float) -> list[LabelledPage]:
    """Some pages once more, in another script, damaged all over, or in other lines; under the same name, marked by a plus.

    Parameters
    ----------
    pages : sequence of LabelledPage
    seed : int
    share : float
        Of the pages that come once more.

    Returns
    -------
    list of LabelledPage
    """
    found = []
    for page in pages:
        rng = rng_of(page.name, seed)
        if rng.random() < share:
            found.append(_page_variant(replace(page, name=f"{page.name}+"), rng))
    return found


def documents_unmarked(lines: Sequence[LabelledLine], seed: int, most: int = MOST_DOCUMENTS) -> list[LabelledPage]:
    """Documents out of loose lines, some of which lost their full stop, as headings, points and captions have none.

    Parameters
    ----------
    lines : sequence of LabelledLine
    seed : int
    most : int
        Documents.

    Returns
    -------
    list of LabelledPage
        Named by the family, marked by a plus.
    """
    found = []
    long = _documents(lines)
    for (family, language), of_family in long.items():
        rng = rng_of(f"document {family} {language}", seed)
        if rng.random() < most / len(long):
            some = of_family[:LONGEST_DOCUMENT]
            # The first lines are a heading and its points; or any line is.
            share, first = float(rng.choice((0.0, 0.3, 1.0))), int(rng.integers(1, 6))
            found.append(LabelledPage(f"{family}+", tuple(
                replace(line, text=line.text.rstrip(FULL_STOPS)) if i < first or rng.random() < share else line
                for i, line in enumerate(some) if line.text.rstrip(FULL_STOPS)
            )))  # fmt: skip
    return found


def formulaic(lines: Sequence[LabelledLine], seed: int, most: int = MOST_FORMULAIC) -> list[LabelledPage]:
    """Honest documents in which every line says again what others say, put together anew: registers, drills, results.

    A copy stands elsewhere as a whole; of a formula's lines every part stands elsewhere, in several lines.

    Parameters
    ----------
    lines : sequence of LabelledLine
        Of all labels.
    seed : int
    most : int
        Documents.

    Returns
    -------
    list of LabelledPage
        Named by the family, marked by two pluses.
    """
    found = []
    long = _documents(lines)
    for (family, language), some in long.items():
        rng = rng_of(f"formulas {family} {language}", seed)
        if rng.random() >= most / len(long):
            continue
        parts = [_thirds(line.text) for line in some[: int(rng.integers(3, 6))]]
        texts = {"".join(parts[int(rng.integers(len(parts)))][i] for i in range(3)) for _ in range(LONGEST_DOCUMENT)}
        found.append(LabelledPage(f"{family}++", tuple(
            LabelledLine(text, ARTICLE, language, family) for text in sorted(texts, key=lambda text: (len(text), text)) if text.strip()
        )))  # fmt: skip
    return found


def _thirds(text: str) -> tuple[str, str, str]:
    """The beginning, the middle and the end of a line of up to `FORMULA_LENGTH` characters, cut between words."""
    text = text[:FORMULA_LENGTH]
    cuts = [text.find(" ", len(text) * i // 3) for i in (1, 2)]
    first, second = (cut if cut >= 0 else len(text) * i // 3 for i, cut in enumerate(cuts, start=1))
    return text[:first], text[first : max(first, second)], text[max(first, second) :]


def _documents(lines: Sequence[LabelledLine]) -> dict[tuple[str, str], list[LabelledLine]]:
    """Families of enough honest lines to be read as a document, by family and language."""
    found: dict[tuple[str, str], list[LabelledLine]] = defaultdict(list)
    for line in lines:
        if line.label == ARTICLE and line.family and line.language and line.clean is None:
            found[line.family, line.language].append(line)
    return {key: found[key] for key in sorted(found) if len(found[key]) >= FEWEST_LINES}


def _page_variant(page: LabelledPage, rng: np.random.Generator) -> LabelledPage:
    if rng.random() < 0.4:
        return rewrapped(page, rng)
    changes = (to_traditional, to_simplified, lost_punctuation, lost_characters, to_full_width)
    change = changes[int(rng.integers(len(changes)))]
    # A mirror converts what it copies; junk that was set in later stays as it was, on half of the pages.
    spares = INJECTED if rng.random() < 0.5 else frozenset[str]()
    return LabelledPage(page.name, tuple(
        line if line.label == BLANK or line.label in spares or line.clean is not None else _changed(line, change, rng)
        for line in page.lines
    ))  # fmt: skip


def _changed(line: LabelledLine, change: Change, rng: np.random.Generator) -> LabelledLine:
    text = change(line.text, rng)
    return (
        replace(line, text=text)
        if text.strip() and (line.label not in GENUINE or any(map(str.isalnum, text)))
        else line
    )


def widened(data: TrainingSet, seed: int) -> TrainingSet:
    """A training set with what the grammar makes of it.

    Parameters
    ----------
    data : TrainingSet
    seed : int

    Returns
    -------
    TrainingSet
    """
    written = [page for page in data.pages if page.lines and not is_extracted(page)]
    lines = [*data.loose, *(line for page in written for line in page.lines)]
    return replace(
        data,
        pages=[
            *data.pages,
            *page_variants(written, seed, PAGES_SHARE),
            *documents_unmarked(data.loose, seed),
            *formulaic(data.loose, seed),
        ],
        loose=[*data.loose, *variants(lines, seed), *lists(lines, seed)],
        weights={**data.weights, **{f"{page.name}+": data.weights.get(page.name, 1.0) for page in written}},
    )
