"""The owner's settings: each with its name in the environment, what it may be, and its default."""
