"""EdgeClassifier: the same network and the same train(), as an estimator for all that scikit-learn offers.

Nothing of the network is written again here: fit builds what build_network builds and hands it to train, and every
prediction is made of its logits. Any number of features and of classes will do, not only patches.
"""

# ruff: noqa: N803, N806 (X, as everywhere in scikit-learn)

from copy import deepcopy
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.preprocessing import LabelEncoder, StandardScaler
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from edge_demo.datasets.patches import Patches
from edge_demo.network import build_network
from edge_demo.optimizers import OPTIMIZERS, make_optimizer
from edge_demo.softmax import log_softmax, softmax
from edge_demo.training import train

PIXEL_MEAN, PIXEL_SPREAD = 0.5, 0.25  # about those of a patch's pixels, which the learning rate suits


class EdgeClassifier(ClassifierMixin, BaseEstimator):
    """The network with its softmax as a scikit-learn classifier.

    hidden_layer_sizes: one whole number a hidden layer, () for a linear model.
    optimizer: a name in edge_demo.optimizers.OPTIMIZERS; learning_rate: of it, None for its usual one.
    epochs, batch_size: how often fit sees each patch, and how many patches make a step.
    standardize: True brings each feature to the mean and spread that pixels have, 0.5 and 0.25, so that features of
    any size can be learned at the same learning rate. False takes them as they are: on patches, fit with
    random_state=s then gives the very weights of scripts/train.py --seed s.
    random_state: a whole number is the seed; None or a RandomState draws one, as everywhere in scikit-learn.

    After fit: classes_ (sorted, the order of all columns), n_features_in_, feature_names_in_ (where X had column
    names), network_, n_iter_ (epochs, or calls of partial_fit), and loss_curve_, after each of them the mean
    cross-entropy of what it trained on, in nats. A value that cannot be used raises ValueError, a learning rate that
    is too large TrainingDiverged.
    """

    def __init__(
        self,
        hidden_layer_sizes=(16,),
        learning_rate=None,
        optimizer="sgd",
        epochs=40,
        batch_size=32,
        random_state=None,
        standardize=True,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.learning_rate = learning_rate
        self.optimizer = optimizer
        self.epochs = epochs
        self.batch_size = batch_size
        self.standardize = standardize
        self.random_state = random_state

    def fit(self, X, y):
        """Trains a new network on X (n, features) with classes y (n,), numbers or strings; returns self."""
        X, y = self._checked(X, y, reset=True)
        self._start(X, y)
        return self._train(X, y, self.epochs)

    def partial_fit(self, X, y, classes=None):
        """Trains on for one epoch of X and y, as a part of a stream too large for memory; returns self.

        classes: all that any y will hold, needed in the first call, which also measures what standardize needs: patches
        of which some feature varies. Calls with the same X and y are the epochs of one fit, exactly; between them
        set_params(learning_rate=...) changes the rate.
        """
        first = not hasattr(self, "network_")
        if first and classes is None:
            raise ValueError("the first call of partial_fit needs classes: all that any y will hold")
        X, y = self._checked(X, y, reset=first)
        if first and self.standardize and not np.ptp(X, axis=0).any():
            raise ValueError(
                "the first call of partial_fit has no spread to standardize by: give it more, or set standardize=False"
            )
        if first:
            self._start(X, classes)
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(f"classes must stay what they were, {self.classes_.tolist()}, not {list(classes)}")
        return self._train(X, y, epochs=1)

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

    def __getstate__(self):
        """What is pickled: without the patches that the layers saw last, which their next forward replaces by one."""
        state = super().__getstate__()
        if "network_" in state:
            state["network_"] = deepcopy(self.network_)
            state["network_"].logits(np.zeros((1, self.n_features_in_)))
        return state

    def _checked(self, X, y, reset):
        """X (n, features) float64 and y (n,), and settings that can be used."""
        sizes = list(np.atleast_1d(self.hidden_layer_sizes))
        for name, values, least in (
            ("epochs", [self.epochs], 0),
            ("batch_size", [self.batch_size], 1),
            ("hidden_layer_sizes", sizes, 1),
        ):
            if not all(isinstance(value, Integral) and value >= least for value in values):
                raise ValueError(f"{name} must be whole numbers of at least {least}, not {getattr(self, name)!r}")
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(f"optimizer must be one of {', '.join(OPTIMIZERS)}, not {self.optimizer!r}")
        if not isinstance(self._rate, Real) or not 0 < self._rate < np.inf:
            raise ValueError(f"learning_rate must be None or a number above 0, not {self.learning_rate!r}")
        X, y = validate_data(self, X, y, dtype=np.float64, reset=reset)
        check_classification_targets(y)
        return X, y

    @property
    def _rate(self):
        return OPTIMIZERS[self.optimizer][1] if self.learning_rate is None else self.learning_rate

    def _start(self, X, classes):
        """A new network, drawn from random_state, that has seen nothing yet."""
        sizes = list(np.atleast_1d(self.hidden_layer_sizes))
        seed = self.random_state
        if not isinstance(seed, Integral):
            seed = check_random_state(seed).randint(2**31 - 1)
        self._rng = np.random.default_rng(seed)
        self._optimizer = make_optimizer(self.optimizer, self._rate)
        self._scaler = StandardScaler().fit(X) if self.standardize else None
        self.classes_ = np.unique(classes)
        self.network_ = build_network(X.shape[1], sizes, len(self.classes_), self._rng)
        self.loss_curve_, self.n_iter_ = [], 0

    def _train(self, X, y, epochs):
        labels = LabelEncoder().fit(self.classes_).transform(y)  # ValueError for a class that it does not know
        self._optimizer.learning_rate = self._rate
        history = train(
            self.network_,
            Patches(self._pixels(X), labels, class_names=tuple(self.classes_)),
            epochs=epochs,
            batch_size=self.batch_size,
            optimizer=self._optimizer,
            rng=self._rng,
        )
        self.loss_curve_ += history.train_loss[1:]
        self.n_iter_ += len(history.epoch) - 1
        return self

    def _pixels(self, X):
        """Features (n, features) as the network sees them."""
        return X if self._scaler is None else PIXEL_MEAN + PIXEL_SPREAD * self._scaler.transform(X)

    def _logits(self, X):
        check_is_fitted(self, "network_")
        return self.network_.logits(self._pixels(validate_data(self, X, dtype=np.float64, reset=False)))
