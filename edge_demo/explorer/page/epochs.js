// Training, as in training.py: draw a batch, compute its gradient, take a step. Here a step at a time, so that the
// page can draw in between.

export class Training {
  /** patches: {pixels, labels}, pixels flat. random: of the order in which the patches are shown. */
  constructor(network, patches, { batchSize, optimizer, random }) {
    Object.assign(this, { network, patches, batchSize, optimizer, random });
    this.inputs = patches.pixels.length / patches.labels.length;
    this.order = new Int32Array(0);
    this.shown = 0; // patches of this epoch
    this.epochs = 0; // whole ones
    this.steps = 0;
  }

  /** Shows the network the next batch and takes a step; the last batch of an epoch may be short. */
  step() {
    if (this.shown === this.order.length) {
      this.order = this.random.permutation(this.patches.labels.length);
      this.shown = 0;
    }
    const batch = this.order.subarray(this.shown, this.shown + this.batchSize);
    const pixels = new Float64Array(batch.length * this.inputs);
    batch.forEach((patch, i) => {
      const start = patch * this.inputs;
      pixels.set(this.patches.pixels.subarray(start, start + this.inputs), i * this.inputs);
    });
    const labels = Array.from(batch, (patch) => this.patches.labels[patch]);

    const gradient = this.network.gradient(pixels, labels);
    this.optimizer.step(this.network.parameters, gradient);

    this.shown += batch.length;
    this.steps += 1;
    if (this.shown === this.order.length) this.epochs += 1;
  }

  /** How often each patch has been shown: 2.5 in the middle of the third epoch. */
  get epoch() {
    const whole = this.shown === this.order.length;
    return this.epochs + (whole ? 0 : this.shown / this.order.length);
  }
}
