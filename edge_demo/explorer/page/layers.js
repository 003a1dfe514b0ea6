// The network, as in network.py: pixels in, logits out. Read the two side by side; the names are the same.
//
// An array of n rows is one flat Float64Array, row after row. A layer is any object with forward(inputs) and
// backward(gradOutput); one that learns has weights and a bias too. A new activation goes into ACTIVATIONS.

import { crossEntropyGradient } from "./probability.js";

/** Subtracts a constant, so that mid-grey pixels become 0. */
export class Center {
  constructor(value) {
    this.value = value;
  }

  forward(inputs) {
    const outputs = inputs.slice();
    for (let i = 0; i < outputs.length; i += 1) outputs[i] -= this.value;
    return outputs;
  }

  backward(gradOutput) {
    return gradOutput;
  }
}

/** inputs @ weights + bias: every output is a weighted sum of all inputs. */
export class Dense {
  constructor(inputs, outputs, random) {
    const deviation = Math.sqrt(2 / inputs);
    this.shape = [inputs, outputs];
    this.weights = Float64Array.from({ length: inputs * outputs }, () => deviation * random.normal());
    this.bias = new Float64Array(outputs);
  }

  forward(inputs) {
    const [rows, columns] = this.shape;
    const { weights, bias } = this;
    const n = inputs.length / rows;
    this.inputs = inputs;
    const outputs = new Float64Array(n * columns);
    for (let patch = 0; patch < n; patch += 1) {
      const output = outputs.subarray(patch * columns, (patch + 1) * columns);
      output.set(bias);
      for (let i = 0; i < rows; i += 1) {
        const x = inputs[patch * rows + i];
        for (let j = 0; j < columns; j += 1) output[j] += x * weights[i * columns + j];
      }
    }
    return outputs;
  }

  backward(gradOutput) {
    const [rows, columns] = this.shape;
    const { weights, inputs } = this;
    const n = gradOutput.length / columns;
    const gradWeights = new Float64Array(rows * columns);
    const gradBias = new Float64Array(columns);
    const gradInput = new Float64Array(n * rows);
    for (let patch = 0; patch < n; patch += 1) {
      const grad = gradOutput.subarray(patch * columns, (patch + 1) * columns);
      for (let j = 0; j < columns; j += 1) gradBias[j] += grad[j];
      for (let i = 0; i < rows; i += 1) {
        const x = inputs[patch * rows + i];
        let sum = 0;
        for (let j = 0; j < columns; j += 1) {
          gradWeights[i * columns + j] += x * grad[j];
          sum += grad[j] * weights[i * columns + j];
        }
        gradInput[patch * rows + i] = sum;
      }
    }
    Object.assign(this, { gradWeights, gradBias });
    return gradInput;
  }
}

/** max(0, x): without it, two Dense layers would be no more than one. */
export class ReLU {
  forward(inputs) {
    this.inputs = inputs;
    return inputs.map((x) => Math.max(x, 0));
  }

  backward(gradOutput) {
    return gradOutput.map((grad, i) => (this.inputs[i] > 0 ? grad : 0));
  }
}

/** tanh x, whose slope is 1 - tanh² x. */
export class Tanh {
  forward(inputs) {
    this.outputs = inputs.map(Math.tanh);
    return this.outputs;
  }

  backward(gradOutput) {
    return gradOutput.map((grad, i) => grad * (1 - this.outputs[i] ** 2));
  }
}

export const ACTIVATIONS = { ReLU, Tanh };

/** Layers that turn pixels (n, inputs) into logits (n, classes). */
export class Network {
  constructor(layers) {
    this.layers = layers;
  }

  /** Raw scores of n patches, any real number. */
  logits(pixels) {
    let activations = pixels;
    for (const layer of this.layers) activations = layer.forward(activations);
    return activations;
  }

  /** Gradient of the mean cross-entropy, by backpropagation: an array for each one in parameters. */
  gradient(pixels, labels) {
    let grad = crossEntropyGradient(this.logits(pixels), labels);
    for (const layer of this.layers.toReversed()) grad = layer.backward(grad);

    return this.learningLayers.flatMap((layer) => [layer.gradWeights, layer.gradBias]);
  }

  /** The layers' own weights and biases: changing one changes the layer. */
  get parameters() {
    return this.learningLayers.flatMap((layer) => [layer.weights, layer.bias]);
  }

  get learningLayers() {
    return this.layers.filter((layer) => layer.weights);
  }

  /** What each Dense layer but the first is given for one patch: a list of lists. */
  hidden(pixels) {
    this.logits(pixels);
    return this.learningLayers.slice(1).map((layer) => Array.from(layer.inputs));
  }

  /** The same network with weights of its own, which further training does not change. */
  copy() {
    const layers = this.layers.map((layer) => Object.assign(Object.create(Object.getPrototypeOf(layer)), layer));
    for (const layer of layers.filter((one) => one.weights)) {
      layer.weights = layer.weights.slice();
      layer.bias = layer.bias.slice();
    }
    return new Network(layers);
  }
}

/** Center, then a Dense and an activation ("none" for none) for each hidden size, then a Dense to the logits. */
export function buildNetwork(inputs, hidden, classes, activation, random) {
  const layers = [new Center(0.5)];
  let size = inputs;
  for (const units of hidden) {
    layers.push(new Dense(size, units, random));
    if (activation !== "none") layers.push(new ACTIVATIONS[activation]());
    size = units;
  }
  return new Network([...layers, new Dense(size, classes, random)]);
}

/** A saved network: layers as page.py names them, and all parameters in one vector, weights row by row, then bias. */
export function loadNetwork(layers, parameters) {
  let start = 0;
  const next = (count) => parameters.subarray(start, (start += count));
  return new Network(
    layers.map(({ type, value, inputs, outputs }) => {
      if (type === "Center") return new Center(value);
      if (type !== "Dense") return new ACTIVATIONS[type]();
      const dense = Object.create(Dense.prototype);
      return Object.assign(dense, { shape: [inputs, outputs], weights: next(inputs * outputs), bias: next(outputs) });
    }),
  );
}
