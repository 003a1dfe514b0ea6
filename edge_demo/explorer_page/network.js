// The network, as in network.py: pixels in, logits out. A new kind of layer that has no weights goes into `elementwise`.

const elementwise = {
  ReLU: (x) => Math.max(x, 0),
  Tanh: (x) => Math.tanh(x),
};

/** Cuts a flat parameter vector into [{weights, bias}], one for each Dense layer; weights are row by row. */
export function denseBlocks(layers, parameters) {
  let start = 0;
  return layers
    .filter((layer) => layer.type === "Dense")
    .map(({ inputs, outputs }) => {
      const weights = parameters.subarray(start, start + inputs * outputs);
      start += inputs * outputs;
      const bias = parameters.subarray(start, start + outputs);
      start += outputs;
      return { inputs, outputs, weights, bias };
    });
}

/** One forward pass. Returns the logits, and `hidden`: what each Dense layer but the first was given. */
export function forward(layers, blocks, pixels) {
  let activations = pixels;
  let next = 0;
  const hidden = [];
  for (const layer of layers) {
    if (layer.type === "Center") {
      activations = activations.map((x) => x - layer.value);
    } else if (layer.type === "Dense") {
      if (next > 0) hidden.push(activations);
      activations = dense(blocks[next], activations);
      next += 1;
    } else {
      activations = activations.map(elementwise[layer.type]);
    }
  }
  return { hidden, logits: activations };
}

function dense({ inputs, outputs, weights, bias }, activations) {
  const sums = Array.from(bias);
  for (let i = 0; i < inputs; i += 1) {
    const activation = activations[i];
    for (let j = 0; j < outputs; j += 1) sums[j] += activation * weights[i * outputs + j];
  }
  return sums;
}
