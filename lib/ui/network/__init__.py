"""What the Network page shows."""
