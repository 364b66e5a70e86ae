"""The glossary: each term with its formula, its range and its source."""
