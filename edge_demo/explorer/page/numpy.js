// "Copy as NumPy": the network, the patch and the softmax as a few lines of Python, which print the same probabilities.

const OPERATIONS = { ReLU: "x = np.maximum(x, 0)", Tanh: "x = np.tanh(x)" };

const literal = (numbers) => `[${Array.from(numbers, (x) => (Object.is(x, -0) ? "-0.0" : String(x))).join(", ")}]`;

function layerText(layer) {
  if (layer.weights) {
    const [inputs, outputs] = layer.shape;
    const weights = `np.array(${literal(layer.weights)}).reshape(${inputs}, ${outputs})`;
    return `x = x @ ${weights} + np.array(${literal(layer.bias)})`;
  }
  return OPERATIONS[layer.constructor.name] ?? `x = x - ${layer.value}`;
}

export function numpyText({ network, pixels, classNames, temperature = 1, add = 0 }) {
  return [
    "import numpy as np",
    "",
    `x = np.array(${literal(pixels)})  # the patch, row by row`,
    ...network.layers.map(layerText),
    `z = (x + ${add}) / ${temperature}  # scores`,
    "e = np.exp(z - z.max())",
    "p = e / e.sum()",
    `print(dict(zip(${JSON.stringify(classNames)}, p.tolist())))`,
    "",
  ].join("\n");
}
