"""An upgrade under load: the release before and this one, beside each other on the new tables (P8)."""
