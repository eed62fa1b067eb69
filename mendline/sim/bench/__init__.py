"""`mendline bench`: how fast the hot path, the interface, the lists, the choice of station and the timers are.

Everything is measured on a PostgreSQL server made for the run and removed afterwards, in processes of
their own that work with the application's account, as in an installation.
"""
