"""What the Steering page shows."""
