"""What MLX draws on a CPU, in the form of torch_noise.py. Runs in an interpreter of its own, which has mlx 0.32.4."""

import importlib.metadata
import json
import pathlib
import subprocess

import numpy

from recipes.torch_noise import MILLION, summary


def draw():
    import mlx.core as mx

    assert importlib.metadata.version("mlx") == "0.32.4"
    mx.set_default_device(mx.cpu)

    def numbers(array):
        return numpy.array(array).astype("float64")

    file = {"normals": [], "uniforms": []}
    for seed, draws in [(0, [1, 7, 1000]), (42, [16, 20000]), (2**40 + 3, [3, 5000]), (1234, [MILLION])]:
        mx.random.seed(seed)
        values = [numbers(mx.random.normal((n,))) for n in draws]
        file["normals"].append({"seed": f"{seed:x}", "draws": draws, **summary(values)})
    for count in [1000, 1001]:
        uniforms = numbers(mx.random.uniform(shape=(count,), key=mx.random.key(5)))
        file["uniforms"].append({"seed": "5", "draws": [count], **summary([uniforms])})
    keys = mx.random.split(mx.random.key(9), 3)
    file["split"] = [numbers(mx.random.normal((2,), key=key)).tolist() for key in keys]
    return json.dumps(file, indent=1) + "\n"


def mlx_noise(interpreter):
    return subprocess.run(
        [interpreter, "-B", "-c", "from recipes import mlx_noise; print(mlx_noise.draw(), end='')"],
        cwd=pathlib.Path(__file__).parent.parent, check=True, capture_output=True, text=True).stdout


MLX = {"noise-mlx.json": mlx_noise}
