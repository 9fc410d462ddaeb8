"""The page of results, docs/evaluation.md, out of what was measured."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Sequence
from importlib import metadata
from typing import Any

import numpy as np
import pandas as pd
from measuring import REAL, TWIN, WITH_JUNK, WRITTEN, caught_at, genuine_of, lost_as_spam, macro_f1, page_lines, share

from filter.evaluation import calibration_error
from filter.labels import FURNITURE, GENUINE, INJECTED

OTHER_JUNK = FURNITURE
HEADLINE_LOSSES = (0.001, 0.003, 0.005, 0.01)
WORST = 10
EXCERPT = 160
FEWEST = 20
"""Lines under which a group has no row of its own."""

HOW = """# Evaluation

What was measured, how, and where it fails. `python scripts/evaluate.py --write docs/evaluation.md` measures and writes this
page; a fold takes some seven minutes of one core. `python scripts/evaluate.py --quick --gate tests/floors.json` is the
first fold alone with less public text, held to its floors by CI.

## How

- **Folds.** {measured} of {folds} grouped folds. A held-out family of junk takes with it every family that shares more than a fifth of its
  word types (words that are common in genuine text do not count; of scripts without spaces, pairs of characters do), and
  the family nearest to it by the cosine of n-gram profiles weighted by rarity: these are left out of training, whatever fold
  they are tested in. Pages go with the families on them. {gone}
- **Nothing on both sides.** Held out besides: documents of NTREX in all languages at once, runs of the treebanks and headlines,
  WCXB sites, Chinese pages. A training line most of whose shingles of eight characters are held out is left out too.
- **What a fold trains on**: all other seeds, and {share:.0%} of the public text. The shipped model has all seeds, all of the
  benchmark's pages and most of the other public text: ordinary pages are what keeps the junk threshold low (with 15% of the public text
  a fold caught 67% on real pages at 0.1% lost where it caught 79% with half of it).
- **Places.** *Written pages*: held-out seed pages with the junk they came with, and held-out loose junk set into held-out pages
  that have none, a family a page. *Real pages*: the same junk set into held-out WCXB and Chinese pages, each beside its clean twin.
  As when training pages are composed, half of the junk is set into pages of its own language where there are any.
- **Caught** is what goes, whatever it is called: on real pages much injected junk goes as furniture.
- **At x% lost**: each fold's model has its threshold for injected text where x% of the genuine lines of its written, WCXB and Chinese
  pages would go as such; furniture goes as under `careful`. *careful* is the default policy as it is, its thresholds found without
  the held-out part.
- **Intervals** are Wilson's at 95% over lines. Lines of one page are not independent, so they are somewhat too narrow.
- **Mixed lines** (junk inside an honest line) are left out: cutting them is not built yet.

## Leaks that were looked for

- Related families on both sides: see folds. Dealing related families to one fold as well, which holds whole languages of a trade
  out together, lowered the figure on written pages by eighteen points at 0.3% lost: what lies between is how much of a language's junk
  is known.
- A page composed of another (junk or copies set in, a variant of the grammar) on the other side of the split that calibrates: pages
  are split with everything made of them, and a variant carries the family of its line, so that it is held out with it.
- Artefacts: if place, damage or script alone gave junk away, the figures below would measure the composer. See the artefact baseline.
- The benchmark's titles and copies of its paragraphs counted as furniture: label noise that moved thresholds, mended in `corpora.py`.
- Wrongly decoded Chinese pages once taught that mojibake is furniture; they are decoded by the project's own decoder.
- Mixed lines once taught that the junk in them is genuine; it is taken out before training.
"""


FAILS = """## Where it fails

- **Junk in its page's own language is caught some twenty points less** than junk in another, at 0.3% lost, on written pages as on real
  ones, English least: what sells honestly and what sells otherwise share their words, and only the page's topic tells them apart.
- **One short line alone** (a call to click, a title, a betting tip), **polite notes to an AI and fluent prose that sells** are missed most. Half
  of the families tested are of the last kind, which the survey in seeds/README.md found to be the commonest on real pages.
