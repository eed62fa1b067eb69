"""The `mendline` command."""
