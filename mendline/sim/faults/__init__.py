"""Failures made on purpose, and what must hold in spite of them: at every statement, in every order, in processes."""
