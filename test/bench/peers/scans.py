"""The selective scan in plain PyTorch, in several forms, as a person without a CUDA extension would write it well.

Written from the papers: Gu and Dao, "Mamba" (2312.00752), the recurrence and its gradient; Hillis and Steele (1986) and
Blelloch (1990), recurrences in parallel; Dao and Gu, "Transformers are SSMs" (2405.21060), matrix products over chunks for
one decay a head.

    h_t = exp(dt_t A) h_(t-1) + dt_t B_t x_t,   y_t = C_t . h_t

Inside, time comes first, so that the slice of one moment lies in one piece.
"""

import math

import torch


def sequential(x, dt, A, B, C):
    """One step after the other, the gradient left to autograd; slices are taken once, outside the loop.

    x, dt: [batch, length, channels]; A: [channels, states]; B, C: [batch, length, states]. Returns y like x.
    """
    a, b, C = _expand(x, dt, A, B, C)
    h = torch.zeros_like(b[0])
    states = []
    for decay, drive in zip(a.unbind(0), b.unbind(0)):
        h = torch.addcmul(drive, decay, h)
        states.append(h)
    return _read(torch.stack(states), C)


def parallel(x, dt, A, B, C):
    """About 2 sqrt(length) steps instead of length, each over many moments at once, gradient written out."""
    a, b, C = _expand(x, dt, A, B, C)
    return _read(_Chunked.apply(a, b), C)


def recomputing(x, dt, A, B, C):
    """One step after the other with everything of a step done while it is in cache; only the states are kept, and the
    gradient, written out, computes the decays again. Nothing of shape [length, batch, channels, states] but the states."""
    x, dt, B, C = (t.transpose(0, 1).contiguous() for t in (x, dt, B, C))
    return _Recomputing.apply(x, dt, A, B, C).transpose(0, 1)


FORMS = {"sequential": sequential, "parallel": parallel, "recomputing": recomputing}


def _expand(x, dt, A, B, C):
    x, dt, B, C = (t.transpose(0, 1).contiguous() for t in (x, dt, B, C))
    a = torch.exp(dt.unsqueeze(-1) * A)  # [length, batch, channels, states]
    b = (dt * x).unsqueeze(-1) * B.unsqueeze(2)
    return a, b, C


def _read(h, C):
    return (h @ C.unsqueeze(-1)).squeeze(-1).transpose(0, 1)


