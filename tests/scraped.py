"""A small scraped site: stories with an injected line on each page."""

from __future__ import annotations

SPAM = "伊人影院,97自拍超碰,免费在线观看视频,国产精品久久久久,五月天婷婷成人网,亚洲无码一区二区三区"
STORIES = {
    "library": (
        "The library opens again",
        (
            "The town library opens its doors again on Monday after eight months of building work.",
            "The roof has been mended, and the reading room on the first floor has new windows.",
            "Children from the school next door carried the last boxes of books back to the shelves.",
        ),
    ),
    "bridge": (
        "Old bridge closed until spring",
        (
            "The stone bridge over the river stays closed until spring, the council said on Tuesday.",
            "Divers found that the winter flood had washed out the ground under two of its five pillars.",
            "Until then the bus takes the long way round, which adds about twenty minutes to the journey.",
        ),
    ),
}


def text(name: str) -> str:
    """The story as it should come out."""
    title, paragraphs = STORIES[name]
    return "\n\n".join((title, *paragraphs))


def only_the_story_is_left(name: str, cleaned: str) -> bool:
    """Whether the spam is gone and every sentence is there; how well headings do is measured elsewhere."""
    lines = [line for line in cleaned.split("\n") if line]
    title, paragraphs = STORIES[name]
    return [line for line in lines if line != title] == list(paragraphs)


def text_with_spam(name: str) -> str:
    return f"{SPAM}\n\n{text(name)}"


def html(name: str) -> str:
    title, paragraphs = STORIES[name]
    body = "".join(f"<p>{paragraph}</p>\n" for paragraph in (SPAM, *paragraphs))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
        f"<body><article><h1>{title}</h1>\n{body}</article></body></html>"
    )
