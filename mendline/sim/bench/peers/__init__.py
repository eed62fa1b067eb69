"""`mendline bench --peers FILE`: the same four questions to Mendline and to other products, side by side in one run.

The peers run already and are given by address; `prepare.py` sets them up on a server with Mendline's own settings.
"""
