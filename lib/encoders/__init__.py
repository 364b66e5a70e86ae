"""Encoders: a checkpoint is described (without torch), opened, and turns text into vectors."""

from lib.encoders.checkpoint import Checkpoint
from lib.encoders.describe import describe
from lib.encoders.encoder import BATCH_TOKENS, Encoded, Encoder
from lib.encoders.families import FAMILIES, Family, Variant, family_of
from lib.encoders.hidden import AttentionBatch, HiddenBatch
from lib.encoders.late_checkpoint import LateCheckpoint, describe_multi_vector
from lib.encoders.memory import ShortOfMemoryError, free_memory
from lib.encoders.multi_vector import MultiVectorEncoder, open_multi_vector
from lib.encoders.opening import open_encoder
from lib.encoders.policy import Policy
from lib.encoders.precision import PRECISIONS, Precision, bfloat16_available, openvino_available, precisions_available
from lib.encoders.prompts import Prompts, Role
from lib.encoders.sources import PACKAGED, PACKAGED_HARMFUL, PACKAGED_STATIC, PACKAGED_TUNED
from lib.encoders.spans import room, token_spans
from lib.encoders.token_states import TokenBatch, TokenEncoder, TokenVectors

__all__ = [
    "BATCH_TOKENS",
    "FAMILIES",
    "PACKAGED",
    "PACKAGED_HARMFUL",
    "PACKAGED_STATIC",
    "PACKAGED_TUNED",
    "PRECISIONS",
    "AttentionBatch",
    "Checkpoint",
    "Encoded",
    "Encoder",
    "Family",
    "HiddenBatch",
    "LateCheckpoint",
    "MultiVectorEncoder",
    "Policy",
    "Precision",
    "Prompts",
    "Role",
    "ShortOfMemoryError",
    "TokenBatch",
    "TokenEncoder",
    "TokenVectors",
    "Variant",
    "bfloat16_available",
    "describe",
    "describe_multi_vector",
    "family_of",
    "free_memory",
    "open_encoder",
    "open_multi_vector",
    "openvino_available",
    "precisions_available",
    "room",
    "token_spans",
]
