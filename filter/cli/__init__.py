"""The command line: `filter.cli.app` is the entry point, and there is one module a command."""
