"""What others made and we install: what it is, under which licence, and how old it must be before we take it."""
