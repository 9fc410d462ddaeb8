"""The whole path from text to clean text; everything a caller needs is `PageFilter`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby, islice, zip_longest
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from filter.classify import FURNITURE_COLUMNS, GENUINE_COLUMNS, INJECTED_COLUMNS, NO_LABEL, Gather, Verdicts, classify
from filter.emit import Runs, joined, runs_of
from filter.encoder import Encoder
from filter.errors import EncoderError, PagefilterError
from filter.explain import Explanation, explain_page
from filter.labels import BLANK, FURNITURE, GENUINE, INJECTED, LABELS
from filter.model import Model, load_model, shipped
from filter.page import Line, Page, Span, apply_spans
from filter.policy import Policy, make_policy
from filter.reflow import Reflowed, before_repairs, on_lines, reflowed
from filter.repairs import REPAIRS, find_repairs
from filter.second_opinion import SecondOpinion, make_second_opinion
from filter.segment import Batch, Folded, batches, fold, line_bounds, segment
from filter.site import Evidence, SiteCounts
from filter.verdict import spam_scores
from filter.verdict import verdicts as judge_pages

LONGEST_LINE = 1 << 20
"""Code points of a line that are judged: half from its beginning, half from its end."""


IF_AVAILABLE = "if-available"
WINDOW = 4_000_000
"""Characters that are read ahead where pages have sites: those of the first pages must be counted before they are judged."""


class PageFilter:
    r"""Cleans pages with a model under a policy.

    Parameters
    ----------
    model : Model
    policy : Policy
    second_opinion : SecondOpinion, optional
        Asked of lines in doubt; the policy must be one for its probabilities.
    without : Policy, optional
        The policy to go on with, without a second opinion, where the encoder fails; by default it is an error.
    without_repairs : collection of str
        Names of `filter.repairs.REPAIRS`: damage that stays in the text. Lines are judged as if it were mended all the same.

    Examples
    --------
    >>> page_filter = PageFilter.load()
    >>> page = page_filter.clean("The library opens at nine.\n\nBring a card, and a friend if you like.")
    >>> page.text
    'The library opens at nine.\n\nBring a card, and a friend if you like.'
    >>> [line.label for line in page.lines]
    ['article', 'blank', 'article']
    """

    def __init__(
        self,
        model: Model,
        policy: Policy,
        second_opinion: SecondOpinion | None = None,
        without: Policy | None = None,
        without_repairs: Collection[str] = (),
    ) -> None:
        self.model = model
        self.settings = policy
        self.second_opinion = second_opinion
        self.missing = ""
        """Why there is no second opinion though one was asked for."""
        self._without = without
        self._without_repairs = frozenset(without_repairs)
        self._dropped = np.array([label in policy.dropped for label in LABELS])
        whole = all(set(group) <= policy.dropped or not set(group) & policy.dropped for group in (FURNITURE, INJECTED))
        # Where all of a kind goes or stays, the label of a line decides nothing: it is found when lines are asked for.
        self._labels_decide = not whole or bool(set(GENUINE) & policy.dropped)
        self._lines_asked = False

    @property
    def policy(self) -> str:
        """Name of the policy."""
        return self.settings.name

    @classmethod
    def load(
        cls,
        model: str | Path | None = None,
        *,
        policy: str = "careful",
        only: Sequence[str] = (),
        keep: Sequence[str] = (),
        drop: Sequence[str] = (),
        max_loss: float | None = None,
        second_opinion: bool | Encoder | Literal["if-available"] = False,
        without_repairs: Collection[str] = (),
    ) -> PageFilter:
        """Load a model.

        Parameters
        ----------
        model : str or Path, optional
            Folder written by `pagefilter train`; the shipped model by default.
        policy : {"careful", "balanced", "spam-only"}
            ``careful`` drops only what is nearly certain, ``balanced`` aims at the best F1 of the kept text,
            ``spam-only`` drops nothing but injected text.
        only, keep, drop : sequence of str
            Labels: keep only these; keep these too; drop these too.
        max_loss : float, optional
            Share of genuine lines that may be lost as spam, instead of the policy's own, with five times as much of their
            characters as furniture.
        second_opinion : bool, "if-available" or Encoder
            Have lines in doubt read by a sentence encoder, which needs the extra ``semantic`` and some 20 ms a line
            that is read. ``"if-available"`` goes on without one where it is missing or fails, and says why
            in `missing`.
        without_repairs : collection of str
            Damage to leave in the text: ``gloss``, ``markup``, ``entities``, ``icons``, ``mojibake``,
            ``repeated``.

        Returns
        -------
        PageFilter

        Raises
        ------
        ModelError
            If the folder is missing, incomplete, damaged or of another version.
        PagefilterError
            If the policy, a label or a repair does not exist.
        EncoderError
            If there is no such encoder, or none that the model knows.
        """
        loaded = load_model(Path(model) if model is not None else shipped("models") / "default")
        settings = make_policy(policy, loaded.card, only, keep, drop, max_loss=max_loss)
        unknown = sorted(set(without_repairs) - set(REPAIRS))
        if unknown:
            raise PagefilterError(f"unknown repair {unknown[0]!r}; the repairs are {', '.join(REPAIRS)}")
        if second_opinion is False:
            return cls(loaded, settings, without_repairs=without_repairs)
        try:
            opinion = make_second_opinion(loaded, None if second_opinion in (True, IF_AVAILABLE) else second_opinion)  # type: ignore[arg-type]
        except EncoderError as error:
            if second_opinion != IF_AVAILABLE:
                raise
            found = cls(loaded, settings, without_repairs=without_repairs)
            found.missing = str(error)
            return found
        revised = make_policy(policy, loaded.card, only, keep, drop, max_loss=max_loss, second_opinion=True)
        return cls(loaded, revised, opinion, settings if second_opinion == IF_AVAILABLE else None, without_repairs)

    def clean(self, text: str) -> Page:
        r"""Clean one page.

        Parameters
        ----------
        text : str
            Lines end at ``\n``.

        Returns
        -------
        Page
        """
        return self._clean_batch([text])[0]

    def clean_html(self, html: str, url: str | None = None) -> Page:
        """Clean one HTML page; its lines are those a browser would lay out.

        Parameters
        ----------
        html : str
        url : str, optional
            Where the page stood.

        Returns
        -------
        Page
        """
        from filter.html import layout

        return self.clean(layout(html, url))

    def clean_many(self, texts: Iterable[str], sites: Iterable[str | None] | None = None) -> Iterator[Page]:
        r"""Clean pages batch by batch: the way to clean more than one.

        Parameters
        ----------
        texts : iterable of str
            Read as far as the next batch needs; with sites, some four million characters ahead.
        sites : iterable of str or None, optional
            Which site each page is of, None where that is not known. What comes back on many pages of a site is likelier
            injected or furniture. Counted are the pages read so far and those ahead; see `filter.site` for what is kept.

        Yields
        ------
        Page
            In order; without sites, the same that `clean` gives for each.

        Raises
        ------
        PagefilterError
            If there are more texts than sites, or fewer.

        Examples
        --------
        >>> texts = [f"Harbour walks\n\nThe {name} path follows the old sea wall for a mile." for name in "north south west".split()]
        >>> [page.text == text for page, text in zip(PageFilter.load().clean_many(texts, ["walks.example"] * 3), texts)]
        [True, True, True]
        """
        if sites is None:
            for group in batches(texts):
                yield from self._clean_batch(group)
            return
        counts = SiteCounts()
        for window in _windows(texts, sites):
            some = any(site is not None for _, site in window)
            groups = list(_grouped(window))
            for group, its_sites in groups if some else ():
                batch = segment([as_judged(judged(text))[0] for text in group])
                counts.add(batch, fold(batch), its_sites)
            for group, its_sites in groups:
                yield from self._clean_batch(group, partial(counts.evidence, sites=its_sites) if some else None)

    def explain(self, text: str) -> list[Explanation]:
        """Every line of a page with the strongest reasons for its verdict.

        Parameters
        ----------
        text : str

        Returns
        -------
        list of Explanation
            One a line; a blank line has no reasons.
        """
        page = self.clean(text)
        return self.reasons(page, text, page.lines)

    def reasons(self, page: Page, text: str, lines: Sequence[Line]) -> list[Explanation]:
        """Some lines of a page that was cleaned, with the strongest reasons for their verdicts.

        Parameters
        ----------
        page : Page
        text : str
            What was cleaned.
        lines : sequence of Line
            Of the page.

        Returns
        -------
        list of Explanation
            One for each of `lines`; a blank line has no reasons.
        """
        mended = judged(text)
        # What other pages said of sentences or paragraphs they did not say of the lines that are explained.
        evidence = page.evidence if as_judged(mended)[1] is None else None
        return explain_page(lines, mended, self.model, self.settings, evidence)

    def _clean_batch(self, texts: list[str], evidence: Gather | None = None) -> list[Page]:
        # Whoever asked for the lines of a page will ask for those of the next ones.
        return self._judged(texts, self._labels_decide or self._lines_asked, evidence)

    def _lines_of(self, text: str, evidence: Evidence | None) -> list[Line]:
        """The lines of a page that was cleaned without labels; a page is judged alike in any batch."""
        self._lines_asked = True
        return self._judged([text], True, None if evidence is None else lambda batch, folded: evidence)[0].lines

    def _judged(self, texts: list[str], labels: bool, gather: Gather | None) -> list[Page]:
        repairs = [find_repairs(text) for text in texts]
        known: Evidence | None = None

        def evidence(batch: Batch, folded: Folded) -> Evidence:
            nonlocal known
            known = gather(batch, folded) if gather else Evidence.none(len(batch.starts))
            return known

        flows = [as_judged(judged(text, spans)) for text, spans in zip(texts, repairs, strict=True)]
        to_judge = [text for text, _ in flows]
        # What was read once is not read again when its lines are asked for.
        labels = labels or self.second_opinion is not None
        classified = partial(classify, to_judge, self.model, labels=labels, evidence=gather and evidence)
        try:
            batch, verdicts = classified(second_opinion=self.second_opinion)
        except EncoderError as error:
            if self._without is None:
                raise
            self.settings, self.second_opinion, self.missing = self._without, None, str(error)
            batch, verdicts = classified()
        kept = self._kept(verdicts, batch)
        for index, (_, flow) in enumerate(flows):
            if flow is not None and not flow.wrapped:
                # Where a menu ends on a page of one line its sentences do not tell: only what was injected is cut.
                of_page = slice(int(batch.first_line[index]), int(batch.first_line[index + 1]))
                kept[of_page] |= np.isin(verdicts.label[of_page], FURNITURE_COLUMNS) | flow.uncut
        blank = verdicts.label == NO_LABEL
        runs = runs_of(kept, blank, batch.first_line)
        whole = _whole_pages(verdicts, kept, batch, self.settings.spam_page)
        found = _Found(batch, verdicts, kept, labels, whole, known)
        mended = repairs
        if self._without_repairs:
            repairs = [find_repairs(text, self._without_repairs) for text in texts]
        pages = []
        for index, (text, spans, (_, flow)) in enumerate(zip(texts, repairs, flows, strict=True)):
            if flow is None:
                pages.append(self._page(index, text, spans, found, runs, bool(mended[index])))
            else:
                pages.append(self._reflowed_page(index, text, spans, found, mended[index], flow))
        return pages

    def _kept(self, verdicts: Verdicts, batch: Batch) -> NDArray[np.bool_]:
        """Which lines stay: a label that may go does when its threshold is reached."""
        n_lines = np.bincount(batch.page_of, verdicts.label != NO_LABEL, len(batch.texts))
        alone = n_lines[batch.page_of] == 1
        injected = verdicts.injected >= np.where(alone, self.settings.alone, self.settings.injected)
        as_furniture = verdicts.furniture * (1 - verdicts.injected)
        furniture = ~injected & ((as_furniture >= self.settings.furniture) | (verdicts.junk >= self.settings.junk))
        unnamed = np.isin(verdicts.label, GENUINE_COLUMNS)
        likelier = np.where(verdicts.injected > as_furniture, verdicts.kind[:, 2], verdicts.kind[:, 1])
        final = np.where(injected, verdicts.kind[:, 2], np.where(furniture, likelier, verdicts.label))
        certain = injected | furniture | unnamed
        verdicts.label[:] = np.where(verdicts.label == NO_LABEL, NO_LABEL, final)
        stays: NDArray[np.bool_] = (verdicts.label == NO_LABEL) | ~(self._dropped[verdicts.label] & certain)
        return stays

    def _page(self, index: int, text: str, repairs: list[Span], found: _Found, runs: Runs, moved: bool) -> Page:
        batch, lines = found.batch, found.lines_of(index)
        if moved or len(text) > LONGEST_LINE:
            # What was judged is not what came: its lines lie elsewhere.
            starts, ends = line_bounds(text)
        else:
            starts, ends = batch.starts[lines] - batch.page_start[index], batch.ends[lines] - batch.page_start[index]
        kept = found.kept[lines]
        if repairs:
            repairs = [r for r in repairs if kept[np.searchsorted(starts, r.start, side="right") - 1]]
        run = slice(runs.bounds[index], runs.bounds[index + 1])
        first, last = runs.first[run] - lines.start, runs.last[run] - lines.start
        output = joined(text, starts[first].tolist(), ends[last].tolist(), repairs)
        if not found.labels:
            return self._unlabelled(text, output, found, index)
        verdicts = found.verdicts
        make = partial(_lines, text, starts, ends, verdicts.label[lines], verdicts.junk[lines], kept, repairs)
        return Page(output, make, evidence=found.evidence_of(index), **found.whole[index])

    def _reflowed_page(
        self, index: int, text: str, repairs: list[Span], found: _Found, mended: list[Span], flow: Reflowed
    ) -> Page:
        """A page that was judged by its sentences or paragraphs."""
        parts, verdicts = found.lines_of(index), found.verdicts
        label, junk, kept, cuts = on_lines(flow, verdicts.label[parts], verdicts.junk[parts], found.kept[parts])
        cuts = [
            Span(before_repairs(c.start, mended, is_end=False), before_repairs(c.end, mended, is_end=True), c.label)
            for c in cuts
        ]
        starts, ends = line_bounds(text)
        runs = runs_of(kept, label == NO_LABEL, np.array([0, len(kept)]))
        # What is cut need not be mended.
        repairs = [r for r in repairs if not any(c.start < r.end and r.start < c.end for c in cuts)]
        repairs = [r for r in repairs if kept[np.searchsorted(starts, r.start, side="right") - 1]]
        spans = sorted([*cuts, *repairs], key=lambda span: span.start)
        output = joined(text, starts[runs.first].tolist(), ends[runs.last].tolist(), spans)
        # Lines are counted, as they came.
        found.whole[index]["dropped"] = _dropped_kinds(label, kept, np.zeros(len(kept), np.int64), 1)[0]
        if not found.labels:
            return self._unlabelled(text, output, found, index)
        make = partial(_lines, text, starts, ends, label, junk, kept, spans)
        return Page(output, make, evidence=found.evidence_of(index), **found.whole[index])

    def _unlabelled(self, text: str, output: str, found: _Found, index: int) -> Page:
        """A page whose lines are found when they are asked for."""
        evidence = found.evidence_of(index)
        return Page(output, partial(self._lines_of, text, evidence), evidence=evidence, **found.whole[index])


@dataclass(frozen=True, slots=True)
class _Found:
    """What was found of a batch: of its lines, and of each of its pages."""

    batch: Batch
    verdicts: Verdicts
    kept: NDArray[np.bool_]
    labels: bool
    whole: list[dict[str, Any]]
    evidence: Evidence | None

    def lines_of(self, index: int) -> slice:
        """The lines of a page in the batch."""
        return slice(int(self.batch.first_line[index]), int(self.batch.first_line[index + 1]))

    def evidence_of(self, index: int) -> Evidence | None:
        """What other pages of its site said of a page."""
        return None if self.evidence is None else self.evidence.of(self.lines_of(index))


def as_judged(text: str) -> tuple[str, Reflowed | None]:
    """A mended page as it is judged, by its sentences or paragraphs where its line breaks say nothing.

    Parameters
    ----------
    text : str

    Returns
    -------
    text : str
    flow : Reflowed or None

    Examples
    --------
    >>> as_judged("plain text")
    ('plain text', None)
    """
    flow = None if len(text) > LONGEST_LINE else reflowed(text)
    return (text, None) if flow is None else (flow.text, flow)


def _whole_pages(verdicts: Verdicts, kept: NDArray[np.bool_], batch: Batch, spam_page: float) -> list[dict[str, Any]]:
    """What is said of each page as a whole, by the names of `Page`."""
    mass = np.where(verdicts.label == NO_LABEL, 0, batch.ends - batch.starts).astype(np.float64)
    scores = spam_scores(verdicts.injected, verdicts.junk, mass, batch.page_of, len(batch.texts))
    was_injected = ~kept & np.isin(verdicts.label, INJECTED_COLUMNS)
    found, shares = judge_pages(scores, spam_page, mass, ~kept, was_injected, batch.page_of)
    dropped = _dropped_kinds(verdicts.label, kept, batch.page_of, len(batch.texts))
    return [
        {"dropped": kinds, "verdict": verdict, "junk_share": share}
        for kinds, verdict, share in zip(dropped, found, shares, strict=True)
    ]


def _dropped_kinds(
    labels: NDArray[np.int8], kept: NDArray[np.bool_], page_of: NDArray[np.int64], n_pages: int
) -> list[dict[str, int]]:
    """How many dropped lines of each page are of each kind."""
    gone = np.flatnonzero(~kept)
    place = page_of[gone] * len(LABELS) + labels[gone]
    counts = np.bincount(place, minlength=n_pages * len(LABELS)).reshape(n_pages, len(LABELS))
    kinds = {"injected": INJECTED_COLUMNS, "furniture": FURNITURE_COLUMNS, "genuine": GENUINE_COLUMNS}
    by_kind = np.stack([counts[:, columns].sum(axis=1) for columns in kinds.values()], axis=1).tolist()
    return [{kind: count for kind, count in zip(kinds, row, strict=True) if count} for row in by_kind]


def judged(text: str, repairs: Sequence[Span] | None = None) -> str:
    """The page as it is judged: mended, for a mirror's damage says nothing of a line, and shortened.

    Parameters
    ----------
    text : str
    repairs : sequence of Span, optional
        Those of `filter.repairs.find_repairs`, where they are known.

    Returns
    -------
    str

    Examples
    --------
    >>> judged("plain text")
    'plain text'
    """
    return shortened(apply_spans(text, find_repairs(text) if repairs is None else repairs))


def _windows(texts: Iterable[str], sites: Iterable[str | None]) -> Iterator[list[tuple[str, str | None]]]:
    """Pages with their sites, some `WINDOW` characters at a time."""
    window: list[tuple[str, str | None]] = []
    filled, missing = 0, object()
    for text, site in zip_longest(texts, sites, fillvalue=missing):
        if text is missing or site is missing:
            raise PagefilterError("every text needs a site, and every site a text; give None where it is not known")
        window.append((text, site))  # type: ignore[arg-type]
        filled += len(text)  # type: ignore[arg-type]
        if filled >= WINDOW:
            yield window
            window, filled = [], 0
    if window:
        yield window


def _grouped(window: list[tuple[str, str | None]]) -> Iterator[tuple[list[str], list[str | None]]]:
    """The pages of a window in batches, each with its sites."""
    sites = (site for _, site in window)
    for group in batches(text for text, _ in window):
        yield group, list(islice(sites, len(group)))


def shortened(text: str) -> str:
    r"""The page to judge: of a line longer than any author's the beginning and the end, so that memory stays bounded.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        With as many lines, the same ones blank.

    Examples
    --------
    >>> len(shortened("a line\n" + "word " * 1_000_000))
    1048583
    """
    if len(text) <= LONGEST_LINE:
        return text
    half = LONGEST_LINE // 2
    lines = (line if len(line) <= LONGEST_LINE else line.strip() for line in text.split("\n"))
    return "\n".join(line if len(line) <= LONGEST_LINE else line[:half] + line[-half:] for line in lines)


def _lines(
    text: str,
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    labels: NDArray[np.int8],
    junk: NDArray[np.float32],
    kept: NDArray[np.bool_],
    repairs: Sequence[Span],
) -> list[Line]:
    by_line = {
        int(line): list(group)
        for line, group in groupby(repairs, key=lambda r: np.searchsorted(starts, r.start, side="right") - 1)
    }
    found = []
    for number, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        label = LABELS[labels[number]] if labels[number] != NO_LABEL else BLANK
        body = text[start:end]
        spans = tuple(Span(r.start - start, r.end - start, r.label, r.replacement) for r in by_line.get(number, ()))
        output = apply_spans(body, spans) if kept[number] else None
        found.append(Line(number, body, label, float(junk[number]), bool(kept[number]), output, spans))
    return found