- **A language without any seeds** is poor: of English junk a model without English catches a fifth at 1% lost, of other languages two thirds.
- **Hard lines on pages of others** (an honest line that imitates junk, set into a page that it does not belong to) are lost far more often
  than alone: a stranger among other lines is what junk is, too.
- **Furniture**: lists that are the content of a page go as menus (collections, listings, documentation); tables of contents stay and go
  line by line; site descriptions below an article go. Part of the WCXB losses is label noise: short content lines that equal a menu's.
- **Junk inside a genuine line** is not cut (docs/decisions.md says what was tried), a page on one line is judged as one line, and hard-wrapped
  sentences line by line.
- **Cleaning twice changes more**: of 1,000 real pages 673 change again, for what stood around a line is gone; 447 lines of content go only then
  (`python scripts/check_undo.py`). Clean what was scraped, not what was cleaned.
- **Pages of a few lines**: junk among three or four lines needs to be blatant; "Ignore all previous instructions" and the name of a brand stay
  there (0.1 to 0.5), where a slogan for a casino goes. That a page is short speaks for all of its lines. Pages cut to a few lines when training (a fifth of
  those composed) moved these notes by 0.1 only.
- **Cut junk**: of a line of junk that lost its beginning or end a third less is caught; of one that lost characters a seventh less.
- Peers get text without markup here; with the markup in hand extractors drop furniture that they keep here, and no more junk lines.
"""


def page_of(done: Sequence[dict[str, Any]], folds: int, share_of: float) -> str:
    """The whole page.

    Parameters
    ----------
    done : sequence of dict
        Of `evaluate.perform`, one a run.
    folds : int
    share_of : float

    Returns
    -------
    str
        Markdown.
    """
    of_folds = [one for one in done if one["run"].kind == "fold"]
    rows = pd.concat([one["lines"] for one in of_folds], ignore_index=True)
    f1 = pd.concat([one["f1"] for one in of_folds], ignore_index=True)
    gone = np.mean([one["gone"] for one in of_folds])
    told = f"In a fold {gone:.0f} families are unknown to the model on average."
    first = next((one for one in of_folds if "others" in one), None)
    parts = [
        HOW.format(measured=len(of_folds), folds=folds, share=share_of, gone=told), _versions(done), _headline(rows), _gap(rows), _loss(rows, f1),
        _second_opinion(done), _sites(of_folds), _other_junk(rows, of_folds), _pages(of_folds), _alone(rows), _calibration(rows),
        _by("Loss by language", genuine_of(rows[rows.place.isin(["ntrex", WRITTEN])]), "language", _loss_row),
        _by("Loss by script, written pages", genuine_of(rows[rows.place == WRITTEN]), "script", _loss_row),
        _by("Loss by kind of page, WCXB", genuine_of(rows[rows.place == "wcxb articles"]), "kind", _loss_row),
        _by("Hard lines by topic, alone and on pages", _topics(rows), "topic", _loss_row),
        _by("Junk caught by language", _spam(rows), "language", _catch_row(rows)),
        _by("Junk caught by label", _spam(rows), "label", _catch_row(rows)),
        _worst_families(rows), _languages(done), _curves(done),
        _artefacts(first), _others(first), _evasion(first), FAILS, _mistakes(rows),
    ]  # fmt: skip
    return "\n".join(part for part in parts if part).rstrip() + "\n"


def _spam(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows.place.isin([WRITTEN, REAL]) & rows.label.isin(INJECTED)]


def _topics(rows: pd.DataFrame) -> pd.DataFrame:
    hard = genuine_of(rows[(rows.topic != "") & rows.place.isin([WRITTEN, "hard lines alone", "hard lines on pages"])])
    return hard


def _versions(done: Sequence[dict[str, Any]]) -> str:
    names = ("numpy", "scipy", "scikit-learn")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in names)
    seconds = sum(one["seconds"] for one in done)
    return (
        f"Python {platform.python_version()}, {versions}; {len(done)} models, {seconds / 60:.0f} minutes of one core.\n"
    )


def _percent(value: float) -> str:
    return f"{100 * value:.2f}" if abs(value) < 0.1 else f"{100 * value:.1f}"


def _cell(row: dict[str, Any]) -> str:
    low, high = row["interval"]
    return f"{_percent(row['value'])} ({_percent(low)} to {_percent(high)})"


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "|".join("---" if i == 0 else "--:" for i in range(len(head))) + "|"]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]) + "\n"


def _headline(rows: pd.DataFrame) -> str:
    genuine = page_lines(rows)
    lines = []
    for place in (WRITTEN, REAL):
        spam = rows[(rows.place == place) & rows.label.isin(INJECTED)]
        parts = {"": spam, ", of the page's language": spam[~spam.foreign], ", of another": spam[spam.foreign]}
        lines += [
            [
                f"{place}{which}",
                len(some),
                _cell(share(~some.kept)),
                *(_cell(share(caught_at(rows, some, loss))) for loss in HEADLINE_LOSSES),
            ]
            for which, some in parts.items()
        ]
    lost = share(lost_as_spam(genuine))
    head = [
        "% of unseen families' lines caught",
        "lines",
        "careful",
        *(f"at {loss:.1%} lost" for loss in HEADLINE_LOSSES),
    ]
    return (
        "## Junk of families that the model has not seen\n\n" + _table(head, lines)
        + f"\nGenuine page lines lost as junk under `careful`: {_cell(lost)}%, n {lost['n']}.\n"
    )  # fmt: skip


def _gap(rows: pd.DataFrame) -> str:
    twins, injected = (genuine_of(rows[rows.place == place]) for place in (TWIN, REAL))
    if not len(twins):
        return ""
    table = [[name, len(lines), _cell(share(lost_as_spam(lines))), _percent(_chars_lost(lines))]
             for name, lines in (("clean twin", twins), ("with junk set in", injected))]  # fmt: skip
    return "Genuine lines of the same real pages, with and without the junk:\n\n" + _table(
        ["real pages", "lines", "% lost as junk", "% of characters lost"], table
    )


def _chars_lost(lines: pd.DataFrame) -> float:
    return float(lines.chars[~lines.kept].sum() / max(int(lines.chars.sum()), 1))


def _loss_row(lines: pd.DataFrame) -> list[str]:
    return [str(len(lines)), _cell(share(lost_as_spam(lines))), _cell(share(~lines.kept)), _percent(_chars_lost(lines))]


LOSS_HEAD = ["lines", "% lost as junk", "% lost at all", "% of characters lost"]


def _loss(rows: pd.DataFrame, f1: pd.DataFrame) -> str:
    genuine = genuine_of(rows[~rows.place.isin([REAL, TWIN, WITH_JUNK, "junk lines alone"])])
    table = [[place, *_loss_row(lines)] for place, lines in genuine.groupby("place")]
    text = "## Genuine text lost under `careful`\n\n" + _table(["source", *LOSS_HEAD], table)
    if len(f1):
        half = 1.96 * f1.f1.std() / len(f1) ** 0.5
        text += (
            f"\nWCXB word F1 under `balanced`, by page and site: {f1.f1.mean():.3f} ({f1.f1.mean() - half:.3f} to {f1.f1.mean() + half:.3f}), "
            f"all lines {f1.all_lines.mean():.3f}, n {len(f1)}.\n"
        )
    return text


def _joined(done: Sequence[dict[str, Any]], name: str) -> pd.DataFrame | None:
    """A table of all runs that have it."""
    parts = [one[name] for one in done if name in one]
    return pd.concat(parts, ignore_index=True) if parts else None


def _second_opinion(done: Sequence[dict[str, Any]]) -> str:
    with_it = [one for one in done if one["run"].kind == "reading"]
    if not with_it:
        return ""
    text = (
        "## Second opinion\n\nThe same lines of the same folds, without and with lines in doubt read by the encoder. Families that read alike to "
        "the encoder, in whatever language, were held out together in these folds.\n\n"
    )
    table = []
    for name, column in (("without", "lines"), ("with", "revised")):
        rows = pd.concat([one[column] for one in with_it], ignore_index=True)
        genuine = page_lines(rows)
        for place in (WRITTEN, REAL):
            spam = rows[(rows.place == place) & rows.label.isin(INJECTED)]
            table.append([f"{place}, {name}", len(spam), _cell(share(~spam.kept)),
                          *(_cell(share(caught_at(rows, spam, loss))) for loss in (0.001, 0.003, 0.01)),
                          _cell(share(lost_as_spam(genuine)))])  # fmt: skip
    head = [
        "% of unseen junk caught",
        "lines",
        "careful",
        "at 0.1% lost",
        "at 0.3% lost",
        "at 1% lost",
        "% of genuine page lines lost, careful",
    ]
    lines, pages = (sum(one["read"][i] for one in with_it) for i in range(2))
    cleaned = sum(one["read"][2] for one in with_it)
    return text + _table(head, table) + (
        f"\n{lines} lines were read on {pages} of {cleaned} pages, {lines / max(cleaned, 1):.1f} a page.\n"
    )  # fmt: skip


def _sites(done: Sequence[dict[str, Any]]) -> str:
    rows = _joined(done, "sites")
    if rows is None:
        return ""
    table = []
    for place in ("page alone", "with its site"):
        here = rows[rows.place == place]
        spam, other, genuine = (here[here.label.isin(labels)] for labels in (INJECTED, OTHER_JUNK, GENUINE))
        table.append([place, len(spam), _cell(share(~spam.kept)), _cell(share(~other.kept)), *_loss_row(genuine)])
    return (
        "## With 30 pages of the site at hand\n\nUnder `careful`. Sites are made up: 30 pages share the furniture of a held-out written page and "
        "the junk; what else they carry was written for other held-out pages.\n\n"
        + _table(["", "junk lines", "% of them gone", "% of furniture gone", "genuine lines", *LOSS_HEAD[1:]], table)
    )


def _other_junk(rows: pd.DataFrame, done: Sequence[dict[str, Any]]) -> str:
    balanced = _joined(done, "balanced")
    if balanced is None:
        return ""
    careful = rows[(rows.place == WRITTEN) & rows.label.isin(OTHER_JUNK)]
    table = [[label, len(lines), _cell(share(~lines.kept)), _cell(share(~balanced[balanced.label == label].kept))]
             for label, lines in careful.groupby("label")]  # fmt: skip
    table.append(
        [
            "all",
            len(careful),
            _cell(share(~careful.kept)),
            _cell(share(~balanced[balanced.label.isin(OTHER_JUNK)].kept)),
        ]
    )
    lost = _loss_row(genuine_of(balanced))
    return (
        "## Other junk, held-out written pages\n\n" + _table(["label", "lines", "% gone, careful", "% gone, balanced"], table)
        + f"\n`balanced` loses {lost[3]}% of the characters of these pages' genuine lines. Macro F1 over 11 labels, pages as they are and junk "
        f"set in: {macro_f1(rows[(rows.place == WRITTEN) & ~rows.mixed]):.3f}.\n"
    )  # fmt: skip


def _pages(done: Sequence[dict[str, Any]]) -> str:
    rows = _joined(done, "pages")
    if rows is None:
        return ""
    table = [[place, len(some), *(_cell(share(some.verdict == verdict)) for verdict in ("spam", "injected", "clean"))]
             for place, some in rows.groupby("place")]  # fmt: skip
    return (
        "## Verdict on the page, careful\n\nDoorways are 3 to 12 held-out junk lines of one language and nothing else; the other pages hold "
        "nothing injected.\n\n" + _table(["pages", "number", "% spam", "% injected", "% clean"], table)
    )


def _alone(rows: pd.DataFrame) -> str:
    junk, hard = rows[rows.place == "junk lines alone"], genuine_of(rows[rows.place == "hard lines alone"])
    if not len(junk):
        return ""
    return (
        "## One line alone\n\nA page of one line has a threshold of its own.\n\n"
        + _table(["", "lines", "% gone, careful"], [["held-out junk", len(junk), _cell(share(~junk.kept))],
                                                    ["hard genuine lines", len(hard), _cell(share(~hard.kept))]])
    )  # fmt: skip


def _calibration(rows: pd.DataFrame) -> str:
    pages = rows[rows.place == WITH_JUNK]
    table = []
    for name, some in [("all", pages), *pages.groupby("script")]:
        if len(some) >= 200:
            error = calibration_error(some.junk.to_numpy(), ~some.label.isin(GENUINE).to_numpy())
            table.append([name, len(some), f"{error:.3f}"])
    return (
        "## Calibration\n\nExpected calibration error of the probability of being junk, in 15 bins, on all lines of held-out written "
        "pages with junk set in.\n\n" + _table(["script", "lines", "error"], table)
    )


def _by(title: str, lines: pd.DataFrame, column: str, row: Callable[[pd.DataFrame], list[str]]) -> str:
    groups = [(name, group) for name, group in lines.groupby(column) if name and len(group) >= FEWEST]
    if not groups:
        return ""
    head = LOSS_HEAD if row is _loss_row else ["lines", "careful", "at 0.5% lost"]
    return f"## {title}\n\n" + _table([column, *head], [[name, *row(group)] for name, group in groups])


def _catch_row(rows: pd.DataFrame) -> Callable[[pd.DataFrame], list[str]]:
    return lambda lines: [str(len(lines)), _cell(share(~lines.kept)), _cell(share(caught_at(rows, lines, 0.005)))]


def _worst_families(rows: pd.DataFrame) -> str:
    spam = rows[(rows.place == WRITTEN) & rows.label.isin(INJECTED)]
    caught = spam.assign(caught=caught_at(rows, spam, 0.005)).groupby("family").caught.agg(["mean", "size"])
    table = [[f"`{name}`", int(row["size"]), _percent(row["mean"])]
             for name, row in caught[caught["size"] >= 3].sort_values(["mean", "size"], ascending=[True, False]).head(20).iterrows()]  # fmt: skip
    shares = ", ".join(
        f"{(caught['mean'] == value).sum()} {name}" for value, name in ((1.0, "whole"), (0.0, "not at all"))
    )
    return (
        f"## Junk caught by family\n\nOf {len(caught)} families on written pages, at 0.5% lost: {shares}. The families of three lines or more "
        "that were caught least:\n\n" + _table(["family", "lines", "% caught"], table)
    )


def _languages(done: Sequence[dict[str, Any]]) -> str:
    table = []
    for one in done:
        if one["run"].kind != "language":
            continue
        for name, column in (("", "lines"), (", second opinion", "revised")):
            if column in one:
                rows = one[column]
                spam = rows[rows.place.isin([WRITTEN, REAL]) & rows.label.isin(INJECTED)]
                table.append([f"{one['run'].value}{name}", len(spam), _cell(share(~spam.kept)),
                              *(_cell(share(caught_at(rows, spam, loss))) for loss in (0.001, 0.01)),
                              _cell(share(lost_as_spam(genuine_of(rows[rows.place == WRITTEN]))))])  # fmt: skip
    if not table:
        return ""
    return (
        "## Languages held out whole\n\nNo page, junk or honest line of the language was trained on, seeds and 15% of the public text alike.\n\n"
        + _table(["language", "junk lines", "% caught, careful", "at 0.1% lost", "at 1% lost", "% of written lines lost as junk"], table)
    )  # fmt: skip


def _curves(done: Sequence[dict[str, Any]]) -> str:
    base = next((one for one in done if one["run"].kind == "all"), None)
    curves = [one for one in done if one["run"].kind in ("families", "lines")]
    if base is None or not curves:
        return ""
    table = []
    for name, one in [*((one["run"].name, one) for one in curves), ("all", base)]:
        rows = one["lines"]
        spam = rows[(rows.place == WRITTEN) & rows.label.isin(INJECTED)]
        table.append([name, *(_cell(share(caught_at(rows, spam, loss))) for loss in (0.001, 0.005, 0.01))])
    return (
        "## Learning curves\n\nThe first fold, with 15% of the public text, and with less junk to learn from.\n\n"
        + _table(["trained on", "% caught at 0.1% lost", "at 0.5%", "at 1%"], table)
    )


def _artefacts(first: dict[str, Any] | None) -> str:
    if first is None:
        return ""
    table = [
        [name, row["auc"], *(_cell(row[key]) for key in row if key != "auc")]
        for name, row in first["artefacts"].items()
    ]
    return (
        "## Artefact baseline\n\nWhat can be caught on the held-out written pages without reading a word: trees on the page features of the "
        "composed training pages. Place and damage must teach next to nothing; all that is no n-gram includes the shape of keyword lists and "
        "what of a line stands elsewhere on its page.\n\n"
        + _table(["features", "AUC", "% caught at 0.1% lost", "at 1%"], table)
    )


def _others(first: dict[str, Any] | None) -> str:
    if first is None:
        return ""
    text = (
        "## Others on the same pages\n\nThe held-out pages of the first fold. Extractors get the lines as paragraphs of HTML, without the markup "
        "that they would have on the web; corpus rules get text. A line counts as kept where its letters stand in what comes back.\n"
        "The rules of C4 and Gopher were made for English and judge a page as a whole. A plain classifier has its threshold where 0.3% of "
        "the genuine lines it did not see would go.\n"
    )
    for place, rows in first["others"].items():
        table = [
            [
                row["tool"],
                row["version"],
                _cell(row["caught"]),
                _cell(row["lines lost"]),
                _percent(row["characters lost"]),
                row["failed"],
            ]
            for row in rows
        ]
        text += f"\n{place}\n\n" + _table(
            [
                "tool",
                "version",
                "% of junk lines gone",
                "% of genuine lines lost",
                "% of genuine characters lost",
                "pages failed",
            ],
            table,
        )
    return text


def _evasion(first: dict[str, Any] | None) -> str:
    if first is None:
        return ""
    rows = first["evasion"]
    table = [[name.replace("_", " "), len(lines), _cell(share(~lines.kept)), _cell(share(lines.injected > 0.5))]
             for name, lines in rows.groupby("place", sort=False)]  # fmt: skip
    return (
        "## Evasion\n\nThe loose held-out junk of the first fold on written pages, after each change of the grammar.\n\n"
        + _table(["change", "lines", "% caught, careful", "% over one half"], table)
    )  # fmt: skip


def _mistakes(rows: pd.DataFrame) -> str:
    kept = (
        rows[(rows.place == WRITTEN) & rows.label.isin(INJECTED) & rows.kept]
        .sort_values("injected")
        .drop_duplicates("text")
    )
    seeds = rows[rows.place.isin([WRITTEN, "hard lines alone"]) & rows.label.isin(GENUINE) & ~rows.mixed & ~rows.kept]
    as_spam = seeds[seeds.said.isin(INJECTED)].sort_values("injected", ascending=False).drop_duplicates("text")
    as_furniture = seeds[~seeds.said.isin(INJECTED)].sort_values("junk", ascending=False).drop_duplicates("text")
    text = "## Worst mistakes\n\nOf written lines only: public text is not shown.\n"
    for title, lines in (
        ("Junk kept", kept),
        ("Genuine lines dropped as junk", as_spam),
        ("Genuine lines dropped as furniture", as_furniture),
    ):
        text += f"\n{title}:\n\n" + "\n".join(
            f"- {row.injected:.3f} / {row.junk:.3f} `{row.family}` {_quoted(row.text)}" for row in lines.head(WORST).itertuples()
        ) + "\n"  # fmt: skip
    return text


def _quoted(text: str) -> str:
    shown = " ".join(text.split())
    shown = shown if len(shown) <= EXCERPT else shown[:EXCERPT] + "…"
    return f"`` {shown} ``"
