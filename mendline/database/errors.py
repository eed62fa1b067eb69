"""What can go wrong with the database server. Each message says what to do next."""


class DatabaseUnavailable(Exception):
    """The database cannot be found, started or used. The message is meant for the person who typed the command."""
