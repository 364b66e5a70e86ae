"""Diff: two checkpoints on the same texts and queries, side by side."""
