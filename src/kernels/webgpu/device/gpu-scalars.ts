/**
 * Scalars on their way from the GPU. Each is copied into the next place of a buffer; a full buffer is mapped while the next one fills,
 * and only when that is full too does anybody wait: the GPU always has work, and is never more than two buffers behind.
 */
import type * as tf from '@tensorflow/tfjs';
import { DeviceLostError, type WebgpuBackend } from '../backend.js';

/** Scalars of a buffer, and milliseconds after which one that is not full is sent too. */
const PLACES = 16;
const MOST_MS = 250;

interface Window {
  buffer: GPUBuffer;
  count: number;
  begun: number;
  mapped: Promise<void> | undefined;
}

export class GpuScalars {
  readonly atOnce = false;
  private readonly spare: GPUBuffer[] = [];
  private filling: Window | undefined;
  private sent: Window | undefined;
  private values: number[] = [];

  constructor(private readonly backend: WebgpuBackend) {}

  add(scalar: tf.Tensor): void {
    const { backend } = this;
    this.filling ??= {
      buffer: this.spare.pop() ?? this.makeBuffer(),
      count: 0,
      begun: performance.now(),
      mapped: undefined,
    };
    backend.uploadToGPU(scalar.dataId);
    const { resource } = backend.tensorMap.get(scalar.dataId);
    backend.ensureCommandEncoderReady();
    backend.endComputePassEncoder();
    backend.commandEncoder!.copyBufferToBuffer(resource!, 0, this.filling.buffer, 4 * this.filling.count, 4);
    this.filling.count++;
    backend.submitQueue();
  }

  async arrived(): Promise<number[]> {
    const { filling } = this;
    if (filling && (filling.count === PLACES || performance.now() - filling.begun > MOST_MS)) {
      await this.receive();
      this.send();
    }
    return this.take();
  }

  async all(): Promise<number[]> {
    await this.receive();
    if (this.filling) this.send();
    await this.receive();
    return this.take();
  }

  dispose(): void {
    for (const buffer of [...this.spare, this.filling?.buffer, this.sent?.buffer]) buffer?.destroy();
    this.spare.length = 0;
    this.filling = undefined;
    this.sent = undefined;
  }

  private take(): number[] {
    const { values } = this;
    this.values = [];
    return values;
  }

  /** Asks for the values of the buffer that was filled. */
  private send(): void {
    const window = this.filling!;
    this.filling = undefined;
    // Its fate is looked at in receive.
    window.mapped = window.buffer.mapAsync(GPUMapMode.READ).catch(() => {});
    this.sent = window;
  }

  /** Waits for the buffer that was sent, if there is one. */
  private async receive(): Promise<void> {
    const { sent, backend } = this;
    if (!sent) return;
    await sent.mapped;
    this.sent = undefined;
    if (backend.trouble.error) throw backend.trouble.error;
    if (sent.buffer.mapState !== 'mapped') {
      backend.trouble.error = new DeviceLostError('what it computed cannot be read');
      throw backend.trouble.error;
    }
    this.values.push(...new Float32Array(sent.buffer.getMappedRange()).subarray(0, sent.count));
    sent.buffer.unmap();
    this.spare.push(sent.buffer);
  }

  private makeBuffer(): GPUBuffer {
    return this.backend.device.createBuffer({
      size: 4 * PLACES,
      usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
    });
  }
}
