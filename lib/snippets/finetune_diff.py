"""Snippets of the Fine-tune Diff page: two checkpoints on the same texts, and what a training told of itself."""

from lib.encoders import PACKAGED, PACKAGED_TUNED
from lib.snippets.commands import Command, snippet_of
from lib.snippets.finetune_train import train
from lib.snippets.parts import described, precision, with_dictionary, with_queries, with_texts
from lib.snippets.script import Script
from lib.snippets.snippet import Case, Snippet

_OTHER_WAY = "each its own"
_WEIGHTS = ("shift", "ranks", "anisotropy")
_LOGS = {"sample": "medical", "harmful": "harmful"}


def drift(case: Case) -> Snippet | None:
    """Drift: how much changed, and whether it was for the better."""
    script = _space(case)
    if script is None:
        return None
    weights = tuple(case.number(f"drift_weight_{name}", 1.0) for name in _WEIGHTS)
    _with_ranks(case, script)
    script.use("lib.finetune.diff.drift", "drift")
    script.add(f"found = drift(space, ranks, weights={weights!r})")
    script.show("Drift", "found.composite", ".3f")
    script.add("print(found.verdict.sentence)")
    command = _command(case, "diff").with_corpus(encoder=False).with_queries()
    return snippet_of(script, command.options("--weights", [f"{one:g}" for one in weights], usual=["1", "1", "1"]))


def space(case: Case) -> Snippet | None:
    """Space: similarities, topics and dimensions before and after."""
    script = _space(case)
    if script is None:
        return None
    script.show("Anisotropy", "{space.anisotropy.base.mean_cosine:.3f} → {space.anisotropy.tuned.mean_cosine:.3f}")
    script.add("apart = space.separation", "if apart is not None:")
    for name, what in (("Separation of topics", "ratio"), ("Silhouette", "silhouette")):
        script.show(name, f"{{apart.{what}_base:.3f}} → {{apart.{what}_tuned:.3f}}", indent=4)
    return snippet_of(script, _command(case, "diff").with_corpus(encoder=False))


def texts(case: Case) -> Snippet | None:
    """Texts: which have new neighbours."""
    script = _space(case)
    if script is None:
        return None
    script.add("kept = space.neighbours")
    script.show("Neighbours kept", "{kept.mean:.1%}, 95 % interval {kept.interval[0]:.1%} to {kept.interval[1]:.1%}")
    script.show("Lost them all", "{(kept.kept == 0).sum()} of {len(kept.rows)}")
    script.add(
        "for row in kept.rows[kept.most_changed[:5]]:  # those that lost most", "    print(corpus.texts[row][:80])"
    )
    return snippet_of(script, _command(case, "diff").with_corpus(encoder=False))


def ranks(case: Case) -> Snippet | None:
    """Ranks: what became of each query."""
    script = _pair(case)
    if script is None:
        return None
    _with_ranks(case, script)
    for name, what in (("▲ Improved", "improved"), ("▼ Worse", "worse"), ("● Same rank", "same")):
        script.show(name, f"ranks.{what}")
    script.show("Recall@1", "{ranks.metric('recall@1').tuned.mean:.3f}, base {ranks.metric('recall@1').base.mean:.3f}")
    return snippet_of(script, _command(case, "diff").with_queries())


def concepts(case: Case) -> Snippet | None:
    """Concepts: which features were gained and lost."""
    script = _pair(case)
    if script is None:
        return None
    own = case.typed("concepts_through") == _OTHER_WAY
    with_texts(case, script)
    script.add("before, after = read(corpus.texts, base), read(corpus.texts, tuned)")
    with_dictionary(case, script)
    if own:
        with_dictionary(case, script, name="other", source=case.typed("concepts_sae") or case.sae)
        script.use("lib.finetune.concepts", "diff_own")
        script.use("lib.sae.matching", "Model", "compare_models", "fitting")
        script.add(
            "models = Model(sae, sae.encode(before), before), Model(other, other.encode(after), after)",
            "by = 'cosine' if before.shape[1] == after.shape[1] else 'correlation'",
            "match = compare_models(*models, alignment=fitting(before, after), by=by, labels=corpus.labels)",
            "found = diff_own(match, models[0].codes, models[1].codes)",
        )
        script.show("In both", "len(found.base)")
        script.show("Only in base", "len(found.only_base)")
        script.show("Only in tuned", "len(found.only_tuned)")
        return snippet_of(script, note="Matching has a command of its own: `sae match --corpus`.")
    script.use("lib.finetune.concepts", "ConceptSide", "diff_concepts")
    script.add(
        "sides = [ConceptSide(vectors, sae.encode(vectors)) for vectors in (before, after)]",
        "found = diff_concepts(sae, *sides, labels=corpus.labels)",
        "for kind, number in found.counts.items():",
        "    print(f'{kind.capitalize()}: {number}')",
    )
    script.show("By chance", "found.by_chance", ".2g")
    script.show("Not explained", "{found.fvu_base:.2f} → {found.fvu_tuned:.2f}")
    return snippet_of(script, _command(case, "diff-concepts").with_corpus(encoder=False).with_sae())


