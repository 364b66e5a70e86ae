"""Fine-tuning: train an encoder, watch it learn, and tell what changed in its space, not only in its score."""
