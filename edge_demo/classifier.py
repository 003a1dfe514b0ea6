"""EdgeClassifier: the same network and the same train(), as an estimator for all that scikit-learn offers.

Nothing of the network is written again here: fit builds what build_network builds and hands it to train, and every
prediction is made of its logits. Any number of features and of classes will do, not only patches.
"""

# ruff: noqa: N803, N806 (X, as everywhere in scikit-learn)

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.preprocessing import LabelEncoder, StandardScaler
from sklearn.utils import check_random_state
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from edge_demo.datasets.patches import Patches
from edge_demo.network import build_network
from edge_demo.optimizers import make_optimizer
from edge_demo.softmax import checked_weights, log_softmax, softmax
from edge_demo.training import train

OPTIMIZERS = ("sgd", "momentum", "adam")
PIXEL_MEAN, PIXEL_SPREAD = 0.5, 0.25  # about those of a patch's pixels, which the learning rate suits
LARGEST = 1e100  # of a feature
BLOCK = 4096  # patches whose logits are computed at once


class EdgeClassifier(ClassifierMixin, BaseEstimator):
    """The network with its softmax as a scikit-learn classifier.

    hidden_layer_sizes: one whole number a hidden layer, () for a linear model.
    learning_rate, optimizer: "sgd", "momentum" or "adam", for which about 0.2, 0.02 and 0.003 suit patches best.
    epochs, batch_size: how often fit sees each patch, and how many patches make a step.
    standardize: True brings each feature to the mean and spread that pixels have, 0.5 and 0.25, so that features of
    any size can be learned at the same learning rate. False takes them as they are: on patches, fit with
    random_state=s then gives the very weights of scripts/train.py --seed s.
    class_weight: None, "balanced" or a dict from class to weight, by which each patch's weight is multiplied, as in
    scikit-learn's own classifiers; "balanced" not in partial_fit, which does not see all patches.
    random_state: a whole number is the seed; None or a RandomState draws one, as everywhere in scikit-learn.

    After fit: classes_ (sorted, the order of all columns), n_features_in_, feature_names_in_ (where X had column
    names), network_, n_iter_ (epochs, or calls of partial_fit), and loss_curve_, after each of them the mean
    cross-entropy of what it trained on, in nats. A value that cannot be used raises ValueError, a learning rate that
    is too large TrainingDiverged.
    """

    def __init__(
        self,
        hidden_layer_sizes=(16,),
        learning_rate=0.2,
        optimizer="sgd",
        epochs=40,
        batch_size=32,
        random_state=None,
        standardize=True,
        class_weight=None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.learning_rate = learning_rate
        self.optimizer = optimizer
        self.epochs = epochs
        self.batch_size = batch_size
        self.standardize = standardize
        self.random_state = random_state
        self.class_weight = class_weight

    def fit(self, X, y, sample_weight=None):
        """Trains a new network on X (n, features) with classes y (n,), numbers or strings; returns self.

        sample_weight (n,), at least 0: what is minimized is the weighted mean of the patches' losses, and a patch of
        weight 0 is as good as absent. Whole weights do what repeating patches does: to rounding where one batch
        holds all patches, repeats included; in smaller batches on average over the shuffling.
        """
        X, y, weights, classes = self._checked(X, y, sample_weight, reset=True)
        self._start(X, classes, weights)
        return self._train(X, y, weights, self.epochs)

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Trains on for one epoch of X and y, as a part of a stream too large for memory; returns self.

        classes: all that any y will hold, needed in the first call, which also measures what standardize needs.
        Weights count within this call. Calls with the same X and y are the epochs of one fit, exactly; between them
        set_params(learning_rate=...) changes the rate.
        """
        first = not hasattr(self, "network_")
        if first and classes is None:
            raise ValueError("the first call of partial_fit needs classes: all that any y will hold")
        if self.class_weight == "balanced":
            raise ValueError('partial_fit does not see all patches, so class_weight cannot be "balanced": give a dict')
        X, y, weights, _ = self._checked(X, y, sample_weight, reset=first)
        if first:
            self._start(X, classes, weights)
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(f"classes must stay what they were, {self.classes_.tolist()}, not {list(classes)}")
        return self._train(X, y, weights, epochs=1)

    def decision_function(self, X):
        """The logits, (n, classes), whose softmax is predict_proba; for two classes z_1 - z_0, (n,)."""
        logits = self._logits(X)
        return logits[:, 1] - logits[:, 0] if len(self.classes_) == 2 else logits

    def predict_proba(self, X):
        """Softmax of the logits, (n, classes)."""
        return softmax(self._logits(X))

    def predict_log_proba(self, X):
        """Logarithm of the probabilities, (n, classes), exact where these round to 0 or 1."""
        return log_softmax(self._logits(X))

    def predict(self, X):
        """The class with the largest logit, (n,)."""
        logits = self._logits(X)
        return self.classes_[logits.argmax(axis=1)]

    def _checked(self, X, y, sample_weight, reset):
        """X (n, features), y (n,) and weights (n,), or None, without what has weight 0; and all classes of y."""
        for name, least in (("epochs", 0), ("batch_size", 1)):
            value = getattr(self, name)
            if not isinstance(value, Integral) or value < least:
                raise ValueError(f"{name} must be a whole number of at least {least}, not {value!r}")
        if not isinstance(self.learning_rate, Real) or not 0 < self.learning_rate < np.inf:
            raise ValueError(f"learning_rate must be a number above 0, not {self.learning_rate!r}")
        shape = getattr(y, "shape", ())
        if len(shape) == 2 and shape[1] > 1:
            raise ValueError(
                f"y should be a 1d array of classes, got an array of shape {shape}; if it is one-hot, give its "
                "argmax(axis=1)"
            )
        X, y = validate_data(self, X, y, dtype=np.float64, reset=reset)
        _check_size(X)
        check_classification_targets(y)
        classes = np.unique(y)
        if sample_weight is None and self.class_weight is None:
            return X, y, None, classes
        weights = np.ones(len(y)) if sample_weight is None else checked_weights(sample_weight, len(y))
        weights = checked_weights(weights * compute_sample_weight(self.class_weight, y), len(y))
        present = weights > 0
        return X[present], y[present], weights[present], classes

    def _start(self, X, classes, weights):
        """A new network, drawn from random_state, that has seen nothing yet."""
        sizes = np.atleast_1d(self.hidden_layer_sizes).tolist()
        if not all(isinstance(size, int) and size >= 1 for size in sizes):
            raise ValueError(f"hidden_layer_sizes must be whole numbers of at least 1, not {self.hidden_layer_sizes!r}")
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(f"optimizer must be one of {', '.join(OPTIMIZERS)}, not {self.optimizer!r}")
        seed = self.random_state
        if not isinstance(seed, Integral):
            seed = check_random_state(seed).randint(2**31 - 1)
        self._rng = np.random.default_rng(seed)
        self._optimizer = make_optimizer(self.optimizer, self.learning_rate)
        self._scaler = StandardScaler().fit(X, sample_weight=weights) if self.standardize else None
        self.classes_ = np.unique(classes)
        self.network_ = build_network(X.shape[1], sizes, len(self.classes_), self._rng)
        self.loss_curve_, self.n_iter_ = [], 0

    def _train(self, X, y, weights, epochs):
        labels = LabelEncoder().fit(self.classes_).transform(y)  # ValueError for a class that it does not know
        self._optimizer.learning_rate = self.learning_rate
        history = train(
            self.network_,
            Patches(self._pixels(X), labels, class_names=tuple(self.classes_)),
            epochs=epochs,
            batch_size=self.batch_size,
            optimizer=self._optimizer,
            rng=self._rng,
            weights=weights,
        )
        self.loss_curve_ += history.train_loss[1:]
        self.n_iter_ += epochs
        return self

    def _pixels(self, X):
        """Features (n, features) as the network sees them."""
        return X if self._scaler is None else PIXEL_MEAN + PIXEL_SPREAD * self._scaler.transform(X)

    def _logits(self, X):
        """Logits (n, classes), block by block, so that the memory needed beside X and them stays the same."""
        check_is_fitted(self, "network_")
        X = validate_data(self, X, dtype=(np.float64, np.float32), reset=False)
        _check_size(X)
        blocks = (X[start : start + BLOCK].astype(np.float64) for start in range(0, len(X), BLOCK))
        return np.concatenate([self.network_.logits(self._pixels(block)) for block in blocks])


def _check_size(X):
    if len(X) and max(float(X.max()), -float(X.min())) > LARGEST:
        raise ValueError(f"X must be within ±{LARGEST:g}, beyond which squares overflow: divide it by a power of ten")