def monitor(case: Case) -> Snippet:
    """Monitor: the log of a training, and what in it deserves a look."""
    script, run = Script(), case.typed("run") or "sample"
    script.use("lib.finetune.monitor", "findings")
    if run == "upload":
        script.use("pathlib", "Path")
        script.use("lib.finetune.monitor", "read_upload")
        script.add(
            "# Your own log is not written into code: name its file here.",
            "path = Path('events.jsonl')",
            "log = read_upload(path.name, path.read_bytes())",
        )
    else:
        script.use("lib.finetune.monitor", "read_log")
        script.use("lib.runs", "all_events")
        if run in _LOGS:
            script.use("lib.corpora.samples", "SAMPLE_FOLDER")
            script.add(f"path = SAMPLE_FOLDER / 'finetune' / {_LOGS[run]!r} / 'events.jsonl'")
        else:
            script.use("lib.runs", "find_run")
            script.add(f"path = find_run({run!r}).event_file")
        script.add("log = read_log(all_events(path))")
    script.use("numpy")
    script.add("", "", "def lately(values):  # the median of the last steps", "    told = values[np.isfinite(values)]",
               "    return np.median(told[-20:])", "", "")  # fmt: skip
    for name, curve in (
        ("Loss", "loss"),
        ("Positive pairs", "positive"),
        ("Negative pairs", "negative"),
        ("Gap", "gap"),
    ):
        script.show(name, f"lately(log.{curve})", ".3f")
    script.add("for item in findings(log).items:", "    print(item.sentence)")
    return snippet_of(script)


def _pair(case: Case) -> Script | None:
    """A script with `base`, `tuned` and `read`; None where no second checkpoint is chosen."""
    other = case.typed("tuned") or (PACKAGED_TUNED if case.encoder == PACKAGED else "")
    if not other or case.own_vectors:
        return None
    script = Script()
    script.use("lib.embeddings", "embed")
    script.use("lib.encoders", "open_encoder")
    script.use("lib.store", "default_store")
    how = precision(case)
    script.add(
        f"base, tuned = {described(case, script, case.encoder)}, {described(case, script, other)}",
        "",
        "",
        "def read(texts, of, role='document'):",
        f"    return embed(texts, of, lambda: open_encoder(of{how}), default_store(), role=role{how}).vectors",
        "",
        "",
    )
    return script


def _space(case: Case) -> Script | None:
    """The same with `space`: the corpus in both."""
    script = _pair(case)
    if script is None:
        return None
    with_texts(case, script)
    script.use("lib.finetune.diff.sides", "known_shared")
    script.use("lib.finetune.diff.space", "space_diff")
    script.add(
        "before, after = read(corpus.texts, base), read(corpus.texts, tuned)",
        "space = space_diff(before, after, corpus.labels, shared=known_shared(base, tuned))",
    )
    return script


def _with_ranks(case: Case, script: Script) -> None:
    with_queries(case, script)
    script.use("lib.finetune.diff.ranks", "RetrievalSide", "rank_diff")
    script.add(
        "sides = [",
        "    RetrievalSide(of.source, read(queries.queries, of, 'query'), read(queries.documents, of))",
        "    for of in (base, tuned)",
        "]",
        "ranks = rank_diff(queries, *sides)",
    )


def _command(case: Case, name: str) -> Command:
    other = case.typed("tuned") or PACKAGED_TUNED
    command = Command(case, name).encoder_as("--base").option("--tuned", other, usual=PACKAGED_TUNED)
    return command.option("--precision", case.precision, usual="float32")


VIEWS = {
    "Drift": drift,
    "Space": space,
    "Ranks": ranks,
    "Texts": texts,
    "Concepts": concepts,
    "Monitor": monitor,
    "Train": train,
}
