"""Circuits: at which layer of the encoder a feature appears, and how it is built up."""

from lib.sae.circuits.births import Births
from lib.sae.circuits.lens import Kind, Lens
from lib.sae.circuits.states import States
from lib.sae.circuits.trace import COACTIVE, Trace
from lib.sae.circuits.verdict import Verdict

__all__ = ["COACTIVE", "Births", "Kind", "Lens", "States", "Trace", "Verdict"]
