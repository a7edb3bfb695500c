"""Tests of the sandbox: real HTTP, real vendor SDK, no Django, no network."""
