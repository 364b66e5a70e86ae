"""What Contrast says of its numbers and pictures."""

from lib.sae.decomposition import Attribution, Contrast
from lib.ui.messages import count, counted, share

ERROR = (
    "Part of the cosine that lies in no feature: what the dictionary leaves out of one text, against the other. Where "
    "it is large, the features do not tell why the two are similar."
)


def of_differences(shown: int, differing: int) -> str:
    """How the mirrored bars are read, and what not to conclude."""
    told = (
        f"The {count(shown)} of {counted(differing, 'feature')}" if shown < differing else counted(differing, "feature")
    )
    return (
        f"{told} that fire on one text alone, or on one at least twice as strongly as on the other, the largest "
        "difference on top; A's activation to the left, B's hatched to the right. A feature that is missing on one "
        "side need not be foreign to that text: it may have just missed the cut, so short bars mean little. A "
        "difference need not move the score: what it adds to the cosine stands below."
    )


def of_shared(shown: int, shared: int) -> str:
    """How the bars of shared features are read."""
    told = f"The {count(shown)} of {counted(shared, 'feature')}" if shown < shared else counted(shared, "feature")
    return f"{told} that fire on both texts, by the weaker of the two activations: what the texts have in common."


def of_parts(result: Contrast, parts: Attribution) -> str:
    """How the parts of the cosine are read, and what not to conclude."""
    total = float(parts.contributions.sum())
    error = f"{share(abs(parts.error / result.cosine), 0)} of its size" if abs(result.cosine) > 0.01 else "beside it"
    return (
        f"The bars add up to the cosine: features {total:+.3f}, bias {parts.bias:+.3f}, error {parts.error:+.3f} = "
        f"{result.cosine:.3f}. A feature's bar is its activation in the one text times how far its direction points "
        "along the other text's whole vector: amber draws the two together, violet apart. The error, "
        f"{error}, is similarity that no feature carries. A feature that fires on one text alone can draw them "
        "together, where features like it fire on the other. The parts say what the score is made of, not what it "
        "would be without a feature: another may take its place."
    )


def of_meetings(result: Contrast) -> str:
    """How the pairs are read."""
    met = result.meetings
    return (
        f"Both texts taken apart: features that fire on both, each with itself, make {met.same:+.3f} of the cosine; "
        f"different features whose directions are alike, or opposed, {met.different:+.3f}; the bias {met.bias:+.3f}; "
        f"all that has an error in it {met.error:+.3f}. These are the pairs that weigh most."
    )
