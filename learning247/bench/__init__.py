"""Measurements that anyone can repeat: ratios within one run, because machines are noisy. Nothing here is a test."""
