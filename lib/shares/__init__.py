"""Shares: bundles of uploaded texts and queries that their owner hands on by link."""

from lib.shares.bundle import Bundle
from lib.shares.export import corpus_jsonl
from lib.shares.folder import Created, DeadLinkError, Shares, default_shares
from lib.shares.limits import ShareLimits
from lib.shares.records import Record

__all__ = [
    "Bundle",
    "Created",
    "DeadLinkError",
    "Record",
    "ShareLimits",
    "Shares",
    "corpus_jsonl",
    "default_shares",
]
