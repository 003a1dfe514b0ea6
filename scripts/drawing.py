"""Figures drawn in a second process, while the first one trains and evaluates: the same bytes, sooner.

It imports matplotlib during training and draws as soon as the networks are known. What needs scikit-learn is left to
the first process, which has imported it for the evaluation.
"""

import os
import signal
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from multiprocessing import get_context, parent_process
from threading import Thread


class Artist(ProcessPoolExecutor):
    """A process that draws; as a context it ends with its block."""

    def __init__(self):
        super().__init__(1, get_context("spawn"), _prepare)
        self.submit(import_module, "edge_demo.figures.of_run")
        self.images = None

    def begin(self, run):
        """Starts on the figures of a run that need no evaluation."""
        self.images = self.submit(_early_images, run)

    def save(self, run, folder):
        """Draws the others, writes all of them into folder, and returns their paths."""
        from edge_demo.figures.of_run import save_figures

        return save_figures(run, folder, self.images.result())


def _prepare():
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the first process to answer
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent():
    parent_process().join()  # returns when the first process has died, even if it was killed
    os._exit(1)


def _early_images(run):
    from edge_demo.figures.of_run import early_images

    return early_images(run)
