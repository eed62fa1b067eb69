"""The proving ground: a seeded world that drives the product through its API, watched by an oracle of its own."""
