"""Paystack, as its official OpenAPI document and sample events describe it (docs/gateways.md §1)."""
