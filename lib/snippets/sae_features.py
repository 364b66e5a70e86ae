"""Snippets of the SAE Features page."""

from lib.encoders import PACKAGED, PACKAGED_STATIC
from lib.sae.sources import PACKAGED_SAES
from lib.sae.suggestion import suggested
from lib.snippets.commands import Command, snippet_of
from lib.snippets.parts import (
    arguments,
    corpus_in_space,
    corpus_taken_apart,
    described,
    precision,
    with_dictionary,
    with_one_text,
)
from lib.snippets.script import Script
from lib.snippets.snippet import OWN_VECTORS, Case, Snippet

_RANKINGS = ("total", "frequency", "maximum", "mean", "stability", "score", "specificity")
_ALL = "all"
_WAYS = ("automatic", "as they are", "aligned")
_BYS = ("cosine", "correlation")
_PAIRINGS = ("one-to-one", "best")
_SAE_OF = {encoder: sae for sae, encoder in PACKAGED_SAES.items()}
_OF_CORPUS = "A text of the corpus has no command: the command line takes apart what is typed."
_RULES = ("BatchTopK", "TopK", "JumpReLU")


def one_text_command(case: Case, key: str, *names: str) -> Command | None:
    """A command about the text that was typed; None where it is one of the corpus."""
    typed = case.typed(key)
    return Command(case, *names).option("--text", typed) if typed and not case.own_vectors else None


def decompose(case: Case) -> Snippet:
    """Decompose: the features that a text is made of."""
    script = _text_and_dictionary(case, "text")
    script.use("lib.sae.decomposition", "decompose")
    script.add("found = decompose(sae, vector)")
    script.show("Active features", "{len(found.features)} of {found.dictionary}")
    script.show("Features' share", "found.features_share", ".1%")
    script.show("Error's share", "found.error_share", ".1%")
    script.show("FVU of this text", "found.fvu", ".3f")
    script.add(
        "for feature, activation in zip(found.features[:10].tolist(), found.activations):",
        "    print(f'{activation:.3f}', feature, database.label(feature) if database else '')",
    )
    command = one_text_command(case, "text", "sae", "decompose")
    if command is not None:
        command.with_sae().with_encoder()
    return snippet_of(script, command, note="" if command else _OF_CORPUS)


def contrast(case: Case) -> Snippet:
    """Contrast: what two texts share, and what not."""
    script = corpus_in_space(case)
    with_one_text(case, script, "text_a", name="_a")
    with_one_text(case, script, "text_b", name="_b", row=1)
    with_dictionary(case, script)
    script.use("lib.sae.decomposition", "contrast")
    script.add("found = contrast(sae, vector_a, vector_b)")
    script.show("Cosine", "found.cosine", ".3f")
    script.show("Only in A", "found.only_a.sum()")
    script.show("Only in B", "found.only_b.sum()")
    script.show("In both", "found.shared.sum()")
    script.show("By the error", "found.both.error", "+.3f")
    command = one_text_command(case, "text_a", "sae", "contrast")
    if command is None or not case.typed("text_b"):
        return snippet_of(script, note=_OF_CORPUS)
    return snippet_of(script, command.option("--text", case.typed("text_b")).with_sae().with_encoder())


def browser(case: Case) -> Snippet:
    """Browser: which features fire on the corpus, ranked."""
    by, label = case.choice("browser_by", _RANKINGS), case.typed("browser_label") or _ALL
    script = corpus_in_space(case)
    with_dictionary(case, script)
    labels = "corpus.labels"
    if label == _ALL:
        script.add("codes = sae.encode(vectors)")
    else:
        script.add(
            f"rows = [row for row, label in enumerate(corpus.labels) if label == {label!r}]",
            "codes = sae.encode(vectors[rows])",
        )
        labels = "[corpus.labels[row] for row in rows]"
    script.use("lib.sae.statistics", "feature_statistics", "rank_features")
    script.add(f"found = feature_statistics(codes, labels={labels})")
    script.show("Texts", "found.texts")
    script.show("Features that fire", "len(found.fires)")
    script.show("Silent here", "found.dead")
    script.show("Active a text", "found.count.sum() / found.texts", ".1f")
    known = f", {by}=database.numbers({by!r})" if by in ("score", "stability") else ""
    script.add(
        f"for feature in rank_features(found, {by!r}{known})[:10].tolist():",
        "    print(feature, database.label(feature) if database else '')",
    )
    note = "" if label == _ALL else "The command counts on all texts: it has no option for those of one label."
    command = Command(case, "sae", "features").with_corpus().with_sae().option("--by", by, usual="total")
    return snippet_of(script, command, note=note)


