"""The PyTorch side of `npm run bench:peers`: one JSON command a line on standard input, one JSON answer a line on standard output."""

import json
import os
import resource
import struct
import sys
import time

import torch

from models import MODELS, gated_scan, loss_of
from scans import FORMS

USE_CUDA = torch.cuda.is_available() and os.environ.get("PERFLAW_PEER_DEVICE") != "cpu"
DEVICE = torch.device("cuda" if USE_CUDA else "cpu")
KEPT = {}


def read_safetensors(path):
    with open(path, "rb") as file:
        data = bytearray(file.read())
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        flat = torch.frombuffer(data[8 + size + begin : 8 + size + end], dtype=torch.float32)
        tensors[name] = flat.reshape(entry["shape"]).to(DEVICE)
    return tensors


def worst(got, expected):
    """Largest difference over the largest entry expected, over all tensors, and where."""
    found = (0.0, "")
    for name, tensor in expected.items():
        difference = (got[name] - tensor).abs().max().item() / (tensor.abs().max().item() or 1.0)
        found = max(found, (difference if difference == difference else float("inf"), name))
    return {"worst": found[0], "tensor": found[1]}


def compiled(call, command):
    return torch.compile(call, dynamic=False) if command.get("compile") else call


def hello(command):
    name = torch.cuda.get_device_name() if DEVICE.type == "cuda" else "CPU, one thread"
    return {"torch": torch.__version__, "python": sys.version.split()[0], "device": DEVICE.type, "name": name}


def scan(command):
    """Keeps a function that runs the gated scan forward and backward; inputs, weights of y and expected results from a file."""
    stored = read_safetensors(command["path"])
    names = ["x", "delta", "A", "B", "C", "D", "z", "deltaBias"]
    inputs = [stored[name].requires_grad_() for name in names]
    form = FORMS[command["form"]]
    forward = compiled(lambda *tensors: gated_scan(form, *tensors), command)

    def run():
        y = forward(*inputs)
        return y, torch.autograd.grad(y, inputs, stored["dy"])

    KEPT[command["keep"]] = run
    y, gradients = run()
    got = {"y": y.detach(), **{f"d{name}": g for name, g in zip(names, gradients)}}
    return worst(got, {name: stored[name] for name in got})


def model(command):
    config = command["config"]
    built = MODELS[config["name"]](config, command["items"], command["form"]).to(DEVICE)
    built.load_state_dict(read_safetensors(command["path"]))
    optimizer = torch.optim.Adam(built.parameters(), lr=1e-3, fused=True)
    KEPT[command["keep"]] = (built, optimizer, compiled(loss_of, command))
    return {"parameters": sum(p.numel() for p in built.parameters())}


def batch(command):
    rows, length = command["rows"], command["length"]
    targets = torch.tensor(command["targets"], device=DEVICE)
    times = command.get("timestamps")
    KEPT[command["keep"]] = {
        "items": torch.tensor(command["items"], device=DEVICE).reshape(rows, length),
        "timestamps": times and torch.tensor(times, dtype=torch.float32, device=DEVICE).reshape(rows, length),
        "targets": targets,
        "counted": (targets >= 0).nonzero().squeeze(1),
    }
    return {"counted": int((targets >= 0).sum())}


def check(command):
    """Loss and gradients of one batch without dropout, against those in a file."""
    built = KEPT[command["model"]][0].eval()
    loss = loss_of(built, KEPT[command["batch"]])
    parameters = dict(built.named_parameters())
    gradients = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True)
    got = {n: torch.zeros_like(p) if g is None else g for (n, p), g in zip(parameters.items(), gradients)}
    built.train()
    return {"loss": loss.item(), **worst(got, read_safetensors(command["path"]))}


def forget(command):
    KEPT.clear()
    return {}


def step(built, optimizer, loss_function, data):
    optimizer.zero_grad(set_to_none=True)
    loss_function(built, data).backward()
    optimizer.step()


def measure(command):
    """Seconds of the clock and of the processor of one run: a kept scan, or a step on each of some batches."""
    if "scan" in command:
        calls = [KEPT[command["scan"]]]
    else:
        kept = KEPT[command["model"]]
        calls = [lambda data=KEPT[name]: step(*kept, data) for name in command["batches"]]
    begun, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    for call in calls:
        call()
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "clock": time.perf_counter() - begun,
        "processor": spent.ru_utime + spent.ru_stime - used.ru_utime - used.ru_stime,
    }


COMMANDS = {f.__name__: f for f in (hello, scan, model, batch, check, forget, measure)}


def main():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    for line in sys.stdin:
        command = json.loads(line)
        print(json.dumps(COMMANDS[command.pop("do")](command)), flush=True)


if __name__ == "__main__":
    main()
