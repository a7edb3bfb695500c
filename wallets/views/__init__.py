"""A person's wallet over HTTP."""
