"""Offline gateways: Paystack and Stripe on a local port, speaking the real wire protocol, statefully.

Run ``python -m learning247.sandbox``, or hold one inside a test with ``learning247.sandbox.server.Sandbox``.
Nothing here imports Django or any app of this project: the sandbox knows its callers only through HTTP.
"""
