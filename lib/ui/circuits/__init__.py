"""What the Circuits page shows."""
