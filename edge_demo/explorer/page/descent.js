// Optimizers, as in optimizers.py: how a gradient changes the parameters, two lists of arrays in the same order.

/** A step downhill, with momentum along a decaying sum of past gradients. */
export class SGD {
  constructor(learningRate, momentum = 0) {
    this.learningRate = learningRate;
    this.momentum = momentum;
    this.velocity = null; // with momentum: that sum, an array for each parameter
  }

  step(parameters, gradient) {
    let direction = gradient;
    if (this.momentum) {
      const former = this.velocity ?? gradient.map((grad) => new Float64Array(grad.length));
      this.velocity = gradient.map((grad, k) => grad.map((g, i) => this.momentum * former[k][i] + g));
      direction = this.velocity;
    }

    parameters.forEach((parameter, k) => {
      for (let i = 0; i < parameter.length; i += 1) parameter[i] -= this.learningRate * direction[k][i];
    });
  }
}

/** Adam (Kingma and Ba 2015, algorithm 1): a step size of its own for each parameter. */
export class Adam {
  constructor(learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8) {
    Object.assign(this, { learningRate, beta1, beta2, epsilon });
    this.steps = 0;
    this.mean = null;
    this.meanSquare = null;
  }

  step(parameters, gradient) {
    this.mean ??= parameters.map((parameter) => new Float64Array(parameter.length));
    this.meanSquare ??= parameters.map((parameter) => new Float64Array(parameter.length));
    this.steps += 1;
    const unbiasMean = 1 - this.beta1 ** this.steps; // both averages start at 0, which these two numbers undo
    const unbiasSquare = 1 - this.beta2 ** this.steps;

    parameters.forEach((parameter, k) => {
      const [grad, mean, meanSquare] = [gradient[k], this.mean[k], this.meanSquare[k]];
      for (let i = 0; i < parameter.length; i += 1) {
        mean[i] = this.beta1 * mean[i] + (1 - this.beta1) * grad[i];
        meanSquare[i] = this.beta2 * meanSquare[i] + (1 - this.beta2) * grad[i] ** 2;
        const step = mean[i] / unbiasMean / (Math.sqrt(meanSquare[i] / unbiasSquare) + this.epsilon);
        parameter[i] -= this.learningRate * step;
      }
    });
  }
}

/** As train.py's --optimizer names them, each with the learning rate that is about its best. */
export const OPTIMIZERS = {
  sgd: { rate: 0.2, make: (rate) => new SGD(rate) },
  momentum: { rate: 0.02, make: (rate) => new SGD(rate, 0.9) },
  adam: { rate: 0.003, make: (rate) => new Adam(rate) },
};
