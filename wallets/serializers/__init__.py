"""Shapes of the wallet's requests and answers."""
