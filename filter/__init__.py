"""pagefilter: give back only what a scraped page's author wrote."""

from __future__ import annotations

from filter.page import Line, Page, Span
from filter.pipeline import PageFilter

__all__ = ["Line", "Page", "PageFilter", "Span"]
__version__ = "0.1.0"
