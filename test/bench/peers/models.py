"""Mamba4Rec (2403.03900) and TiM4Rec (2409.16182) in plain PyTorch, written from the papers; parameters under the names of the
published checkpoints, so that one file of weights serves both sides."""

import torch
from torch import nn
from torch.nn import functional as F

from scans import FORMS, HEAD_FORMS

EPSILON = 1e-12


def causal(conv, x):
    """Depthwise convolution over [batch, length, channels] that sees no later step."""
    return conv(x.transpose(1, 2))[..., : x.shape[1]].transpose(1, 2)


def depthwise(channels, width):
    return nn.Conv1d(channels, channels, width, groups=channels, padding=width - 1)


class MambaBlock(nn.Module):
    def __init__(self, dim, states, width, expand, form):
        super().__init__()
        inner, self.rank, self.states = expand * dim, -(-dim // 16), states
        self.scan = FORMS[form]
        self.A_log = nn.Parameter(torch.empty(inner, states))
        self.D = nn.Parameter(torch.empty(inner))
        self.in_proj = nn.Linear(dim, 2 * inner, bias=False)
        self.conv1d = depthwise(inner, width)
        self.x_proj = nn.Linear(inner, self.rank + 2 * states, bias=False)
        self.dt_proj = nn.Linear(self.rank, inner)
        self.out_proj = nn.Linear(inner, dim, bias=False)

    def forward(self, u):
        x, z = self.in_proj(u).chunk(2, -1)
        x = F.silu(causal(self.conv1d, x))
        delta, B, C = self.x_proj(x).split([self.rank, self.states, self.states], -1)
        y = gated_scan(self.scan, x, F.linear(delta, self.dt_proj.weight), -self.A_log.exp(), B, C, self.D, z, self.dt_proj.bias)
        return self.out_proj(y)


def gated_scan(scan, x, delta, A, B, C, D, z, bias):
    """What the other side computes in one kernel: (scan(x, softplus(delta + bias)) + D x) SiLU(z)."""
    return (scan(x, F.softplus(delta + bias), A, B, C) + D * x) * F.silu(z)


class FeedForward(nn.Module):
    def __init__(self, dim, dropout, names, activation):
        super().__init__()
        self.names, self.activation, self.dropout = names, activation, nn.Dropout(dropout)
        for name, layer in zip(names, (nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim), nn.LayerNorm(dim, EPSILON))):
            self.add_module(name, layer)

    def forward(self, x):
        first, second, norm = (getattr(self, name) for name in self.names)
        return norm(self.dropout(second(self.dropout(self.activation(first(x))))) + x)


class Mamba4Rec(nn.Module):
    def __init__(self, config, num_items, form):
        super().__init__()
        dim, self.residual = config["dim"], config["layers"] > 1
        self.item_embedding = nn.Embedding(num_items + 1, dim)
        self.dropout = nn.Dropout(config["dropout"])
        self.LayerNorm = nn.LayerNorm(dim, EPSILON)
        self.mamba_layers = nn.ModuleList(
            nn.ModuleDict(
                {
                    "mamba": MambaBlock(dim, config["dState"], config["dConv"], config["expand"], form),
                    "LayerNorm": nn.LayerNorm(dim, EPSILON),
                    "ffn": FeedForward(dim, config["dropout"], ("w_1", "w_2", "LayerNorm"), F.gelu),
                }
            )
            for _ in range(config["layers"])
        )

    def forward(self, items, timestamps=None):
        """items: [rows, length] -> hidden states [rows, length, dim]."""
        x = self.LayerNorm(self.dropout(self.item_embedding(items)))
        for layer in self.mamba_layers:
            mixed = self.dropout(layer["mamba"](x))
            x = layer["ffn"](layer["LayerNorm"](mixed + x if self.residual else mixed))
        return x


