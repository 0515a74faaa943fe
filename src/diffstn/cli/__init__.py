"""The command line: words → configuration, refusals, exit codes."""
