"""Stripe, as its official specification, fixtures and SDK describe it (docs/gateways.md §2)."""
