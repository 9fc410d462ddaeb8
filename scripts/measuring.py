"""Clean what was held out, and write down what became of every line: a table with a row a line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from splits import Split, with_spam

from filter.classify import classify
from filter.intervals import wilson
from filter.io.labelled import LabelledLine, LabelledPage
from filter.labels import BLANK, FURNITURE, GENUINE, INJECTED
from filter.model import Model
from filter.page import apply_spans
from filter.pipeline import PageFilter
from filter.policy import make_policy
from filter.repairs import find_repairs
from filter.second_opinion import SecondOpinion
from filter.segment import batches
from filter.training.compose import SAME_LANGUAGE_SHARE
from filter.training.grammar import CHANGES, rng_of

COLUMNS = ("place", "family", "language", "script", "kind", "topic", "label", "said", "mixed", "injected", "junk", "kept",
           "chars", "text", "foreign")  # fmt: skip
WITH_JUNK = "written pages, all lines with junk set in"
WRITTEN, REAL, TWIN = "written pages", "real pages", "real pages, clean twin"
PAGE_PLACES = (WRITTEN, "wcxb articles", "zh_pages articles")
"""Whose genuine lines are the genuine page lines of the headline figures."""
TOPICS: dict[str, str] = {
    "sex education": r"sex-?ed\b|sex-?ed-|sexual?-education|education-sexuelle|educa\w*-sexual|educazione-affettiva|edukacja-seks|sexualkun|"
    r"sexualaufkl|seksualvejl|seksualiteit|sexoualiki|szexualis|school-rse|consent-lesson|premarital",
    "sexual health": r"sexual-health|sex-?health|salud-sexual|salute-sessuale|sante-sexuelle|sanatate-sex|shealth|seksuaaliterv|sexual-medicine|"
    r"hiv|sti-|contracept|menopause|reproductive|intimni|intymne|women-health|saude-mulher|breast|hpv|prostate|family-planning|condom|ed-medical",
    "LGBT life": r"lgbt|lhbt|hbtq|pride|trans-news|trans-rights|trans-film|drag-|waria|samesex|marriage-equality",
    "gambling law and addiction help": r"gambl|gamb-|gambhelp|gamblaw|betting|bets|lotter|loter|lotto|casino|gluecks|spielsucht|hazard|gioco|jeu-|addiction|"
    r"odds|gokwet|verslaving|poker|pachinko|dice|gaming-law|szerencse|uzaleznien|tzogos",
    "adult industry as news": r"adult|porn|porr|erot|sex-work|sexwork|prostitu|massage|branza-ero|industria-adult|seksbranche|webtoon",
    "security write-ups": r"secur|segur|sicurezza|sicherheit|injection|phishing|malware|smishing|system-prompt|prompt-lecture|bot-command",
    "religion": r"relig|prayer|hymn|psalm|sermon|hadith|church|candomble|novena|ladainha|preghiera|modlitwa|hindu|dhamma|quran|fatwa|zakat|christian",
    "dialects and minority languages": r"dialect|minorit|gaelic|welsh|breton|basque|catalan|galician|sorbian|sami|frisian|asturian|aragones|occitan|kashub|"
    r"silesian|low-german|bavarian|swiss-german|sicilian|ligure|ladino|yiddish|romani|hakka|wu-|minnan|cantonese|zulu|maori|yoruba|javanese|sundanese",
    "loans explained": r"loan|credit|kredi|mutuo|prestamo|emprestimo|lening|debt|mortgage|kredyt|uver|daneio|lan-forklarat",
    "medicine": r"medic|drug|clinic|pharmacy|vaccine|antibiotic|supplement|poison|withdrawal",
}  # fmt: skip
_SCRIPTS = (("Han", "\u3400-\u9fff"), ("Kana", "\u3040-\u30ff"), ("Hangul", "\uac00-\ud7a3"), ("Cyrillic", "\u0400-\u04ff"),
            ("Arabic", "\u0600-\u06ff"), ("Thai", "\u0e00-\u0e7f"), ("Devanagari", "\u0900-\u097f"), ("Hebrew", "\u0590-\u05ff"),
            ("Greek", "\u0370-\u03ff"))  # fmt: skip


def script_of(text: str) -> str:
    """The script that most letters of a line are in; kana make it Japanese.

    Examples
    --------
    >>> script_of("網站 ok"), script_of("Hello"), script_of("2024")
    ('Han', 'Latin', 'none')
    """
    letters = [c for c in text if c.isalpha()]
    if not letters:
        return "none"
    counts = {name: len(re.findall(f"[{span}]", text)) for name, span in _SCRIPTS}
    if counts["Kana"]:
        return "Kana"
    name = max(counts, key=lambda script: counts[script])
    return name if 2 * counts[name] >= len(letters) else "Latin"


def topic_of(family: str) -> str:
    """The topic that filters are known to hurt which a hard family is about, or nothing."""
    if not family.startswith("hard-"):
        return ""
    return next((topic for topic, pattern in TOPICS.items() if re.search(pattern, family)), "")


def rows_of(page_filter: PageFilter, pages: Sequence[LabelledPage], place: str, kinds: dict[str, str] | None = None,
            only: frozenset[str] = frozenset()) -> list[tuple[Any, ...]]:  # fmt: skip
    """A row for every line of some pages, cleaned under the filter's policy.

    Parameters
    ----------
    page_filter : PageFilter
    pages : sequence of LabelledPage
    place : str
        What the rows are counted under.
    kinds : dict of str to str, optional
        Kind of page by name.
    only : frozenset of str
        Texts of lines to write down; all where empty.

    Returns
    -------
    list of tuple
        In the order of `COLUMNS`.
    """
    found = []
    texts = ["\n".join(line.text for line in page.lines) for page in pages]
    for page, cleaned, of_page in zip(pages, page_filter.clean_many(texts), _injected(page_filter, texts), strict=True):
        kind = (kinds or {}).get(page.name.split("+")[0], "")
        languages = Counter(line.language for line in page.lines if line.label in GENUINE)
        language = max(languages, key=lambda name: languages[name], default="")
        for line, verdict, injected in zip(page.lines, cleaned.lines, of_page, strict=False):
            if BLANK in (verdict.label, line.label) or (only and line.text not in only):
                continue
            mixed = line.clean is not None and line.clean != apply_spans(line.text, verdict.spans)
            found.append((
                place, line.family, line.language, script_of(line.text), kind, topic_of(line.family), line.label, verdict.label,
                mixed, float(injected), verdict.probability, verdict.kept, len(line.text), line.text,
                line.language != language,
            ))  # fmt: skip
    return found


def _injected(page_filter: PageFilter, texts: Sequence[str]) -> Iterator[NDArray[np.float32]]:
    """Probability of having been injected of the lines of each page."""
    for group in batches(texts):
        mended = [apply_spans(text, find_repairs(text)) for text in group]
        batch, verdicts = classify(mended, page_filter.model, labels=False, second_opinion=page_filter.second_opinion)
        yield from np.split(verdicts.injected, batch.first_line[1:-1])


def measure(model: Model, part: Split, second_opinion: SecondOpinion | None = None) -> pd.DataFrame:
    """Clean what was held out under ``careful``.

    Parameters
    ----------
    model : Model
    part : Split
    second_opinion : SecondOpinion, optional

    Returns
    -------
    DataFrame
        With `COLUMNS`.
    """
    policy = make_policy("careful", model.card, second_opinion=second_opinion is not None)
    careful = PageFilter(model, policy, second_opinion)
    wcxb = [page.labelled() for page in part.content]
    kinds = {page.name: page.kind for page in part.content}
    rows = rows_of(careful, part.pages, WRITTEN)
    set_in = rows_of(careful, with_spam(part.pages, part.spam, 5, SAME_LANGUAGE_SHARE["junk"])[0], WITH_JUNK)
    rows += [(WRITTEN, *row[1:]) for row in set_in if row[6] in INJECTED] + set_in
    chinese = [page.labelled() for page in part.chinese]
    injected, twins = with_spam([*wcxb[: len(part.spam)], *chinese], part.spam, 6, SAME_LANGUAGE_SHARE["junk"])
    rows += rows_of(careful, injected, REAL, kinds) + rows_of(careful, twins, TWIN, kinds)
    rows += rows_of(careful, [LabelledPage("", (line,)) for line in part.hard], "hard lines alone")
    rows += rows_of(
        careful, [LabelledPage("", (line,)) for lines in part.spam.values() for line in lines], "junk lines alone"
    )
    rows += _hard_on_pages(careful, part)
    for page in part.public:
        rows += rows_of(careful, [page], page.name.split("-")[0].split("_")[0])
    rows += rows_of(careful, wcxb, "wcxb articles", kinds)
    rows += rows_of(careful, chinese, "zh_pages articles")
    return pd.DataFrame(rows, columns=list(COLUMNS))


def balanced_rows(model: Model, part: Split) -> pd.DataFrame:
    """The held-out written pages as they are, cleaned under ``balanced``; with `COLUMNS`."""
    balanced = PageFilter(model, make_policy("balanced", model.card))
    return pd.DataFrame(rows_of(balanced, part.pages, WRITTEN), columns=list(COLUMNS))


def doorways(model: Model, part: Split, seed: int = 3) -> pd.DataFrame:
    """Verdicts on pages that are held-out junk from end to end, and on held-out genuine pages.

    Returns
    -------
    DataFrame
        Columns `place` and `verdict`.
    """
    rng = np.random.default_rng(seed)
    careful = PageFilter(model, make_policy("careful", model.card))
    by_language: dict[str, list[LabelledLine]] = {}
    for lines in part.spam.values():
        by_language.setdefault(lines[0].language, []).extend(lines)
    pages = []
    for _, lines in sorted(by_language.items()):
        for _ in range(len(lines) // 6):
            pages.append(
                "\n".join(
                    lines[i].text
                    for i in rng.choice(len(lines), int(rng.integers(3, 13)) if len(lines) > 13 else 3, replace=False)
                )
            )
    genuine = [page for page in part.pages if not any(line.label in INJECTED for line in page.lines)]
    real = [page.labelled() for page in (*part.content, *part.chinese)]
    rows = []
    for place, texts in (
        ("doorways of held-out junk", pages),
        (WRITTEN, ["\n".join(line.text for line in page.lines) for page in genuine]),
        ("real pages", ["\n".join(line.text for line in page.lines) for page in real]),
        ("documents", ["\n".join(line.text for line in page.lines) for page in part.public]),
    ):
        rows += [(place, page.verdict) for page in careful.clean_many(texts)]
    return pd.DataFrame(rows, columns=["place", "verdict"])


SITE_PAGES = 30
SITES = 150


def on_sites(model: Model, part: Split, seed: int = 4) -> pd.DataFrame:
    """Held-out junk on one page of a made-up site, cleaned with the page alone and with 30 pages of the site at hand.

    The pages of a site share what is furniture on the held-out page that it was made of, and the junk; what else they
    carry was written for other held-out pages, of the same language where there are enough.

    Returns
    -------
    DataFrame
        With `COLUMNS`, of the first page of each site only; the place says whether its site was known.
    """
    rng = np.random.default_rng(seed)
    careful = PageFilter(model, make_policy("careful", model.card))
    clean = [page for page in part.pages if not any(line.label in INJECTED for line in page.lines)]
    families = sorted(part.spam)
    chosen = [families[i] for i in rng.permutation(len(families))[:SITES]]
    first, everything, sites = [], [], []
    for number, family in enumerate(chosen):
        language = part.spam[family][0].language
        own = [page for page in clean if page.lines[0].language == language]
        base = (own or clean)[int(rng.integers(len(own or clean)))]
        pages = _site_of(base, clean, part.spam[family][:3], rng)
        first.append(pages[0])
        everything += ["\n".join(line.text for line in page.lines) for page in pages]
        sites += [f"site {number}"] * len(pages)
    on_site = list(careful.clean_many(everything, sites))[::SITE_PAGES]
    rows = rows_of(careful, first, "page alone")
    for page, cleaned in zip(first, on_site, strict=True):
        for line, verdict in zip(page.lines, cleaned.lines, strict=False):
            if BLANK not in (line.label, verdict.label):
                rows.append(("with its site", line.family, line.language, script_of(line.text), "", "", line.label, verdict.label,
                             line.clean is not None, 0.0, verdict.probability, verdict.kept, len(line.text), line.text, False))  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _site_of(
    base: LabelledPage, others: Sequence[LabelledPage], junk: Sequence[LabelledLine], rng: np.random.Generator
) -> list[LabelledPage]:
    """Pages with the furniture of one, the text of others, and the same junk on all, in the same place."""
    language = base.lines[0].language
    pool = [line for page in others if page is not base and page.lines[0].language == language
            for line in page.lines if line.label in GENUINE]  # fmt: skip
    if len(pool) < SITE_PAGES:
        pool = [line for page in others if page is not base for line in page.lines if line.label in GENUINE]
    at = int(rng.integers(len(base.lines) + 1))
    pages = []
    for number in range(SITE_PAGES):
        lines = [
            line if number == 0 or line.label not in GENUINE else pool[int(rng.integers(len(pool)))]
            for line in base.lines
        ]
        pages.append(LabelledPage(f"{base.name}-{number}", (*lines[:at], *junk, *lines[at:])))
    return pages


def _hard_on_pages(page_filter: PageFilter, part: Split) -> list[tuple[Any, ...]]:
    by_family: dict[str, list[LabelledLine]] = {}
    for line in part.hard:
        by_family.setdefault(line.family, [line])
    made, _ = with_spam(part.pages, by_family, 7, SAME_LANGUAGE_SHARE["honest"])
    return rows_of(page_filter, made, "hard lines on pages", only=frozenset(line.text for line in part.hard))


def evasion(model: Model, part: Split) -> pd.DataFrame:
    """Held-out junk on written pages, as it is and after every change of the grammar; honest lines after the same.

    Returns
    -------
    DataFrame
        With `COLUMNS`; the place names the change.
    """
    careful = PageFilter(model, make_policy("careful", model.card))
    rows = []
    for change in (None, *(change for _, changes in CHANGES for change in changes)):
        name = change.__name__ if change else "as written"
        spam = {
            family: [
                LabelledLine(
                    change(line.text, rng_of(line.text, 9)) if change else line.text, line.label, line.language, family
                )
                for line in lines
            ]
            for family, lines in part.spam.items()
        }
        made, _ = with_spam(part.pages, spam, 5, SAME_LANGUAGE_SHARE["junk"])
        rows += [row for row in rows_of(careful, made, name) if row[6] in INJECTED]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def word_f1(text: str, truth: str) -> float:
    """F1 of the bags of words."""
    got, want = Counter(text.split()), Counter(truth.split())
    common = sum((got & want).values())
    if not common:
        return float(not got and not want)
    precision, recall = common / sum(got.values()), common / sum(want.values())
    return 2 * precision * recall / (precision + recall)


def word_f1_of(model: Model, part: Split) -> pd.DataFrame:
    """Word F1 of the benchmark's pages under ``balanced``, and of all their lines."""
    balanced = PageFilter(model, make_policy("balanced", model.card))
    cleaned = balanced.clean_many(page.text for page in part.content)
    return pd.DataFrame(
        [(page.kind, word_f1(got.text, page.content), word_f1(page.text, page.content))
         for page, got in zip(part.content, cleaned, strict=True)], columns=["kind", "f1", "all_lines"])  # fmt: skip


