"""Slow measurements, side by side with what a user would pick instead. Not tests: nothing fails on a number."""
