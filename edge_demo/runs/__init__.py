"""What a training leaves, and many of them."""

from edge_demo.runs.run import Run, load_run, train_run

__all__ = ["Run", "load_run", "train_run"]
