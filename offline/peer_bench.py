"""The same training steps in plain PyTorch (models.py, scans.py): one JSON line a step and form.

    python3 peer_bench.py '{"shapes": [{"model": "mamba4rec", "dim": 64, "rows": 8}], "length": 200, "items": 3416, "seconds": 60}'

Weights and batches are drawn; that both sides compute the same loss and gradients is what `npm run bench:peers` checks. Forms:
sequential (a loop over time, autograd), recomputing (the same with its gradient written out), parallel (chunks; for TiM4Rec
the dual form). Each also as a CUDA graph, which has no cost of launches: the best that PyTorch can do with such a step.
"""

import json
import math
import sys
import time

import torch

from models import MODELS, loss_of

ROUNDS = 3


def draw(parameters):
    for name, p in parameters:
        if name.endswith("A_log"):
            states = p.shape[-1] if p.dim() == 2 else 16
            p.data = torch.log(1 + torch.arange(p.numel(), device=p.device) % states).reshape(p.shape).float()
        elif name.endswith("dt_bias") or name.endswith("dt_proj.bias"):
            p.data.fill_(-4.0)
        elif name.endswith(".D"):
            p.data.fill_(1.0)


def batch_of(shape, length, items, device):
    size = shape["rows"] * length
    targets = torch.randint(1, items + 1, (size,), device=device)
    return {
        "items": torch.randint(1, items + 1, (shape["rows"], length), device=device),
        "timestamps": (3600 * torch.arange(size, device=device) % (3600 * length)).float().reshape(shape["rows"], length),
        "targets": targets,
        "counted": torch.arange(size, device=device),
    }


def config_of(shape, length):
    config = {"name": shape["model"], "dim": shape["dim"], "layers": shape.get("layers", 1), "dState": 32, "dConv": 4, "expand": 2}
    return {**config, "maxLength": length, "dropout": 0.2, "headDim": 32}


def timed(run, steps, device):
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        for _ in range(steps):
            run()
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append((time.perf_counter() - begun) / steps)
    return sorted(times)[len(times) // 2]


def as_graph(step):
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def measure(shape, form, command, device):
    length, items = command["length"], command["items"]
    built = MODELS[shape["model"]](config_of(shape, length), items, form).to(device)
    draw(built.named_parameters())
    cuda = device.type == "cuda"
    optimizer = torch.optim.Adam(built.parameters(), lr=1e-3, fused=cuda, capturable=cuda)
    data = batch_of(shape, length, items, device)
    kept = {}

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(built, data)
        loss.backward()
        optimizer.step()
        kept["loss"] = loss.detach()

    for _ in range(2):
        step()
    if cuda:
        torch.cuda.synchronize()
    begun = time.perf_counter()
    step()
    if cuda:
        torch.cuda.synchronize()
    once = time.perf_counter() - begun
    steps = max(1, min(10, math.ceil(0.3 / once)))
    answer = {"form": form, "seconds": timed(step, steps, device), "loss": kept["loss"].item()}
    if cuda:
        try:
            replay = as_graph(step)
            answer["graphSeconds"] = timed(replay, 10, device)
        except Exception as error:  # a form that cannot be captured is still measured without
            answer["graphError"] = str(error).splitlines()[0]
        answer["peakBytes"] = torch.cuda.max_memory_allocated()
        torch.cuda.reset_peak_memory_stats()
    return answer


def main():
    command = json.loads(sys.argv[1])
    begun = time.perf_counter()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    name = torch.cuda.get_device_name() if device.type == "cuda" else "CPU, one thread"
    print(json.dumps({"torch": torch.__version__, "python": sys.version.split()[0], "device": name}), flush=True)
    if device.type == "cuda":
        print(json.dumps({"ceilings": ceilings(device)}), flush=True)
    for form in command.get("forms", ["sequential", "parallel", "recomputing"]):
        for shape in command["shapes"]:
            if shape["model"] not in MODELS or (shape["model"] == "tim4rec" and form == "recomputing"):
                continue
            if time.perf_counter() - begun > command["seconds"]:
                print(json.dumps({**shape, "form": form, "skipped": "no time left"}), flush=True)
                continue
            try:
                answer = measure(shape, form, command, device)
            except Exception as error:
                answer = {"form": form, "error": str(error).splitlines()[0]}
            print(json.dumps({**shape, **answer}), flush=True)
            if device.type == "cuda":
                torch.cuda.empty_cache()


def ceilings(device):
    """Bytes a second of a copy (read and written), single-precision operations a second of a product without TF32, launch."""
    a = torch.randn(1 << 28, device=device)
    b = torch.empty_like(a)
    m = torch.randn(8192, 8192, device=device)
    tiny = torch.zeros(1, device=device)
    for _ in range(3):
        b.copy_(a)
        m @ m
    torch.cuda.synchronize()
    copy = timed(lambda: b.copy_(a), 10, device)
    product = timed(lambda: m @ m, 3, device)
    replay = as_graph(lambda: [tiny.add_(1) for _ in range(100)])
    launch = timed(replay, 10, device) / 100
    return {"bandwidth": 2 * a.numel() * 4 / copy, "flops": 2 * 8192**3 / product, "launchSeconds": launch}


if __name__ == "__main__":
    main()
