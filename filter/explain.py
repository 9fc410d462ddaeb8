"""Why a line was judged as it was: its strongest n-grams and page features, from the model's own terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from filter.classify import lexical_context
from filter.context import Context, LineOrder, surroundings
from filter.labels import BLANK, GENUINE, INJECTED
from filter.model import Lexicon, Model
from filter.ngrams import ORDERS, line_buckets
from filter.page import Line
from filter.page_model import SURROUNDINGS, PageModel
from filter.policy import Policy
from filter.segment import Indices, fold, segment
from filter.site import Evidence

N_REASONS = 3
LEXICAL = tuple(f"{name}{kind}" for name in ("injected", "furniture") for kind in ("", "_mean", "_beyond_page"))
"""Features that are the line's own n-grams: told as n-grams, not as page features."""

IN_WORDS: dict[str, str] = {
    "script_distance": "another script than the rest of the page",
    "familiar_2": "its pairs of characters elsewhere on the page",
    "familiar_4": "its four-character runs elsewhere on the page",
    "familiar_2_beyond_page": "its pairs of characters elsewhere on the page, against the page's usual",
    "familiar_4_beyond_page": "its four-character runs elsewhere on the page, against the page's usual",
    "share_digit_-1": "digits in the line above",
    "share_digit_+1": "digits in the line below",
    "share_digit_+2": "digits two lines below",
    "contained": "stands in another line of the page",
    "contained_around_3": "lines around it stand elsewhere too",
    "log_twins": "equal lines on the page",
    "site_line": "the same line on other pages of this site",
    "site_shingles": "its stretches on other pages of this site",
    "site_page": "how much of the page stands on other pages of this site",
    "log_site_pages": "number of pages known of this site",
    "owner_away": "how far away its copy stands",
    "owner_spread": "in how many places its parts stand",
    "since_running": "lines since the last running text",
    "until_running": "lines until the next running text",
    "running_around_5": "running text around it",
    "running_page": "running text on the page",
    "log_width": "its length",
    "log_width_-1": "length of the line above",
    "log_width_+1": "length of the line below",
    "log_width_page": "usual length of the page's lines",
    "log_pieces": "pieces between separators",
    "pieces_around_3": "pieces between separators in the lines around it",
    "piece_length": "length of the pieces between separators",
    "word_length": "length of its words",
    "log_words": "number of words",
    "sentences": "sentence ends in it",
    "ends_sentence": "ends as a sentence does",
    "ends_sentence_around_5": "lines around it end as sentences do",
    "ends_letter": "ends with a letter",
    "starts_letter": "begins with a letter",
    "starts_lower": "begins with a small letter",
    "log_index": "place from the top",
    "log_index_end": "place from the end",
    "relative": "place on the page",
    "mass_before": "share of the page above it",
    "log_lines": "number of lines of the page",
    "blank_before": "a blank line above it",
    "blank_after": "a blank line below it",
}
"""Page features in words; the families of features with a number in their name are told by `in_words`."""
_KINDS = {"injected": "injected text", "furniture": "page furniture"}


def in_words(name: str) -> str:
    """A page feature as a reader would say it.

    Parameters
    ----------
    name : str
        One of the names of `filter.context.Context`.

    Returns
    -------
    str

    Examples
    --------
    >>> in_words("injected_-1"), in_words("share_digit")
    ('the line above reads like injected text', 'share of digit characters')
    """
    if name in IN_WORDS:
        return IN_WORDS[name]
    head, _, rest = name.partition("_")
    if head == "share":
        return f"share of {rest.replace('_', ' ')} characters"
    if head in _KINDS:
        where = {"-1": "the line above reads", "+1": "the line below reads", "-2": "two lines above it reads",
                 "+2": "two lines below it reads", "page": "the page reads"}.get(rest, "the lines around it read")  # fmt: skip
        return f"{where} like {_KINDS[head]}"
    return "length of the lines around it" if name.startswith("log_width_around") else name.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Reason:
    """One cause of a verdict.

    Attributes
    ----------
    kind : str
        ``n-gram`` or ``page``.
    name : str
        The n-gram as written, or the page feature in words.
    weight : float
        What it adds to the log-odds of being junk: positive for junk, negative for genuine.
    """

    kind: str
    name: str
    weight: float

    def record(self) -> dict[str, str | float]:
        """As a plain value, for JSON."""
        return {"kind": self.kind, "name": self.name, "weight": round(self.weight, 4)}


@dataclass(frozen=True, slots=True)
class Explanation:
    """A line with the reasons for its verdict, strongest first.

    Attributes
    ----------
    line : Line
    reasons : tuple of Reason
    threshold : float or None
        Probability from which a line of its kind goes: of having been injected, or of being junk of any kind. None for a
        blank line.
    """

    line: Line
    reasons: tuple[Reason, ...]
    threshold: float | None = None


