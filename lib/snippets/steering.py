"""Snippets of the Steering page."""

from lib.snippets.commands import Command, snippet_of
from lib.snippets.parts import corpus_taken_apart, feature_of, with_one_text
from lib.snippets.script import Script
from lib.snippets.snippet import Case, Snippet

TEXT = "steer_text"
_PROBE, _FIRST = 4.0, 4.0
_SIDES = ("query", "documents")
_NEEDS = "The command takes a typed text and features by number, and here one of them was chosen another way."


def steer(case: Case) -> Snippet:
    """Steer: a text's vector pushed along features."""
    recipe, side, top = case.typed("recipe"), case.choice("steer_side", _SIDES), case.whole("steer_top", 10)
    script = _pushed(case, f"parse_recipe({recipe!r}, sae.features)" if recipe else _strongest())
    if recipe:
        script.use("lib.sae.steering", "parse_recipe")
    else:
        script.use("lib.sae.decomposition", "decompose")
        script.use("lib.sae.steering", "Recipe")
    script.use("lib.sae.steering", "rerank", "steer")
    script.add(
        "found = steer(sae, vector, push)",
        "ranking = rerank(",
        f"    vectors, vector, push, side={side!r}, left_out=same, firing=codes.firing(push.features[0])[0],",
        ")",
    )
    script.show("Cosine shift" if side == "query" else "Mean cosine shift", "ranking.shift", ".3f")
    script.show("Side effects", "found.side_effects")
    script.show(f"Kept of the first {top}", f"{{ranking.kept({top})}} of {top}")
    typed = case.typed(TEXT)
    if not typed or not recipe or case.own_vectors:
        return snippet_of(script, note=_NEEDS)
    command = Command(case, "sae", "steer").option("--text", typed).option("--recipe", recipe).beside_corpus()
    command.option("--steer", side, usual="query").option("--top", top, usual=10)
    return snippet_of(script, command.with_sae().with_encoder())


def dose(case: Case) -> Snippet:
    """Dose-response: whether more of a feature pulls in more of its texts."""
    probe = case.number("dose_delta", _PROBE)
    feature = feature_of(case, "steer_feature", "decompose(sae, vector).features")
    script = _pushed(case, f"Recipe(({feature},), ({probe!r},))")
    script.use("lib.sae.steering", "Recipe", "dose_response")
    if not feature.isdecimal():
        script.use("lib.sae.decomposition", "decompose")
    script.add(
        "found = dose_response(",
        "    sae, codes, vectors, vector=vector, feature=push.features[0], unit=push.units[0],",
        f"    probe={probe!r}, left_out=same,",
        ")",
        "if found.rise is not None:",
    )
    script.show(
        "AUROC of its texts", "{found.rise[0]:.2f}, 95 % interval {found.rise[1]:.2f} to {found.rise[2]:.2f}", indent=4
    )
    script.show("Mean rank of its texts", f"{{found.rank_at(0):.0f}} → {{found.rank_at({probe!r}):.0f}}")
    script.show("Verdict", "found.verdict")
    typed = case.typed(TEXT)
    if not typed or not feature.isdecimal() or case.own_vectors:
        return snippet_of(script, note=_NEEDS)
    command = (
        Command(case, "sae", "steer").option("--text", typed).option("--feature", feature).option("--delta", probe)
    )
    command.beside_corpus().option("--dose").option("--probe", probe, usual=_PROBE)
    return snippet_of(script, command.with_sae().with_encoder())


def _strongest() -> str:
    return f"Recipe((int(decompose(sae, vector).features[0]),), ({_FIRST!r},))"


def _pushed(case: Case, recipe: str) -> Script:
    """A script with `push`, and `same`, the rows of the corpus that read as the text does."""
    script = corpus_taken_apart(case)
    with_one_text(case, script, TEXT)
    script.use("numpy")
    script.use("lib.sae.steering", "push_of")
    normalised = "looks_normalised(vectors)" if case.own_vectors else "checkpoint.normalised"
    if case.own_vectors:
        script.use("lib.sae.steering", "looks_normalised")
    script.add(
        f"recipe = {recipe}",
        f"push = push_of(sae, recipe, codes=codes, database=database, normalised={normalised})",
        "same = np.flatnonzero([one == text for one in corpus.texts])  # it does not find itself",
    )
    return script


VIEWS = {"Steer": steer, "Dose-response": dose}