def _scan_chunks_(a, b):
    """h in the place of b; a is overwritten. All chunks advance side by side, then each takes over the last state before it."""
    length = b.shape[0]
    size = math.isqrt(length - 1) + 1
    whole = length // size * size
    chunks_a = a[:whole].unflatten(0, (-1, size))
    chunks_b = b[:whole].unflatten(0, (-1, size))
    for i in range(1, size):
        chunks_b[:, i].addcmul_(chunks_a[:, i], chunks_b[:, i - 1])
        chunks_a[:, i].mul_(chunks_a[:, i - 1])
    for j in range(1, whole // size):
        chunks_b[j].addcmul_(chunks_a[j], chunks_b[j - 1, -1])
    for t in range(max(1, whole), length):
        b[t].addcmul_(a[t], b[t - 1])
    return b


class _Chunked(torch.autograd.Function):
    @staticmethod
    def forward(ctx, a, b):
        h = _scan_chunks_(a.clone(), b.clone())
        ctx.save_for_backward(a, h)
        return h

    @staticmethod
    def backward(ctx, dh):
        a, h = ctx.saved_tensors
        # The adjoint is the same recurrence, run backwards, with the decay of the step after.
        later = torch.cat([torch.zeros_like(a[:1]), a[1:].flip(0)])
        db = _scan_chunks_(later, dh.flip(0)).flip(0)
        da = torch.empty_like(a)
        da[0] = 0
        torch.mul(db[1:], h[:-1], out=da[1:])
        return da, db


class _Recomputing(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, dt, A, B, C):
        length, batch, channels = x.shape
        h = x.new_zeros(length + 1, batch, *A.shape)
        y = torch.empty_like(x)
        decay = torch.empty_like(h[0])
        drive = dt * x
        for t in range(length):
            torch.mul(dt[t].unsqueeze(-1), A, out=decay).exp_()
            torch.mul(drive[t].unsqueeze(-1), B[t].unsqueeze(1), out=h[t + 1])
            h[t + 1].addcmul_(decay, h[t])
            torch.matmul(h[t + 1], C[t].unsqueeze(-1), out=y[t].unsqueeze(-1))
        ctx.save_for_backward(x, dt, A, B, C, h)
        return y

    @staticmethod
    def backward(ctx, dy):
        x, dt, A, B, C, h = ctx.saved_tensors
        drive = dt * x
        dh = torch.zeros_like(h[0])
        decay, slope = torch.empty_like(dh), torch.empty_like(dh)
        sum_dA = torch.zeros_like(dh)
        d_drive, d_dt, dB = torch.empty_like(x), torch.empty_like(x), torch.empty_like(B)
        dC = torch.matmul(dy.unsqueeze(2), h[1:]).squeeze(2)
        for t in range(len(x) - 1, -1, -1):
            dh.addcmul_(dy[t].unsqueeze(-1), C[t].unsqueeze(1))
            torch.matmul(dh, B[t].unsqueeze(-1), out=d_drive[t].unsqueeze(-1))
            torch.matmul(drive[t].unsqueeze(1), dh, out=dB[t].unsqueeze(1))
            step = dt[t].unsqueeze(-1)
            torch.mul(step, A, out=decay).exp_()
            dh.mul_(decay)
            torch.mul(dh, h[t], out=slope)
            sum_dA.addcmul_(slope, step)
            torch.sum(slope.mul_(A), -1, out=d_dt[t])
        return d_drive * dt, d_dt + d_drive * x, sum_dA.sum(0), dB, dC


def sequential_heads(x, dt, A, B, C):
    """One decay a head. x: [batch, length, heads, width]; dt: [batch, length, heads]; A: [heads]; B, C: [batch, length, states]."""
    x, dt, B, C = (t.transpose(0, 1).contiguous() for t in (x, dt, B, C))
    a = torch.exp(dt * A)[..., None, None]
    b = (dt.unsqueeze(-1) * x).unsqueeze(-1) * B[:, :, None, None]  # [length, batch, heads, width, states]
    h = torch.zeros_like(b[0])
    states = []
    for decay, drive in zip(a.unbind(0), b.unbind(0)):
        h = torch.addcmul(drive, decay, h)
        states.append(h)
    return (torch.stack(states) @ C[:, :, None, :, None]).squeeze(-1).transpose(0, 1)


def dual_heads(x, dt, A, B, C, chunk=50):
    """The same as matrix products: whole chunks against themselves, and a state a chunk that is carried on."""
    batch, length, heads, width = x.shape
    missing = -length % chunk
    if missing:
        x, dt, B, C = (torch.nn.functional.pad(t, [0, 0] * (t.dim() - 2) + [0, missing]) for t in (x, dt, B, C))
    x, dt, B, C = (t.unflatten(1, (-1, chunk)) for t in (x, dt, B, C))
    drive = (dt.unsqueeze(-1) * x).transpose(2, 3)  # [batch, chunks, heads, chunk, width]
    passed = (dt * A).cumsum(2).transpose(2, 3)  # [batch, chunks, heads, chunk]
    between = passed.unsqueeze(-1) - passed.unsqueeze(-2)
    future = torch.ones(chunk, chunk, dtype=torch.bool, device=x.device).triu(1)
    weights = between.masked_fill(future, -math.inf).exp() * (C @ B.transpose(2, 3)).unsqueeze(2)
    y = weights @ drive
    to_end = (passed[..., -1:] - passed).exp().unsqueeze(-1)
    added = B.transpose(2, 3).unsqueeze(2) @ (drive * to_end)  # [batch, chunks, heads, states, width]
    decay = passed[..., -1].exp()[..., None, None]
    state = torch.zeros_like(added[:, 0])
    before = []
    for c in range(added.shape[1]):
        before.append(state)
        state = torch.addcmul(added[:, c], decay[:, c], state)
    y = y + (C.unsqueeze(2) @ torch.stack(before, 1)) * passed.exp().unsqueeze(-1)
    return y.transpose(2, 3).flatten(1, 2)[:, :length]


HEAD_FORMS = {"sequential": sequential_heads, "parallel": dual_heads}