class TimedSsdBlock(nn.Module):
    """The Mamba-2 block with TiM4Rec's time path: s = W2 SiLU(W1 tau), v = act(conv(act(conv(tau s)))), dt times v."""

    def __init__(self, config, form):
        super().__init__()
        dim, states, width, length = config["dim"], config["dState"], config["dConv"], config["maxLength"]
        inner = config["expand"] * dim
        heads = inner // config["headDim"]
        self.sizes, self.scan = (inner, states, heads), HEAD_FORMS[form]
        self.activation = F.silu if heads % 8 == 0 else F.hardswish
        for name in ("dt_bias", "A_log", "D"):
            self.register_parameter(name, nn.Parameter(torch.empty(heads)))
        self.in_proj = nn.Linear(dim, 2 * inner + 2 * states + heads)
        self.conv1d = depthwise(inner + 2 * states, width)
        self.norm = nn.RMSNorm(inner, EPSILON)
        self.out_proj = nn.Linear(inner, dim)
        self.conv1d4time_1 = depthwise(heads, width)
        self.conv1d4time_2 = depthwise(heads, width)
        dropout = nn.Dropout(config["dropout"])
        self.mlp4time_scale = nn.Sequential(dropout, nn.Linear(length, length), nn.SiLU(), nn.Linear(length, length))
        self.time_gate_residual = nn.Sequential(dropout, nn.Linear(length, 1), nn.Sigmoid())
        self.time_layer_norm = nn.LayerNorm(length, EPSILON)

    def forward(self, u, tau):
        """u: [rows, length, dim]; tau: [rows, heads, length]. Returns both for the next layer."""
        inner, states, heads = self.sizes
        v = (tau * self.mlp4time_scale(tau)).transpose(1, 2)
        for conv in (self.conv1d4time_1, self.conv1d4time_2):
            v = self.activation(causal(conv, v))
        z, mixed, dt = self.in_proj(u).split([inner, inner + 2 * states, heads], -1)
        x, B, C = self.activation(causal(self.conv1d, mixed)).split([inner, states, states], -1)
        x = x.unflatten(-1, (heads, -1))
        y = self.scan(x, F.softplus(dt * v + self.dt_bias), -self.A_log.exp(), B, C) + self.D.unsqueeze(-1) * x
        gate = self.time_gate_residual(tau)
        tau = self.time_layer_norm(gate * tau + (1 - gate) * v.transpose(1, 2))
        return self.out_proj(self.norm(y.flatten(-2) * F.silu(z))), tau


class TiM4Rec(nn.Module):
    def __init__(self, config, num_items, form):
        super().__init__()
        dim, self.residual = config["dim"], config["layers"] > 1
        self.heads = config["expand"] * dim // config["headDim"]
        self.item_embedding = nn.Embedding(num_items + 1, dim)
        self.dropout = nn.Dropout(config["dropout"])
        self.in_layer_norm = nn.LayerNorm(dim, EPSILON)
        self.layer_norm_time = nn.LayerNorm(config["maxLength"], EPSILON)
        self.ssd_layers = nn.ModuleList(
            nn.ModuleDict(
                {
                    "ssd": TimedSsdBlock(config, form),
                    "layer_norm": nn.LayerNorm(dim, EPSILON),
                    "ffn": FeedForward(dim, config["dropout"], ("fc1", "fc2", "layer_norm"), F.hardswish),
                }
            )
            for _ in range(config["layers"])
        )

    def forward(self, items, timestamps):
        """items, timestamps (seconds, relative to each row's first): [rows, length] -> hidden states [rows, length, dim]."""
        x = self.in_layer_norm(self.dropout(self.item_embedding(items)))
        gaps = F.pad(timestamps[:, 1:] - timestamps[:, :-1], (1, 0))
        tau = self.layer_norm_time(self.dropout(gaps)).unsqueeze(1).expand(-1, self.heads, -1)
        for layer in self.ssd_layers:
            mixed, tau = layer["ssd"](x, tau)
            mixed = self.dropout(mixed)
            x = layer["ffn"](layer["layer_norm"](mixed + x if self.residual else mixed))
        return x


MODELS = {"mamba4rec": Mamba4Rec, "tim4rec": TiM4Rec}


def loss_of(model, batch):
    """Mean cross-entropy over all items, the padding row included, at the positions that have a target (-1 elsewhere)."""
    hidden = model(batch["items"], batch["timestamps"])
    counted = batch["counted"]  # indices of the positions with a target
    logits = hidden.flatten(0, 1)[counted] @ model.item_embedding.weight.T
    return F.cross_entropy(logits, batch["targets"][counted])
