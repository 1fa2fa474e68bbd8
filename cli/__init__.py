"""The operator's command, `presence`: one module a subcommand, each with `run(arguments) -> int`."""
