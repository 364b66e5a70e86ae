"""The texts that the packaged SAE is trained on: `python -m benchmarks.sae_texts --wordnet DIR --data DIR --out FILE`.

WordNet's glosses and examples, and the texts of public sets, as sentences and, at least as many tokens again, as
passages of every length up to what the encoder reads. Each text names the `source` it is from and the `document` it
was cut from, by which training parts held-out texts from the others: no sentence is trained on whose passage is held
out. The same files give the same texts, byte by byte.
"""

import argparse
import json
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_FEWEST_WORDS, _MOST_CHARS = 4, 1_100  # 256 tokens are about 1,100 characters of English
_PAGE = 50  # WordNet entries, or sentences of an unmarked run of text, that lie on one side of the split
_SENTENCE_ENDS = re.compile(r"(?<=[.!?;])\s+(?=[A-Z0-9\"'(\[])|\s*\n+\s*")
_TOKENISED_ENDS = re.compile(r"(?<=[.?!])\s+")
_WORDNET = ("noun", "verb", "adj", "adv")


@dataclass(frozen=True)
class Text:
    """One text of the mix."""

    text: str
    source: str
    document: str
    kind: str  # sentence or passage


def main() -> None:
    """Write the mix, and count it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wordnet", type=Path, required=True, metavar="DIR", help="folder with data.noun and so on")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of the public sets")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="where to write, as JSONL")
    parser.add_argument("--windows", type=float, default=1.5, help="passages drawn for each sentence of a document")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    random_ = random.Random(chosen.seed)  # noqa: S311 - no secret: the texts must be the same each time
    seen: set[str] = set()
    counts: dict[tuple[str, str], list[int]] = {}
    with chosen.out.open("w", encoding="utf-8") as out:
        for text in _all(chosen.wordnet, chosen.data, chosen.windows, random_):
            if text.text in seen or len(text.text.split()) < _FEWEST_WORDS:
                continue
            seen.add(text.text)
            of = counts.setdefault((text.source, text.kind), [0, 0])
            of[0], of[1] = of[0] + 1, of[1] + len(text.text)
            out.write(json.dumps(text.__dict__, ensure_ascii=False) + "\n")
    for (source, kind), (texts, chars) in sorted(counts.items()):
        print(f"{source:20} {kind:9} {texts:9,} texts {chars:13,} characters")
    for kind in ("sentence", "passage"):
        both = [of for (_, of_kind), of in counts.items() if of_kind == kind]
        print(f"{'all':20} {kind:9} {sum(of[0] for of in both):9,} texts {sum(of[1] for of in both):13,} characters")


def _all(wordnet: Path, data: Path, windows: float, random_: random.Random) -> Iterator[Text]:
    yield from _wordnet(wordnet, random_)
    yield from _singles("banking77", (row["text"] for row in _rows(data / "banking77/data.jsonl")))
    yield from _singles("clinc150", (row["text"] for row in _rows(data / "clinc150/data.jsonl")))
    pairs = (row[side] for row in _rows(data / "stsb/data.jsonl") for side in ("text_a", "text_b"))
    yield from _singles("stsb", pairs)
    for name in ("medquad_medical", "pubmedqa_medical", "squad_sentences"):
        yield from _singles(name, (row["text"] for row in _rows(data / name / "queries.jsonl")))
    yield from _singles("limit_small", (row["text"] for row in _rows(data / "limit_small/corpus.jsonl")))
    for name, share, documents in (
        ("medquad_medical", 0.5, _by_document(_rows(data / "medquad_medical/corpus.jsonl"))),
        ("pubmedqa_medical", 1, _by_document(_rows(data / "pubmedqa_medical/corpus.jsonl"))),
        ("xquad", 1, _by_document(_rows(data / "xquad/corpus.en.jsonl"))),
        ("cuad_clauses_legal", 1, _by_contract(_rows(data / "cuad_clauses_legal/data.jsonl"))),
        ("contractnli_legal", 1, _by_contract(_rows(data / "contractnli_legal/corpus.jsonl"))),
        ("squad_sentences", 1, _in_runs([row["text"] for row in _rows(data / "squad_sentences/corpus.jsonl")])),
    ):
        yield from _documents(name, documents, share * windows, random_)


def _wordnet(folder: Path, random_: random.Random) -> Iterator[Text]:
    """Glosses and examples as sentences, and runs of whole entries ("lemma: gloss; examples") as passages."""
    for part in _WORDNET:
        entries = list(_entries(folder / f"data.{part}"))
        for number, (_, gloss, examples) in enumerate(entries):
            document = f"wordnet-{part}-{number // _PAGE}"
            for text in (gloss, *examples):
                yield Text(text, "wordnet", document, "sentence")
        for page in range(0, len(entries), _PAGE):
            whole = [
                f"{'; '.join([f'{lemma}: {gloss}', *examples])}."
                for lemma, gloss, examples in entries[page : page + _PAGE]
            ]
            for passage in _partition(whole, random_):
                yield Text(passage, "wordnet", f"wordnet-{part}-{page // _PAGE}", "passage")


def _entries(path: Path) -> Iterator[tuple[str, str, list[str]]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith(" "):
            continue  # the licence
        data, _, gloss = line.partition(" | ")
        lemma = re.sub(r"\(\w+\)$", "", data.split()[4]).replace("_", " ")
        examples = [re.sub(r"\s+", " ", example).strip() for example in re.findall(r'"([^"]+)"', gloss)]
        plain = re.sub(r"\s+", " ", re.sub(r';?\s*"[^"]*"(\s*-\s*[^;]*)?', "", gloss)).strip(" ;:")
        yield lemma, plain, examples


def _singles(source: str, texts: Iterable[str]) -> Iterator[Text]:
    for number, text in enumerate(texts):
        yield Text(_clean(text)[:_MOST_CHARS], source, f"{source}-single-{number}", "sentence")


def _documents(
    source: str, documents: Iterable[tuple[str, Sequence[str]]], windows: float, random_: random.Random
) -> Iterator[Text]:
    for name, sentences in documents:
        document = f"{source}-{name}"
        for sentence in sentences:
            yield Text(sentence[:_MOST_CHARS], source, document, "sentence")
        whole = " ".join(sentences)
        if len(sentences) > 1:
            yield Text(_cut(whole), source, document, "passage")
        for _ in range(round(windows * len(sentences))):
            yield Text(_window(sentences, random_), source, document, "passage")


def _window(sentences: Sequence[str], random_: random.Random) -> str:
    """A run of sentences that begins anywhere, its length drawn evenly on a logarithmic scale."""
    wanted = 80 * (_MOST_CHARS / 80) ** random_.random()
    start = random_.randrange(len(sentences))
    end, chars = start, 0
    while end < len(sentences) and chars < wanted:
        chars += len(sentences[end]) + 1
        end += 1
    return _cut(" ".join(sentences[start:end]))


def _partition(parts: Sequence[str], random_: random.Random) -> Iterator[str]:
    """All of `parts`, each once, in runs of a length drawn evenly on a logarithmic scale."""
    run: list[str] = []
    wanted = 80 * (_MOST_CHARS / 80) ** random_.random()
    for part in parts:
        run.append(part)
        if sum(map(len, run)) >= wanted:
            yield _cut(" ".join(run))
            run, wanted = [], 80 * (_MOST_CHARS / 80) ** random_.random()
    if run:
        yield _cut(" ".join(run))


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_CHARS else text[:_MOST_CHARS].rsplit(" ", 1)[0]


def _by_document(rows: Iterable[dict[str, str]]) -> Iterator[tuple[str, list[str]]]:
    for row in rows:
        yield row["_id"], _sentences(row["text"])


def _by_contract(rows: Iterable[dict[str, str]]) -> Iterator[tuple[str, list[str]]]:
    contracts: dict[str, dict[str, None]] = {}  # a clause that carries several labels stands there once
    for row in rows:
        contracts.setdefault(row["contract"], {}).update(dict.fromkeys(_sentences(row["text"])))
    for contract, sentences in contracts.items():
        yield contract, list(sentences)


def _in_runs(texts: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    for start in range(0, len(texts), _PAGE):
        yield (
            str(start),
            [sentence for text in texts[start : start + _PAGE] for sentence in _TOKENISED_ENDS.split(text)],
        )


def _sentences(text: str) -> list[str]:
    return [sentence for part in _SENTENCE_ENDS.split(text) if len(sentence := _clean(part)) > 1]


def _clean(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


if __name__ == "__main__":
    main()
