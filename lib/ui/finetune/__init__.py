"""The Fine-tune Diff page: train, watch, compare."""
