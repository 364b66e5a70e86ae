"""Reports: one file on an encoder, a corpus and a query set, as a page, as text or as numbers, with assertions."""
