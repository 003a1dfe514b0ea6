"""Loss and accuracy by epoch, beside what guessing and, where it is known, the exact posterior would give."""

import numpy as np

from edge_demo.figures.style import COLORS, LINE, drawn, new_figure, plain_log_ticks

BALANCED = 1.1  # classes are, where none has so many times its equal share of the training patches, or more
LOWEST = 1e-8  # nats; a logarithmic axis has no place for 0, so it ends here
LOOKS = {"train": {"color": COLORS[3], "lw": 2.6, "ms": 5}, "test": {"color": "black", "lw": 1.3, "ms": 3}}


@drawn
def training_curves(
    epoch,
    train_loss,
    train_accuracy,
    test_loss,
    test_accuracy,
    class_counts,
    guess_loss,
    guess_accuracy,
    bayes_loss=None,
    bayes_accuracy=None,
    floor=None,
):
    """A Figure of the cross-entropy in nats, on a logarithmic axis, and of the accuracy below it.

    The first five are lists with one entry an epoch, epoch 0 being the untrained network; test_loss and test_accuracy
    may be lists of None. class_counts: of the training patches, one a class. guess_loss, guess_accuracy: what the class
    shares as p, and the most frequent class, reach on the test patches: drawn unless the classes are balanced, where
    they are chance. bayes_loss, bayes_accuracy: what the exact posterior reaches on their labels; floor: its expected
    loss, which no network can go below on ever more patches.
    """
    losses, accuracies = {"train": train_loss}, {"train": train_accuracy}
    if test_loss[0] is not None:
        losses["test"], accuracies["test"] = test_loss, test_accuracy
    figure = new_figure(6, _title(losses, accuracies), left=0.85, right=2.75, bottom=0.5, top=0.5, hspace=0.1)
    upper, lower = figure.subplots(2, 1, sharex=True)

    classes = len(class_counts)
    balanced = max(class_counts) < BALANCED * sum(class_counts) / classes
    references = {
        f"equal p, ln {classes}:" if balanced else "class shares:": np.log(classes) if balanced else guess_loss
    }
    rights = {f"chance, 1/{classes}:" if balanced else "commonest class:": 1 / classes if balanced else guess_accuracy}
    if bayes_loss is not None:
        references["exact p, on these labels:"], rights["exact p, on these labels:"] = bayes_loss, bayes_accuracy
    if floor is not None:
        references["Bayes floor:"] = floor
    references = {name: value for name, value in references.items() if np.isfinite(value)}

    shown = np.maximum(np.concatenate([*losses.values(), list(references.values())]), LOWEST)
    upper.set(ylim=(shown.min() / 1.15, shown.max() * 1.15), ylabel="cross-entropy, nats (log scale)")
    plain_log_ticks(upper)
    last = max(epoch[-1], 1)
    lower.set(xlim=(-0.02 * last, last), ylim=(0, 1), ylabel="accuracy", xlabel="epoch (0: untrained)")
    lower.xaxis.get_major_locator().set_params(integer=True)
    _draw(upper, epoch, losses, references, ".3g")
    _draw(lower, epoch, accuracies, rights, ".3f")
    figure.align_ylabels()
    return figure


def _title(losses, accuracies):
    name = "test" if "test" in losses else "train"
    loss, accuracy = losses[name], accuracies[name]
    if len(loss) == 1:
        return f"Untrained, the network has a {name} loss of {loss[0]:.3g} nats and an accuracy of {accuracy[0]:.3f}"
    return (
        f"Training takes the {name} loss from {loss[0]:.3g} to {loss[-1]:.3g} nats, "
        f"the accuracy from {accuracy[0]:.3f} to {accuracy[-1]:.3f}"
    )


def _draw(axes, epoch, curves, references, form):
    """Curves and horizontal lines, and beside the axes their names with where they end, in that order."""
    ends = {}
    for dashes, (name, value) in zip(("--", ":", "-."), references.items(), strict=False):
        ends[axes.axhline(max(value, LOWEST), ls=dashes, label=f"{name} {value:.3f}", **LINE)] = value
    for name, values in curves.items():
        marker, label = "o-" if len(epoch) <= 60 else "-", f"{name} {values[-1]:{form}}"
        (line,) = axes.plot(epoch, np.maximum(values, LOWEST), marker, label=label, clip_on=False, **LOOKS[name])
        ends[line] = values[-1]
    axes.legend(handles=sorted(ends, key=ends.get, reverse=True), loc="center left", bbox_to_anchor=(1.01, 0.5))
