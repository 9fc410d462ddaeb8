"""Build the shipped model: python scripts/build_model.py [--out models/default] [--seeds-only]."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]
import corpora  # noqa: E402
import training_data  # noqa: E402

from filter.training import fit  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "models" / "default")
    parser.add_argument("--seeds-only", action="store_true", help="leave public text out")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    began = time.monotonic()

    def say(message: str) -> None:
        print(f"{time.monotonic() - began:7.1f} s  {message}", file=sys.stderr)

    if not arguments.seeds_only and not corpora.available():
        say("no data folder: built from the seeds alone, so ordinary pages will be judged less well")
    data = training_data.seeds() if arguments.seeds_only else training_data.everything()
    fit(data, seed=arguments.seed, say=say).save(arguments.out)
    say(f"wrote {arguments.out}")


if __name__ == "__main__":
    main()
