"""How an encoder's layers build its vectors: similarity by layer, attention entropy by head."""

from lib.layers.attention import HeadEntropy, head_entropy, head_entropy_inputs
from lib.layers.attention_map import AttentionMaps, attention_map
from lib.layers.build_up import BuildUp, layer_build_up
from lib.layers.findings import Findings, findings
from lib.layers.head_flags import HeadFlags, flag_heads
from lib.layers.shelved import build_up_inputs

__all__ = [
    "AttentionMaps",
    "BuildUp",
    "Findings",
    "HeadEntropy",
    "HeadFlags",
    "attention_map",
    "build_up_inputs",
    "findings",
    "flag_heads",
    "head_entropy",
    "head_entropy_inputs",
    "layer_build_up",
]
