"""A run as one HTML page on which a learner paints a patch and sees every number that follows."""

from edge_demo.explorer.page import UnknownLayer, write_explorer

__all__ = ["UnknownLayer", "write_explorer"]
