"""Google's sign-in, offline: OpenID Connect with Google's own paths, answers and refusals."""
