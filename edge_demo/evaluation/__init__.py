"""What probabilities are worth: by labels, by the exact posterior, with intervals."""

from edge_demo.evaluation.differences import (
    bootstrap_interval,
    certain_sign,
    difference,
    differences_from,
    guessers_interval,
)
from edge_demo.evaluation.predictors import baselines, guessing
from edge_demo.evaluation.scores import (
    NoTemperature,
    accuracy,
    brier_score,
    class_margins,
    class_scores,
    each_patch,
    equal_mass_bins,
    expected_calibration_error,
    fit_temperature,
    kind_scores,
    probability_text,
    reliability_points,
    scores,
    stratified_halves,
    try_temperature,
)
from edge_demo.evaluation.truth import AMBIGUOUS, LossParts, against_truth, distance_to_truth, is_ambiguous, loss_parts

__all__ = [
    "AMBIGUOUS",
    "LossParts",
    "NoTemperature",
    "accuracy",
    "against_truth",
    "baselines",
    "bootstrap_interval",
    "brier_score",
    "certain_sign",
    "class_margins",
    "class_scores",
    "difference",
    "differences_from",
    "distance_to_truth",
    "each_patch",
    "equal_mass_bins",
    "expected_calibration_error",
    "fit_temperature",
    "guessers_interval",
    "guessing",
    "is_ambiguous",
    "kind_scores",
    "loss_parts",
    "probability_text",
    "reliability_points",
    "scores",
    "stratified_halves",
    "try_temperature",
]
