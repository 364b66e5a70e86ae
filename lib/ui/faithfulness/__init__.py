"""Which features carry retrieval: a view of Diagnostics and of Retrieval."""
