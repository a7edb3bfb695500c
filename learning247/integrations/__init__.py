"""Clients of the providers, as their wire protocols are: no ORM, no settings, no business rule."""
