"""What the Trace view says of its numbers and its graph."""

from lib.charts.circuits_trace import UNREADABLE
from lib.sae.circuits.lens import Lens
from lib.sae.circuits.trace import Trace
from lib.ui.messages import count, counted

CUT = 160  # characters of the text above the graph
MOST_LISTED = 6  # depths named one by one


def peak(result: Trace) -> tuple[str, str]:
    """Where the activation is highest, and what that means."""
    meaning = "The depth at which the feature fires most, and how strongly. Ties go to the earlier depth."
    highest = float(result.activations[result.peak])
    return (f"{result.depths[result.peak]} · {highest:.3f}" if highest > 0 else "nowhere"), meaning


def gain(result: Trace) -> tuple[str, str]:
    """What was gained from the first depth to the last."""
    return (
        f"+{result.total_gain:.3f}" if result.total_gain else "0",
        "The growth steps together: what the activation gains where it rises.",
    )


def steps(result: Trace) -> tuple[str, str]:
    """In how many steps it grew."""
    return (
        f"{result.growth_steps} of {len(result.growth)}",
        "Steps from one depth to the next that raise the activation by 5 % of its peak or more.",
    )


def reach(result: Trace, lens: Lens) -> dict[str, list[float]]:
    """How far each depth can be read: what stands below the graph."""
    if lens.fvu is None:
        found = {"FVU": [float(value) for value in result.fvu]}
    else:
        found = {"lens FVU": [float(value) for value in lens.fvu]}
    if lens.r2 is not None and lens.kind == "tuned":
        found["lens R²"] = [float(value) for value in lens.r2]
    return found


def warnings(result: Trace, lens: Lens) -> list[str]:
    """What a reader should know before reading the graph."""
    said = []
    if lens.kind == "raw":
        said.append(
            "Raw lens: each depth's pooled state goes through a dictionary that was trained on outputs alone. Early "
            f"states lie off what it knows, so that what fires there is close to noise.{_unreadable(lens)}"
        )
    if result.as_guessed not in (None, result.verdict) and result.lengths is not None:
        lengths = result.lengths[:-1]
        said.append(
            f"“{result.verdict.capitalize()}” hangs on the lens: its guesses are {lengths.min():.2f} to "
            f"{lengths.max():.2f} long and are brought to length 1, as the encoder's vectors are, which strengthens "
            f"what early depths hold. Left as short as they are, the curve is called “{result.as_guessed}”."
        )
    if not result.activations.any():
        said.append(
            f"Feature {result.feature} is silent at every depth of this text. Choose one that fires on it, or another "
            "text."
        )
    elif not result.activations[-1] > 0:
        said.append(f"Feature {result.feature} does not fire at the output: what it does before ends there.")
    return said


def _unreadable(lens: Lens) -> str:
    if lens.fvu is None or not (lens.fvu >= UNREADABLE).any():
        return ""
    depths = [depth for depth, fvu in zip(lens.depths, lens.fvu.tolist(), strict=True) if fvu >= UNREADABLE]
    of = f"{count(len(depths))} of the {count(len(lens.depths))}" if len(depths) < len(lens.depths) else "all"
    where = _listed(depths) if len(depths) <= MOST_LISTED else f"{of} depths"
    values = lens.fvu[lens.fvu >= UNREADABLE]
    low, high = f"{values.min():.1f}", f"{values.max():.1f}"
    return (
        f" At {where} it leaves {low if low == high else f'{low} to {high}'} times the variance of the states "
        "unexplained (FVU, ◇), more than if every state were taken for the mean one."
    )


def of_graph(result: Trace, lens: Lens) -> str:
    """How to read the graph."""
    seen = (
        "seen as it is (raw lens)"
        if lens.kind == "raw"
        else f"as a linear map fitted on {count(lens.fitted)} texts guesses the output from it (tuned lens)"
    )
    active = int(result.active[-1])
    trusted = (
        " Where R² is low the guess is far from the output, however strong its features: read it as a leaning."
        if lens.kind == "tuned"
        else ""
    )
    return (
        f"Each column is the text's pooled state at that depth, {seen}, through the same dictionary; the last is the "
        f"output itself, where {counted(active, 'feature')} fire. The area of a node is its activation, an arc the "
        "growth from one column to the next (pale where it is too small for a growth step); ★ marks the peak. Below "
        "stand the five strongest other features of each column, joined by a line where one stays among them."
        f"{trusted} A depth at which a feature first shows is "
        "where it can be read off, not proof that this layer computes it: Writers tells which part writes it."
    )


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
