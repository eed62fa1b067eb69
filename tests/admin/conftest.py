"""The people and the network of the console's tests."""

from tests.console.conftest import network, signed_in

__all__ = ["network", "signed_in"]