def share(outcomes: Iterable[Any]) -> dict[str, Any]:
    """A share with Wilson's 95% interval and its sample."""
    values = np.asarray(list(outcomes), bool)
    low, high = wilson(int(values.sum()), len(values))
    return {
        "value": round(float(values.mean()) if len(values) else 0.0, 5),
        "interval": [round(low, 5), round(high, 5)],
        "n": len(values),
    }


def cut(genuine: NDArray[np.float64], loss: float) -> float:
    """The probability above which no more than this share of the genuine lines lies."""
    ordered = np.sort(genuine)[::-1]
    return float(ordered[min(int(len(ordered) * loss), len(ordered) - 1)]) if len(ordered) else 1.0


def caught_at(rows: pd.DataFrame, spam: pd.DataFrame, loss: float) -> pd.Series[bool]:
    """Whether each injected line goes: as such where no more than this share of its run's genuine page lines would.

    As furniture it goes where ``careful`` says so.

    Parameters
    ----------
    rows : DataFrame
        All rows, with a column `run`.
    spam : DataFrame
        Some of them.
    loss : float
    """
    cuts = {run: cut(lines.injected.to_numpy(), loss) for run, lines in page_lines(rows).groupby("run")}
    return (spam.injected > spam.run.map(cuts)) | (~spam.kept & spam.said.isin(FURNITURE))


def genuine_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Genuine lines that hold no junk that is still to be cut out."""
    return rows[rows.label.isin(GENUINE) & ~rows.mixed]


def page_lines(rows: pd.DataFrame) -> pd.DataFrame:
    """The genuine page lines of the headline figures."""
    return genuine_of(rows[rows.place.isin(PAGE_PLACES)])


def lost_as_spam(rows: pd.DataFrame) -> pd.Series[bool]:
    """Whether each line went under an injected label."""
    return ~rows.kept & rows.said.isin(INJECTED)


def macro_f1(rows: pd.DataFrame) -> float:
    """Mean F1 of the labels."""
    scores = []
    for label in sorted(set(rows.label)):
        right = int(((rows.label == label) & (rows.said == label)).sum())
        scores.append(2 * right / max(int((rows.label == label).sum()) + int((rows.said == label).sum()), 1))
    return round(float(np.mean(scores)), 4) if scores else 0.0
