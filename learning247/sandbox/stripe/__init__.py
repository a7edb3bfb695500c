"""Stripe, as its official specification, fixtures and SDK describe it (gateways.md §2)."""
