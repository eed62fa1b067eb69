"""Mendline 统修: repair service as a system of record."""
