"""Defects planted on purpose in a copy of the project, to see whether anybody notices."""
