"""Inside other scrapers and pipelines; each module needs the extra of its name."""
