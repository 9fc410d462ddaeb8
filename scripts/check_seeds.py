"""Check and count the seeds: python scripts/check_seeds.py [FOLDER OR FILE ...] [--strict].

Exits 1 where a row breaks the schema, looks copied from somewhere (links, e-mail addresses, phone numbers), nearly
repeats another row of its label, or where there are fewer of a kind than the project promises. With --strict
the goals not reached yet count as well.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from filter.codepoints import fold_table, to_codes  # noqa: E402
from filter.labels import BLANK, DUPLICATE, GENUINE, INJECTED, LABELS  # noqa: E402

PROMISED = {"lines": 1200, "pages": 60, "labels": 11, "languages": 10, "hard genuine": 250}
GOALS = {
    "lines": 8000,
    "pages": 350,
    "labels": 11,
    "languages": 24,
    "hard genuine": 2000,
    "injected families": 150,
}
FIELDS: dict[str, type] = {
    "text": str,
    "label": str,
    "language": str,
    "family": str,
    "note": str,
    "page": str,
    "clean": str,
}
REQUIRED = ("text", "label", "language", "family")
NEAR = 0.6
"""Jaccard similarity of 4-character shingles above which two lines count as copies."""
SHINGLE = 4
SHORTEST = 8
"""Folded characters under which lines are not compared: menus everywhere say Home and Search, and should."""
LEAST_LETTERS = 0.5
"""Share of letters under which lines are not compared: dates and counts fold to the same zeros."""
FAMILY_SHARE = 0.03
COLUMNS = 24
OTHERS = "more"

_RESERVED = re.compile(r"(?:^|\.)(?:test|example|invalid|localhost)$|(?:^|\.)example\.(?:com|net|org)$")
_HOST = re.compile(r"\b(?:[a-z0-9-]+\.)+[a-z]{2,}\b")
_MAIL = re.compile(r"[a-z0-9._%+-]+@((?:[a-z0-9-]+\.)+[a-z]{2,})")
_NUMBER = re.compile(r"\+?\d[\d \-()]{8,}\d")
_INVENTED = re.compile(r"555|000|0123|12345|^(?:19|20)\d\d")
_ENDINGS = frozenset(
    [
        "com",
        "net",
        "org",
        "info",
        "biz",
        "xyz",
        "top",
        "vip",
        "cc",
        "cn",
        "ru",
        "io",
        "shop",
        "site",
        "online",
        "club",
        "bet",
        "win",
        "casino",
        "porn",
        "xxx",
        "jp",
        "kr",
        "vn",
        "id",
        "th",
        "tv",
        "me",
        "co",
        "app",
    ]
)
"""Last parts of names that are meant as hosts even without a scheme before them; others may be file names."""


@dataclass(frozen=True, slots=True)
class Seed:
    """A row of the seeds and where it stands."""

    place: str
    fields: dict[str, Any]

    @property
    def text(self) -> str:
        """The line."""
        return str(self.fields.get("text", ""))

    @property
    def label(self) -> str:
        """What it is."""
        return str(self.fields.get("label", ""))

    @property
    def family(self) -> str:
        """The kind of junk or the source."""
        return str(self.fields.get("family", ""))

    @property
    def is_line(self) -> bool:
        """Whether it is more than a blank line of a page."""
        return self.label != BLANK


def read_seeds(paths: Iterable[Path]) -> tuple[list[Seed], list[str]]:
    """All rows, and what is wrong with those that are none."""
    seeds: list[Seed] = []
    problems: list[str] = []
    files = [file for path in paths for file in (sorted(path.glob("*.jsonl")) if path.is_dir() else [path])]
    for file in files:
        for number, row in enumerate(file.read_text(encoding="utf8").split("\n"), 1):
            if not row:
                continue
            place = f"{file.name}:{number}"
            try:
                fields = json.loads(row)
            except ValueError as error:
                problems.append(f"{place}: not JSON ({error})")
                continue
            if isinstance(fields, dict):
                seeds.append(Seed(place, fields))
            else:
                problems.append(f"{place}: not an object")
    return seeds, problems


def check_schema(seeds: Sequence[Seed]) -> Iterator[str]:
    """Rows with missing, unknown or contradictory fields, and pages that are torn apart."""
    last_page: dict[str, str] = {}
    closed: set[tuple[str, str]] = set()
    for seed in seeds:
        yield from (f"{seed.place}: {problem}" for problem in _row_problems(seed))
        file, page = seed.place.split(":")[0], str(seed.fields.get("page", ""))
        if page and (file, page) in closed and last_page.get(file) != page:
            yield f"{seed.place}: the lines of page {page} do not stand together"
        last_page[file] = page
        closed.add((file, page))


def _row_problems(seed: Seed) -> Iterator[str]:
    fields = seed.fields
    for name in REQUIRED:
        if name not in fields:
            yield f"no field {name}"
    for name, value in fields.items():
        if name not in FIELDS:
            yield f"unknown field {name}"
        elif not isinstance(value, FIELDS[name]):
            yield f"the field {name} is not a string"
    if seed.label not in (*LABELS, BLANK):
        yield f"unknown label {seed.label!r}"
    if (seed.label == BLANK) != (not seed.text.strip()):
        yield "blank lines, and only these, are labelled blank"
    if seed.label == BLANK and not fields.get("page"):
        yield "a blank line outside a page"
    if "\n" in seed.text:
        yield "a line break in the text"
    if seed.is_line and not seed.family:
        yield "no family"
    if seed.is_line and not fields.get("language"):
        yield "no language"
    if "clean" in fields and (seed.label not in GENUINE or fields["clean"] == seed.text):
        yield "clean is for a genuine line that comes out otherwise"


def check_invented(seeds: Sequence[Seed]) -> Iterator[str]:
    """Rows with a host name, an e-mail address or a number that could be somebody's."""
    for seed in seeds:
        text = seed.text.lower()
        for host in sorted({*_HOST.findall(text), *_MAIL.findall(text)}):
            meant = host.rsplit(".", 1)[1] in _ENDINGS or f"//{host}" in text or f"@{host}" in text
            if meant and not _RESERVED.search(host):
                yield f"{seed.place}: the host {host} is not a reserved one (.test, .example, .invalid, example.com)"
        for number in _NUMBER.findall(seed.text):
            digits = re.sub(r"\D", "", number)
            if len(digits) >= 9 and not _INVENTED.search(digits):
                yield f"{seed.place}: {number} could be a real number; put 000, 555 or 12345 into it"


