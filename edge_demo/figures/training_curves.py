"""Loss and accuracy by epoch, beside what guessing and, where it is known, the exact posterior would give."""

import numpy as np

from edge_demo.figures import style

BALANCED = 1.1  # classes are, where none has so many times its equal share of the training patches, or more
LOWEST = 1e-8  # nats; a logarithmic axis has no place for 0, so it ends here
LOOKS = {"train": {"color": style.COLORS[3], "lw": 2.6, "ms": 5}, "test": {"color": "black", "lw": 1.3, "ms": 3}}


@style.drawn
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
    figure = style.new_figure(6, _title(losses, accuracies), left=0.85, right=2.75, bottom=0.5, top=0.5, hspace=0.1)
    upper, lower = figure.subplots(2, 1, sharex=True)

    classes = len(class_counts)
    balanced = max(class_counts) < BALANCED * sum(class_counts) / classes
    references = {f"guessing by class shares {guess_loss:.3f}": guess_loss}
    rights = {f"guessing the commonest {guess_accuracy:.3f}": guess_accuracy}
    if balanced:
        references = {f"equal p: ln {classes} = {np.log(classes):.3f}": np.log(classes)}
        rights = {f"chance 1/{classes}": 1 / classes}
    if bayes_loss is not None:
        references[f"exact p on these labels {bayes_loss:.3f}"] = bayes_loss
        rights[f"exact p on these labels {bayes_accuracy:.3f}"] = bayes_accuracy
    if floor is not None:
        references[f"Bayes floor {floor:.3f}"] = floor
    references = {name: value for name, value in references.items() if np.isfinite(value)}

    shown = np.maximum(np.concatenate([*losses.values(), list(references.values())]), LOWEST)
    upper.set(ylim=(shown.min() / 1.15, shown.max() * 1.15), ylabel="cross-entropy, nats (log scale)")
    style.plain_log_ticks(upper)
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
    """Curves and horizontal lines, each joined to its name on the right."""
    labels = []
    for name, value in references.items():
        axes.axhline(max(value, LOWEST), ls="--", **style.LINE)
        labels.append((value, name, style.REFERENCE))
    for name, values in curves.items():
        axes.plot(epoch, np.maximum(values, LOWEST), "o-" if len(epoch) <= 60 else "-", clip_on=False, **LOOKS[name])
        labels.append((values[-1], f"{name} {values[-1]:{form}}", LOOKS[name]["color"]))

    labels.sort(key=lambda label: label[0])
    to_axes, gap = axes.transData + axes.transAxes.inverted(), 0.08
    ends = [to_axes.transform((0, max(value, LOWEST)))[1] for value, *_ in labels]
    heights = [*ends, 1 + gap]
    for i in range(1, len(ends)):  # moved up, where one would cover the one below it
        heights[i] = max(heights[i], heights[i - 1] + gap)
    for i in reversed(range(len(ends))):  # moved down, where one would leave the axes
        heights[i] = min(heights[i], heights[i + 1] - gap)
    for end, height, (_, text, color) in zip(ends, heights, labels, strict=False):
        line = {"arrowstyle": "-", "color": color, "lw": 0.8, "shrinkA": 0, "shrinkB": 0, "relpos": (0, 0.5)}
        place = {"xycoords": "axes fraction", "va": "center", "color": color}
        axes.annotate(text, (1.005, end), (1.06, height), arrowprops=line, **place)
