"""The overview: what an encoder's eight signals say of a corpus and a query set, and what stands out."""
