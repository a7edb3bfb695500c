"""Paystack, as its official OpenAPI document and sample events describe it (gateways.md §1)."""
