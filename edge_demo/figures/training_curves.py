"""Loss and accuracy by epoch, beside what guessing and, where it is known, the exact posterior would give."""

import numpy as np

from edge_demo.figures import style

BALANCED = 1.1  # classes are, where none has so many times its equal share of the training patches, or more
LOWEST = 1e-8  # nats; a logarithmic axis has no place for 0, so it ends here
TEST, TRAIN = {"color": "black", "lw": 1.3, "ms": 3}, {"color": "#009E73", "lw": 2.6, "ms": 5}


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
):
    """A Figure of the cross-entropy in nats, on a logarithmic axis, and of the accuracy below it.

    The first five are lists with one entry an epoch, epoch 0 being the untrained network; test_loss and test_accuracy
    may be lists of None. class_counts: of the training patches, one a class. guess_loss, guess_accuracy: what the class
    shares as p, and the most frequent class, reach on the test patches: drawn unless the classes are balanced, where
    they are chance. bayes_loss, bayes_accuracy: what the exact posterior reaches there.
    """
    losses, accuracies = {"train": train_loss}, {"train": train_accuracy}
    if test_loss[0] is not None:
        losses["test"], accuracies["test"] = test_loss, test_accuracy
    figure = style.new_figure(
        9, 6, _title(losses, accuracies), left=0.095, right=0.715, bottom=0.085, top=0.92, hspace=0.1
    )
    upper, lower = figure.subplots(2, 1, sharex=True)

    classes = len(class_counts)
    balanced = max(class_counts) < BALANCED * sum(class_counts) / classes
    if balanced:
        equal = "50 : 50" if classes == 2 else "equal p"
        references = {f"ln {classes} = {np.log(classes):.3f}: the loss of {equal}": np.log(classes)}
    else:
        references = {f"guessing {guess_loss:.3g}: class shares": guess_loss} if np.isfinite(guess_loss) else {}
    if bayes_loss is not None:
        references[f"Bayes floor {bayes_loss:.3g}: exact posterior"] = bayes_loss
    shown = np.maximum(np.concatenate([*losses.values(), list(references.values())]), LOWEST)
    bottom, top = shown.min() / 1.5, shown.max() * 1.5
    upper.set(yscale="log", ylim=(min(bottom, top / 30), top), ylabel="cross-entropy, nats (log scale)")
    upper.yaxis.set_major_formatter("{x:g}")
    _draw(upper, epoch, losses, references, ".3g")

    if balanced:
        references = {f"chance: 1/{classes}": 1 / classes}
    else:
        references = {f"guessing {guess_accuracy:.3f}: most frequent class": guess_accuracy}
    if bayes_accuracy is not None:
        references[f"exact posterior {bayes_accuracy:.3f}"] = bayes_accuracy
    lower.set(ylim=(0, 1), ylabel="accuracy", xlabel="epoch (0: untrained)")
    _draw(lower, epoch, accuracies, references, ".3f")

    for axes in (upper, lower):
        axes.yaxis.set_label_coords(-0.12, 0.5)
    last = max(epoch[-1], 1)
    lower.set_xlim(-0.02 * last, last)
    lower.xaxis.get_major_locator().set_params(integer=True)
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
    """Curves and horizontal lines, each named at its right end."""
    labels = []
    for name, value in references.items():
        axes.axhline(max(value, LOWEST), color=style.REFERENCE, lw=1, ls="--")
        labels.append((value, name, style.REFERENCE))
    for name, values in curves.items():
        look = TRAIN if name == "train" else TEST
        axes.plot(epoch, np.maximum(values, LOWEST), "o-" if len(epoch) <= 60 else "-", clip_on=False, **look)
        labels.append((values[-1], f"{name} {values[-1]:{form}}", look["color"]))

    labels.sort(key=lambda label: label[0])
    to_axes, gap = axes.transData + axes.transAxes.inverted(), 0.08
    heights = [to_axes.transform((0, max(value, LOWEST)))[1] for value, *_ in labels]
    for i in range(1, len(heights)):  # moved up, where one would cover the one below it
        heights[i] = max(heights[i], heights[i - 1] + gap)
    heights.append(1 + gap)
    for i in reversed(range(len(labels))):  # moved down, where one would leave the axes
        heights[i] = min(heights[i], heights[i + 1] - gap)
    for height, (_, text, color) in zip(heights, labels, strict=False):
        axes.text(1.02, height, text, color=color, va="center", fontsize=style.SMALL_SIZE, transform=axes.transAxes)
