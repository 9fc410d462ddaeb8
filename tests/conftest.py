"""Fixtures: a small model trained here and now, and filters that drop much, so that every path is walked."""

from __future__ import annotations

import os

# Before anything loads scikit-learn: the models here are so small that threads would only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from cli_support import Cli, FakeFilter
from hypothesis import settings
from material import tiny_pages

from filter.labels import FURNITURE, INJECTED
from filter.model import Model
from filter.pipeline import PageFilter
from filter.policy import Policy
from filter.training import train

settings.register_profile("here", deadline=None, max_examples=50)
settings.register_profile("ci", deadline=None, max_examples=50, derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(scope="session")
def tiny_model() -> Model:
    """A model of a few seed pages, trained from nothing."""
    return train(tiny_pages(), scratch=True)


@pytest.fixture(scope="session")
def eager(tiny_model: Model) -> PageFilter:
    """Drops whatever is a little doubtful: kept and dropped lines mix on every page."""
    return PageFilter(tiny_model, Policy("balanced", 0.3, 0.2, 0.2, 0.3, frozenset(FURNITURE + INJECTED)))


@pytest.fixture(scope="session")
def lenient(tiny_model: Model) -> PageFilter:
    """Drops nothing: no label may go."""
    return PageFilter(tiny_model, Policy("spam-only", 2.0, 2.0, 2.0, 2.0, frozenset()))


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Cli:
    """The command with a filter that goes by the first word of a line."""
    monkeypatch.setattr("filter.PageFilter", FakeFilter)
    return Cli(monkeypatch, capfdbinary)
