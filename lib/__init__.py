"""Embedscope's library: text comes in, vectors are made and kept, results are measured and drawn."""