def folded(text: str) -> str:
    """Fold a line as the classifier does, and level its white space."""
    codes = fold_table()[to_codes(text)]
    return " ".join("".join(map(chr, codes[codes != 0])).split())


def near_copies(seeds: Sequence[Seed], limit: float = NEAR) -> list[tuple[Seed, Seed, float]]:
    """Pairs of lines of one label that share more than `limit` of their shingles.

    Two sets this alike share one of their rarest shingles, so that only those are looked up (prefix filtering,
    Chaudhuri and others, A Primitive Operator for Similarity Joins in Data Cleaning, 2006).
    """
    by_label: dict[str, list[tuple[Seed, frozenset[str]]]] = defaultdict(list)
    for seed in seeds:
        if seed.is_line and seed.label != DUPLICATE:
            text = folded(seed.text)
            if len(text) >= SHORTEST and sum(map(str.isalpha, text)) >= LEAST_LETTERS * len(text):
                by_label[seed.label].append(
                    (seed, frozenset(text[i : i + SHINGLE] for i in range(len(text) - SHINGLE + 1)))
                )
    return [pair for entries in by_label.values() for pair in _near_copies_of_label(entries, limit)]


def _near_copies_of_label(
    entries: Sequence[tuple[Seed, frozenset[str]]], limit: float
) -> Iterator[tuple[Seed, Seed, float]]:
    often = Counter(shingle for _, shingles in entries for shingle in shingles)
    holders: dict[str, list[int]] = defaultdict(list)
    for number, (seed, shingles) in enumerate(entries):
        rarest = sorted(shingles, key=lambda shingle: (often[shingle], shingle))
        rarest = rarest[: len(rarest) - int(limit * len(rarest)) + 1]
        for other in sorted({other for shingle in rarest for other in holders[shingle]}):
            other_seed, other_shingles = entries[other]
            if min(len(shingles), len(other_shingles)) > limit * max(len(shingles), len(other_shingles)):
                alike = len(shingles & other_shingles) / len(shingles | other_shingles)
                if alike > limit:
                    yield other_seed, seed, alike
        for shingle in rarest:
            holders[shingle].append(number)