def explain_page(
    lines: Sequence[Line],
    text: str,
    model: Model,
    policy: Policy,
    evidence: Evidence | None = None,
    count: int = N_REASONS,
) -> list[Explanation]:
    """Reasons for lines of a page.

    Parameters
    ----------
    lines : sequence of Line
        Verdicts on the page: all of them, or those that are asked for.
    text : str
        The page as it was judged: with the same lines, a mirror's damage mended.
    model : Model
    policy : Policy
        Whose thresholds decided.
    evidence : Evidence, optional
        Of every line of the page, from other pages of its site.
    count : int
        Reasons a line.

    Returns
    -------
    list of Explanation
        One a line, in order; no reasons for a blank line.
    """
    batch = segment([text])
    seen = lexical_context(batch, fold(batch), model, evidence)
    judged = text.split("\n")
    asked = [line for line in lines if line.label != BLANK]
    row_of = {int(line): row for row, line in enumerate(seen.lines)}
    rows = np.array([row_of[line.number] for line in asked], np.int64)
    terms = iter(_page_terms(seen, model.page_model, rows, _said_by_the_site(seen, rows)) if asked else ())
    found = []
    for line in lines:
        if line.label == BLANK:
            found.append(Explanation(line, ()))
            continue
        kind = 0 if line.label in INJECTED else 1
        of_line = next(terms)[kind] + _ngram_terms(judged[line.number], model.lexicon, kind)
        sign = -1 if line.label in GENUINE else 1
        strongest = sorted((t for t in of_line if t.weight * sign > 0), key=lambda t: -t.weight * sign)
        threshold = policy.junk if kind else policy.injected
        found.append(Explanation(line, tuple(_without_repeats(strongest)[:count]), threshold))
    return found


def _said_by_the_site(seen: Context, rows: Indices) -> list[str]:
    """On how many pages of the site each line stands."""
    pages = np.rint(np.expm1(seen.column("log_site_pages")[rows])).astype(int)
    with_line = np.rint(seen.column("site_line")[rows] * pages).astype(int)
    return [f"the same line on {n} of {of} other pages of this site" for n, of in zip(with_line, pages, strict=True)]


def _page_terms(
    seen: Context, page_model: PageModel, rows: Indices, of_site: Sequence[str]
) -> list[tuple[list[Reason], list[Reason]]]:
    """For each row and both verdicts, what each cause on the page adds to the log-odds: they fall by it without.

    A cause is all features that say the same in words; without it they are what they are on an average line. What the
    first look said of the lines around is told with the features that say how these lines read.
    """
    causes = _causes(seen.names)
    around = surroundings(seen.order, page_model.first_odds(seen.values))[rows]
    values = seen.values[rows]
    whole = page_model.second_odds(values, around)
    own = [i for i, name in enumerate(SURROUNDINGS) if name.endswith("_look")]
    slopes = np.array([page_model.injected.slope, page_model.furniture.slope], np.float32)
    # All causes at once: each is a copy of the rows without it.
    copies, looks_of = np.tile(values, (len(causes), 1, 1)), np.tile(around, (len(causes), 1, 1))
    for number, (columns, looks) in enumerate(causes.values()):
        copies[number][:, columns] = page_model.first.mean[columns]
        looks_of[number][:, looks] = 0.0
    flat, flat_looks = copies.reshape(-1, values.shape[1]), looks_of.reshape(-1, around.shape[1])
    alone = LineOrder.of(np.arange(len(flat)))
    flat_looks[:, own] = surroundings(alone, page_model.first_odds(flat))[:, own]
    without = page_model.second_odds(flat, flat_looks).reshape(len(causes), len(rows), 2)
    weights = np.round((whole - without) * slopes, 3)
    found: list[tuple[list[Reason], list[Reason]]] = [([], []) for _ in rows]
    for words, of_cause in zip(causes, weights.tolist(), strict=True):
        for row, both in enumerate(of_cause):
            said = of_site[row] if words == IN_WORDS["site_line"] else words
            for verdict, weight in enumerate(both):
                if abs(weight) > 0.01:
                    found[row][verdict].append(Reason("page", said, weight))
    return found


def _causes(names: Sequence[str]) -> dict[str, tuple[list[int], list[int]]]:
    """Columns of the features, and of the first look around a line, that say the same in words."""
    causes: dict[str, tuple[list[int], list[int]]] = {}
    for which, group in enumerate((names, SURROUNDINGS)):
        for index, name in enumerate(group):
            if name not in LEXICAL and not name.endswith("_look"):
                causes.setdefault(in_words(name.replace("_look", "")), ([], []))[which].append(index)
    return causes


def _ngram_terms(text: str, lexicon: Lexicon, column: int) -> list[Reason]:
    """The n-grams of a line as written, each with its weight in the line's lexical score."""
    folded = fold(segment([text]))
    buckets, _ = line_buckets(folded)
    places = _window_places(len(folded.codes))
    shift = 1  # the line feed before the line
    scale = float(lexicon.pair_scale[column]) / np.sqrt(max(len(buckets), 1))
    written: dict[str, float] = {}
    for (start, length), bucket in zip(places, buckets.tolist(), strict=True):
        first, last = max(start, 1), min(start + length, len(folded.codes) - 1) - 1
        if folded.origin is not None:
            first, last = int(folded.origin[first]), int(folded.origin[last])
        name = text[first - shift : last + 1 - shift]
        written[name] = written.get(name, 0.0) + float(lexicon.pair[bucket, column]) * scale
    return [Reason("n-gram", name, round(weight, 3)) for name, weight in written.items() if name.strip()]


def _window_places(n_codes: int) -> list[tuple[int, int]]:
    """Start and length of every window of a line with a boundary on both sides, in the order of `line_buckets`."""
    places = []
    for length in range(1, ORDERS + 1):
        for start in range(n_codes - 1):
            inside = 1 <= start < n_codes - 1 if length == 1 else start + length <= n_codes
            if inside and not (length == 2 and n_codes == 2):
                places.append((start, length))
    return places


def _without_repeats(reasons: Sequence[Reason]) -> list[Reason]:
    """An n-gram inside a stronger one says nothing more."""
    told: list[Reason] = []
    for reason in reasons:
        if not any(
            reason.kind == other.kind == "n-gram" and (reason.name in other.name or other.name in reason.name)
            for other in told
        ):
            told.append(reason)
    return told
