"""A 5×5-pixel edge classifier that shows what softmax does to a network's scores, before and after training."""
