"""What a share link would hand on, in words, before it is made."""

from itertools import islice

from lib.corpora import Corpus, QuerySet
from lib.shares import Bundle
from lib.ui.messages import count, counted, plain

_FIRST = 2  # texts that are shown
_LONGEST = 60  # characters of one
_COLUMNS = 6  # names of columns that are shown


def sentences(bundle: Bundle) -> list[str]:
    """One sentence a part and what belongs to it, as Markdown."""
    said = _of_corpus(bundle.corpus) if bundle.corpus is not None else []
    return said + (_of_queries(bundle.queries) if bundle.queries is not None else [])


def name_of(bundle: Bundle) -> str:
    """What the texts are called, as plain text."""
    parts = [part.name for part in (bundle.corpus, bundle.queries) if part is not None]
    return " and ".join(dict.fromkeys(parts))


def _of_corpus(corpus: Corpus) -> list[str]:
    names = [str(name) for name in corpus.columns.columns]
    more = ["their labels"] if corpus.labels is not None else []
    if names:
        shown = ", ".join(map(plain, names[:_COLUMNS])) + (", …" if len(names) > _COLUMNS else "")
        more.append(f"{counted(len(names), 'other column')} ({shown})")
    if corpus.embeddings is not None:
        more.append(f"their own {corpus.embeddings.shape[1]}-d embeddings")
    held = f" with {', '.join(more)}" if more else ""
    return [f"{counted(len(corpus), 'text')} of {plain(corpus.name)}{held}: {_beginning(corpus.texts)}"]


def _of_queries(queries: QuerySet) -> list[str]:
    asked = len(queries.queries)
    facts = [f"{count(asked)} {'query' if asked == 1 else 'queries'}", counted(len(queries.documents), "document")]
    facts.append(counted(len(queries.relevance), "judgement"))
    return [f"{', '.join(facts)} of {plain(queries.name)}: {_beginning(queries.queries)}"]


def _beginning(texts: tuple[str, ...]) -> str:
    """The first few texts, as long as a line."""
    lines = (" ".join(text.split()) for text in islice(texts, _FIRST))
    shown = [f"“{plain(line[:_LONGEST])}{'…' if len(line) > _LONGEST else ''}”" for line in lines]
    return ", ".join(shown) + (", …" if len(texts) > _FIRST else "")
