"""Figures drawn in a second process, while the first one trains and evaluates: the same bytes, sooner.

It imports matplotlib during training and draws as soon as the networks are known. What needs scikit-learn is left to
the first process, which has imported it for the evaluation.
"""

import signal
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from multiprocessing import get_context


class Artist(ProcessPoolExecutor):
    """A process that draws; as a context it ends with its block."""

    def __init__(self):
        ignore_interrupts = (signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the first process to answer
        super().__init__(1, get_context("spawn"), signal.signal, ignore_interrupts)
        self.submit(import_module, "edge_demo.figures.of_run")
        self.images = None

    def begin(self, run):
        """Starts on the figures of a run that need no evaluation."""
        self.images = self.submit(_early_images, run)

    def save(self, run, folder):
        """Draws the others, writes all of them into folder, and returns their paths."""
        from edge_demo.figures.of_run import save_figures

        return save_figures(run, folder, self.images.result())


def _early_images(run):
    from edge_demo.figures.of_run import early_images

    return early_images(run)