def match(case: Case) -> Snippet | None:
    """Match: which features two models share on the corpus."""
    if case.own_vectors:
        return None
    first = PACKAGED_STATIC if case.encoder == PACKAGED else PACKAGED
    encoder = case.typed("match_encoder") or first
    other = case.typed("match_sae") or _SAE_OF.get(encoder, case.sae)
    one_space = encoder == case.encoder
    by = case.choice("match_by", _BYS if one_space else _BYS[::-1])
    pairing, way = case.choice("match_pairing", _PAIRINGS), case.choice("match_space", _WAYS)
    script = corpus_taken_apart(case)
    with_dictionary(case, script, name="other", source=other)
    script.use("lib.embeddings", "embed")
    script.use("lib.store", "default_store")
    make = {"automatic": "fitting", "aligned": "align", "as they are": "identity"}[way]
    make = "identity" if one_space and way == "automatic" else make
    script.use("lib.sae.matching", "Model", "compare_models", make)
    how = precision(case)
    threshold = case.settings.get(f"match_from_{by}{'' if one_space or by != 'cosine' else '_aligned'}")
    usual = "" if threshold is None else f", threshold={case.number('', float(threshold))!r}"
    script.add(
        f"there = {described(case, script, encoder)}",
        f"theirs = embed(corpus.texts, there, lambda: open_encoder(there{how}), default_store(){how}).vectors",
        "models = Model(sae, codes, vectors), Model(other, other.encode(theirs), theirs)",
        f"found = compare_models(*models, alignment={make}({'' if make == 'identity' else 'vectors, theirs'}), labels="
        f"corpus.labels, {arguments(by=by, pairing=pairing)}{usual})",
    )
    for name, side in (("This", "ours"), ("Other", "theirs")):
        script.show(f"{name}: known", f"found.{side}.known.share", ".1%")
        script.show(f"{name}: paired", f"found.{side}.domain.share", ".1%")
    command = Command(case, "sae", "match").with_corpus().with_sae().option("--other", other)
    command.option("--other-encoder", encoder).option("--by", by).option("--pairing", pairing, usual="one-to-one")
    command.option("--space", {"as they are": "one"}.get(way, way), usual="automatic")
    return snippet_of(script, command.option("--threshold", False if threshold is None else float(threshold)))


def train(case: Case) -> Snippet | None:
    """Train: the command that begins the same training."""
    advice = suggested(case.texts)
    own = case.choice("train_settings", ("suggested", "my own")) == "my own"
    given = case if own else Case()
    held = given.typed("train_held_out").removesuffix(" %")
    rate, features = given.typed("train_rate"), given.whole("train_features", advice.features)
    if case.own_vectors:
        command = Command(case, "sae", "train").option("--embeddings", OWN_VECTORS)
    else:
        command = Command(case, "sae", "train").with_corpus(columns=("text", "id"))
    command.option("--out", "my-dictionary").option("--features", features)
    command.option("--k", k := given.whole("train_k", advice.k))
    command.option("--rule", given.choice("train_rule", _RULES).lower(), usual="batchtopk")
    command.option("--passes", given.whole("train_passes", advice.passes))
    command.option("--batch", given.whole("train_batch", advice.batch_size))
    command.option("--held-out", int(held) / 100 if held.isdecimal() else advice.held_out, usual=0.05)
    command.option("--learning-rate", False if rate in ("", "by size") else given.number("train_rate", 0.003))
    if given.flag("train_nested"):
        command.options("--prefixes", [features // 4**n for n in (3, 2, 1) if features // 4**n >= k])
    command.option("--seed", given.whole("train_seed", 0), usual=0)
    return by_command(command, "It trains, and writes the dictionary and its log into the folder after --out.")


def by_command(command: Command, note: str) -> Snippet | None:
    """What is a command, in Python: the command line as a function; None where no command does the same."""
    if not command.exact:
        return None
    script = Script()
    script.use("lib.cli", "main")
    script.add(f"main({command.parts!r})")
    return snippet_of(script, command, note=note)


def _text_and_dictionary(case: Case, key: str) -> Script:
    script = corpus_in_space(case)
    with_one_text(case, script, key)
    with_dictionary(case, script)
    return script


VIEWS = {"Decompose": decompose, "Contrast": contrast, "Browser": browser, "Match": match, "Train": train}
