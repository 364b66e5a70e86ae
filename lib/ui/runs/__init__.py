"""What pages about long runs have in common: which run, how it fares, and what can be done with it."""
