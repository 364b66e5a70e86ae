"""Links and share links."""
