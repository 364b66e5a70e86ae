"""Opening: the one way from a name to an encoder that runs."""

from lib.encoders.checkpoint import Checkpoint
from lib.encoders.describe import describe
from lib.encoders.encoder import Encoder
from lib.encoders.memory import check_memory
from lib.encoders.policy import Policy
from lib.encoders.precision import Precision, check_precision, torch_dtype
from lib.encoders.turns import OPENING

_BYTES: dict[Precision, int] = {"float32": 4, "bfloat16": 2, "openvino": 8}
"""Of memory, for each parameter; OpenVINO packs the weights anew and torch's stay for hidden states."""


def open_encoder(
    source: str | Checkpoint, *, policy: Policy | None = None, precision: Precision = "float32"
) -> Encoder:
    """Open an encoder, on a graphics processor where torch finds one.

    Args:
        source: what `describe` takes, or what it returned (prompts edited, perhaps).
        policy: what may be opened; that of the environment where None.
        precision: "float32"; "bfloat16" for about 1.8 times the speed at a cosine error of about 1e-4; "openvino" for
            about 1.2 times that of bfloat16 and less error, some seconds more to open, and twice float32's memory.

    Raises:
        InputError: see `describe`; also too little free memory, a precision that the processor lacks or whose
            package is missing, an architecture that OpenVINO cannot take.
    """
    check_precision(precision)
    checkpoint = source if isinstance(source, Checkpoint) else describe(source, policy=policy)
    policy = policy or Policy.from_environment()
    if precision != "float32" and checkpoint.kind == "static":
        precision = "float32"  # it only adds up rows: nothing to gain
    with OPENING.taken(checkpoint.source):
        check_memory(checkpoint.source, checkpoint.parameters, bytes_per_parameter=_BYTES[precision])
        from lib.encoders.loading import load_modules

        encoder = Encoder(checkpoint, load_modules(checkpoint, torch_dtype(precision)), precision=precision)
        if precision == "openvino":
            from lib.encoders.openvino import CompiledTransformer

            encoder.compiled = CompiledTransformer(encoder)
        return encoder
