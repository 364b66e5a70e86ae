"""A term of the glossary."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """A word or a number that the app shows."""

    slug: str
    """Its name in addresses: small letters, digits and hyphens. It stands in copied links, so it is kept."""
    name: str
    """As it is written on screen."""
    meaning: str
    """What it is, in plain words; one to three sentences."""
    page: str
    """The page where it is seen, by the last part of its address ("geometry"), which also groups the glossary."""
    view: str = ""
    """The view of that page ("Anisotropy"); empty where the page has none, or all show it."""
    formula: str = ""
    """In TeX as KaTeX reads it; empty where words say it all."""
    range: str = ""
    """Its range, and what the ends of it mean."""
    baseline: str = ""
    """What to hold it against: its value by chance, or for an ideal."""
    source: str = ""
    """Where it comes from: authors, year and title, or the rule of this app."""
    beware: str = ""
    """What it is often taken for, or is not comparable with."""
    labels: tuple[str, ...] = ()
    """Labels of numbers on screen that mean it; in one of them "*" stands for any text (NDCG@*)."""

    @property
    def words(self) -> str:
        """All that a search looks through, in small letters."""
        return " ".join((self.name, *self.labels, self.meaning, self.view, self.source, self.baseline)).casefold()
