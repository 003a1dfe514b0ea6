"""Where patches come from: in memory, from the generator whose posterior is known, from a CSV table."""

from edge_demo.datasets.generator import PatchGenerator
from edge_demo.datasets.loading import load_dataset, read_csv, read_pixels, write_csv
from edge_demo.datasets.patches import CLASS_NAMES, KIND_NAMES, InputError, Patches

__all__ = [
    "CLASS_NAMES",
    "KIND_NAMES",
    "InputError",
    "PatchGenerator",
    "Patches",
    "load_dataset",
    "read_csv",
    "read_pixels",
    "write_csv",
]
