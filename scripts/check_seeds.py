"""Check and count the project's own seeds: python scripts/check_seeds.py [FOLDER OR FILE ...] [--strict] [--readme].

What every labelled file is checked for is `filter.seeds`, and `pagefilter seeds check`; here the counts that the project
promises come on top, and the table in seeds/README.md. Exits 1 where anything is wrong or missing.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from filter.labels import GENUINE, INJECTED, LABELS  # noqa: E402
from filter.seeds import FAMILY_SHARE, Seed, check_seeds, large_families, read_seeds  # noqa: E402

PROMISED = {
    "lines": 8000,
    "pages": 350,
    "labels": 11,
    "languages": 24,
    "hard genuine": 2000,
    "injected families": 150,
}
COLUMNS = 24
OTHERS = "more"
README = ROOT / "seeds" / "README.md"
TABLE_BEGINS, TABLE_ENDS = "<!-- table begins -->", "<!-- table ends -->"


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


def readme_table(seeds: Sequence[Seed]) -> str:
    """Lines and families by language and label, as Markdown."""
    lines = [seed for seed in seeds if seed.is_line]
    cells = Counter((str(seed.fields.get("language")), seed.label) for seed in lines)
    families: dict[tuple[str, str], set[str]] = defaultdict(set)
    for seed in lines:
        families[str(seed.fields.get("language")), seed.label].add(seed.family)
    of_language = Counter(str(seed.fields.get("language")) for seed in lines)
    out = ["| language | all | " + " | ".join(LABELS) + " |", "|---" * (len(LABELS) + 2) + "|"]
    for language, total in sorted(of_language.items(), key=lambda item: (-item[1], item[0])):
        row = [
            f"{cells[language, label]} ({len(families[language, label])})" if cells[language, label] else ""
            for label in LABELS
        ]
        out.append(f"| {language} | {total} | " + " | ".join(row) + " |")
    totals = [
        f"{sum(seed.label == label for seed in lines)} ({len({s.family for s in lines if s.label == label})})"
        for label in LABELS
    ]
    return "\n".join([*out, f"| all | {len(lines)} | " + " | ".join(totals) + " |"])


def with_table(readme: str, seeds: Sequence[Seed]) -> str:
    """The seeds' README with its table as it should be."""
    before, rest = readme.split(TABLE_BEGINS)
    after = rest.split(TABLE_ENDS)[1]
    return f"{before}{TABLE_BEGINS}\n\n{readme_table(seeds)}\n\n{TABLE_ENDS}{after}"


def short_of(counts: dict[str, int], wanted: dict[str, int]) -> list[str]:
    """List what there is too little of."""
    return [f"{name}: {counts[name]} of {least}" for name, least in wanted.items() if counts[name] < least]


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path, default=[ROOT / "seeds"])
    parser.add_argument("--strict", action="store_true", help="families that are too large count as well")
    parser.add_argument("--readme", action="store_true", help="write the table into seeds/README.md")
    parser.add_argument("--most", type=int, default=30, help="problems of a kind to show")
    arguments = parser.parse_args()
    seeds, problems = read_seeds(arguments.paths)
    counts = count(seeds)
    if arguments.readme:
        README.write_text(with_table(README.read_text(encoding="utf8"), seeds), encoding="utf8")
    print(table(seeds), "", "\n".join(f"{name:<18}{number:>6}" for name, number in counts.items()), sep="\n")
    findings = check_seeds(seeds, problems)
    copies = len({copy.split(": ")[0] for copy in findings.near_copies})
    print(f"{'near-copies':<18}{copies:>6}  lines, {copies / max(counts['lines'], 1):.2%}")
    kinds = {
        "rows": findings.rows,
        "contradictions": findings.contradictions,
        "links and numbers": findings.invented,
        "near-copies": findings.near_copies,
        "promised, and missing": short_of(counts, PROMISED) if arguments.paths == [ROOT / "seeds"] else [],
    }
    large = [f"{label}: {family} holds {n} lines, {share:.1%}" for label, family, n, share in large_families(seeds)]
    later = {f"families over {FAMILY_SHARE:.0%} of their label": large}
    for kind, found in {**kinds, **later}.items():
        if found:
            print(f"\n{kind}: {len(found)}", *found[: arguments.most], sep="\n  ")
            if len(found) > arguments.most:
                print(f"  and {len(found) - arguments.most} more")
    broken = [*kinds.values(), *(later.values() if arguments.strict else [])]
    sys.exit(any(broken))


if __name__ == "__main__":
    main()
