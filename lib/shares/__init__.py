"""Shares: bundles of uploaded texts and queries that their owner hands on by link."""
