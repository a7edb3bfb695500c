"""The local stack behind `make run` and `make demo`: set-up, then web, worker, beat and sandbox."""
