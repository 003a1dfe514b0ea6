"""A 5×5-pixel edge classifier that shows what softmax does to a network's scores, before and after training."""

import numpy as np

# Once a block of at most 32 MB has been freed, Linux's malloc keeps as much for later arrays. Without it, what a step
# on 2,000 patches frees goes back to the system and is fetched again page by page, which can double the step's time.
np.empty(4_000_000)
