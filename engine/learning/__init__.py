"""What everything that learns from examples shares: the loop of training, and scores on held-out examples."""
