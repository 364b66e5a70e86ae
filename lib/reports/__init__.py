"""Reports: what was measured as one HTML file or as Markdown, and assertions on it."""