def large_families(seeds: Sequence[Seed], share: float = FAMILY_SHARE) -> list[tuple[str, str, int, float]]:
    """Families that hold more than `share` of their label: label, family, lines, share."""
    lines = [seed for seed in seeds if seed.is_line]
    of_label = Counter(seed.label for seed in lines)
    of_family = Counter((seed.label, seed.family) for seed in lines)
    found = [
        (label, family, n, n / of_label[label])
        for (label, family), n in of_family.items()
        if n > share * of_label[label]
    ]
    return sorted(found, key=lambda row: -row[3])


def count(seeds: Sequence[Seed]) -> dict[str, int]:
    """Count what is promised."""
    lines = [seed for seed in seeds if seed.is_line]
    return {
        "lines": len(lines),
        "pages": len({(seed.place.split(":")[0], seed.fields["page"]) for seed in seeds if seed.fields.get("page")}),
        "labels": len({seed.label for seed in lines}),
        "languages": len({seed.fields.get("language") for seed in lines}),
        "hard genuine": sum(seed.family.startswith("hard-") and seed.label in GENUINE for seed in lines),
        "families": len({seed.family for seed in lines}),
        "injected families": len({seed.family for seed in lines if seed.label in INJECTED}),
        "mixed lines": sum("clean" in seed.fields for seed in lines),
    }


def table(seeds: Sequence[Seed]) -> str:
    """Lines by label and language, as text; languages of few lines together."""
    lines = [seed for seed in seeds if seed.is_line]
    of_language = Counter(str(seed.fields.get("language")) for seed in lines)
    columns = [language for language, _ in sorted(of_language.items(), key=lambda item: (-item[1], item[0]))[:COLUMNS]]
    named = [
        (seed.label, language if (language := str(seed.fields.get("language"))) in columns else OTHERS)
        for seed in lines
    ]
    cells = Counter(named)
    columns += [OTHERS] if len(of_language) > COLUMNS else []
    out = [_row("label", "all", "families", columns)]
    for label in LABELS:
        families = len({seed.family for seed in lines if seed.label == label})
        out.append(
            _row(
                label,
                sum(cells[label, name] for name in columns),
                families,
                [cells[label, name] or "" for name in columns],
            )
        )
    totals = Counter(language for _, language in named)
    return "\n".join(
        [
            *out,
            _row("all", len(lines), len({seed.family for seed in lines}), [totals[name] for name in columns]),
        ]
    )


def _row(name: str, total: object, families: object, cells: Sequence[object]) -> str:
    return f"{name:<17}{total:>6}{families:>9} " + "".join(f"{cell:>6}" for cell in cells).rstrip()


def short_of(counts: dict[str, int], wanted: dict[str, int]) -> list[str]:
    """List what there is too little of."""
    return [f"{name}: {counts[name]} of {least}" for name, least in wanted.items() if counts[name] < least]


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path, default=[ROOT / "seeds"])
    parser.add_argument("--strict", action="store_true", help="goals not reached yet count as well")
    parser.add_argument("--most", type=int, default=30, help="problems of a kind to show")
    arguments = parser.parse_args()
    seeds, problems = read_seeds(arguments.paths)
    counts = count(seeds)
    print(table(seeds), "", "\n".join(f"{name:<18}{number:>6}" for name, number in counts.items()), sep="\n")
    copies = near_copies(seeds)
    share = len({later.place for _, later, _ in copies}) / max(counts["lines"], 1)
    print(f"{'near-copies':<18}{len(copies):>6}  pairs, {share:.2%} of the lines")
    kinds = {
        "rows": [*problems, *check_schema(seeds)],
        "links and numbers": list(check_invented(seeds)),
        "near-copies": [
            f"{b.place}: {alike:.2f} like {a.place}: {b.text[:50]!r}, {a.text[:50]!r}" for a, b, alike in copies
        ],
        "promised, and missing": short_of(counts, PROMISED) if arguments.paths == [ROOT / "seeds"] else [],
    }
    goals = [f"{label}: {family} holds {n} lines, {share:.1%}" for label, family, n, share in large_families(seeds)]
    later = {
        "goals not reached yet": short_of(counts, GOALS),
        f"families over {FAMILY_SHARE:.0%} of their label": goals,
    }
    for kind, found in {**kinds, **later}.items():
        if found:
            print(f"\n{kind}: {len(found)}", *found[: arguments.most], sep="\n  ")
            if len(found) > arguments.most:
                print(f"  and {len(found) - arguments.most} more")
    broken = [*kinds.values(), *(later.values() if arguments.strict else [])]
    sys.exit(any(broken))


if __name__ == "__main__":
    main()
