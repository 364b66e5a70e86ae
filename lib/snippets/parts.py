"""Beginnings that snippets share: the encoder, the corpus, the query set, the dictionary, one text."""

import re
from collections.abc import Sequence

from lib.snippets.script import Script
from lib.snippets.snippet import OWN_QUERIES, OWN_TEXTS, OWN_VECTORS, Case

_FEATURE = re.compile(r"\s*(?:feature\s*|#)?(\d{1,9})\s*(?:·|$)", re.IGNORECASE)
_RUN = "run:"


def with_encoder(case: Case, script: Script) -> None:
    """`checkpoint`, and `encoder()`, which opens it once and only where that is needed."""
    script.use("functools", "cache")
    script.use("lib.encoders", "open_encoder")
    script.add(
        f"checkpoint = {described(case, script, case.encoder)}",
        f"encoder = cache(lambda: open_encoder(checkpoint{precision(case)}))",
    )


def described(case: Case, script: Script, source: str) -> str:
    """Expression for the checkpoint that `source` names, with the prompts that were edited."""
    if source.startswith(_RUN):
        script.use("lib.encoders", "Policy")
        script.use("lib.finetune.sources", "describe_any")
        found = f"describe_any({source!r}, policy=Policy.from_environment())"
    else:
        script.use("lib.encoders", "describe")
        found = f"describe({source!r})"
    if case.prompts is None:
        return found
    query, document = case.prompts
    return f"{found}.with_prompts(query={query!r}, document={document!r})"


def precision(case: Case) -> str:
    """The argument that says so, where it is not the usual one."""
    return "" if case.precision == "float32" else f", precision={case.precision!r}"


def embedding(case: Case, script: Script, texts: str, *, role: str = "document") -> str:
    """Expression for what `embed` gives for the expression `texts`."""
    script.use("lib.embeddings", "embed")
    script.use("lib.store", "default_store")
    asked = "" if role == "document" else f", role={role!r}"
    return f"embed({texts}, checkpoint, encoder, default_store(){asked}{precision(case)})"


def with_texts(case: Case, script: Script) -> None:
    """`corpus`."""
    if case.corpus is not None:
        script.use("lib.corpora", "load_sample")
        label = f", label={case.columns['label']!r}" if "label" in case.columns else ""
        script.add(f"corpus = load_sample({case.corpus!r}{label})")
        return
    script.use("pathlib", "Path")
    script.use("lib.corpora", "read_corpus")
    given = _columns(case, script)
    if case.own_vectors:
        script.use("numpy")
        given += f", embeddings=np.load({OWN_VECTORS!r})"
        script.add("# Your own texts and vectors are not written into code: name their files here.")
    else:
        script.add("# Your own texts are not written into code: name their file here.")
    script.add(f"corpus = read_corpus(Path({OWN_TEXTS!r}){given})")


def _columns(case: Case, script: Script) -> str:
    if "text" not in case.columns:
        return ""
    script.use("lib.corpora", "ColumnChoice")
    chosen = ", ".join(f"{what}={name!r}" for what, name in case.columns.items())
    return f", choice=ColumnChoice({chosen})"


def corpus_in_space(case: Case) -> Script:
    """A script that has `corpus`, `vectors`, and unless they came with it `checkpoint` and `encoder`."""
    script = Script()
    with_texts(case, script)
    if case.own_vectors:
        script.add("vectors, key = corpus.embeddings, corpus.key")
        return script
    with_encoder(case, script)
    script.add(f"made = {embedding(case, script, 'corpus.texts')}", "vectors, key = made.vectors, made.key")
    return script


def with_queries(case: Case, script: Script) -> None:
    """`queries`."""
    if case.queries is not None:
        script.use("lib.corpora", "load_query_set")
        script.add(f"queries = load_query_set({case.queries!r})")
        return
    script.use("pathlib", "Path")
    script.use("lib.corpora", "read_query_set")
    script.add(
        "# Your own query set is not written into code: name its file here, pairs or a zip.",
        f"queries = read_query_set(Path({OWN_QUERIES!r}))",
    )


def queries_in_space(case: Case) -> Script:
    """A script that has `queries`, and the vectors `asked` and `documents`."""
    script = Script()
    with_encoder(case, script)
    ask(case, script)
    return script


def ask(case: Case, script: Script) -> None:
    """`queries`, and the vectors `asked` and `documents`, where there is an encoder."""
    with_queries(case, script)
    script.add(
        f"asked = {embedding(case, script, 'queries.queries', role='query')}.vectors",
        f"documents = {embedding(case, script, 'queries.documents')}.vectors",
    )


def with_dictionary(case: Case, script: Script, *, name: str = "sae", source: str | None = None) -> None:
    """`sae` and `database`, which is what is known of its features, or both under other names."""
    script.use("lib.encoders", "Policy")
    script.use("lib.sae.sources", "open_sae")
    known = "database" if name == "sae" else f"{name}_database"
    script.use("lib.sae.database", "find_database")
    script.add(
        f"opened = open_sae({source or case.sae!r}, policy=Policy.from_environment())",
        f"{name}, {known} = opened.sae, find_database(opened.folder, opened.sae)",
    )


def corpus_taken_apart(case: Case) -> Script:
    """As `corpus_in_space`, with `sae`, `database` and `codes`."""
    script = corpus_in_space(case)
    with_dictionary(case, script)
    script.add("codes = sae.encode(vectors)")
    return script


def with_one_text(case: Case, script: Script, key: str, *, name: str = "", row: int = 0) -> None:
    """`text` and `vector`: what was typed, else the text of the corpus that was chosen; `name` is put behind both."""
    typed = case.typed(key)
    if typed and not case.own_vectors:
        script.add(
            f"text{name} = {typed!r}", f"vector{name} = encoder().encode([text{name}], role='document').vectors[0]"
        )
        return
    place = place_of(case.typed(f"{key}_of_corpus"), "corpus.ids", row)
    script.add(f"row{name} = {place}", f"text{name}, vector{name} = corpus.texts[row{name}], vectors[row{name}]")


def place_of(option: str, ids: str, usual: int = 0) -> str:
    """Expression for the row that an option like "m012 · The first words" names among the expression `ids`."""
    found, _, _ = option.partition(" · ")
    return f"{ids}.index({found!r})" if found else str(usual)


def feature_of(case: Case, key: str, listed: str) -> str:
    """Expression for a feature that was chosen by name, number, or a word of its label; else the first of `listed`."""
    chosen = case.typed(key)
    number = _FEATURE.match(chosen)
    if number:
        return number[1]
    if not chosen:
        return f"int({listed}[0])"
    words = " ".join(chosen.casefold().split())
    return f"next(f for f in {listed}.tolist() if {words!r} in (database.label(f) or '').casefold())"


def arguments(**given: object) -> str:
    """Arguments of a call, each by its name."""
    return ", ".join(f"{name}={value!r}" for name, value in given.items())


def tuple_of(values: Sequence[object]) -> str:
    """A tuple as it is written."""
    return repr(tuple(values))
