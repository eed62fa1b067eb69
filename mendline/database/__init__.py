"""PostgreSQL: where it is, how it is started, and who may do what in it."""
