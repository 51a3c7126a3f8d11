"""From a trained network to files: predictions, scores, new backgrounds. Without torch."""
