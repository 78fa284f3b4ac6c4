"""What JAX draws on a CPU, in the form of torch_noise.py. Runs in an interpreter of its own, which has jax 0.10.2."""

import json
import pathlib
import subprocess

import numpy

from recipes.torch_noise import MILLION, summary


def draw():
    import jax

    assert jax.__version__ == "0.10.2" and jax.config.jax_threefry_partitionable and jax.default_backend() == "cpu"
    file = {"normals": [], "uniforms": []}
    for seed, draws in [(0, [1, 7, 1000]), (42, [16, 20000]), (2**32 - 1, [3, 5000]), (1234, [MILLION])]:
        key, values = jax.random.key(numpy.uint32(seed)), []
        for n in draws:
            key, subkey = jax.random.split(key)
            values.append(numpy.asarray(jax.random.normal(subkey, (n,))).astype("float64"))
        file["normals"].append({"seed": f"{seed:x}", "draws": draws, **summary(values)})
    uniforms = numpy.asarray(jax.random.uniform(jax.random.key(5), (1000,))).astype("float64")
    file["uniforms"].append({"seed": "5", "draws": [1000], **summary([uniforms])})
    keys = jax.random.split(jax.random.key(9), 3)
    file["split"] = [numpy.asarray(jax.random.normal(key, (2,))).astype("float64").tolist() for key in keys]
    return json.dumps(file, indent=1) + "\n"


def jax_noise(interpreter):
    return subprocess.run(
        [interpreter, "-B", "-c", "from recipes import jax_noise; print(jax_noise.draw(), end='')"],
        cwd=pathlib.Path(__file__).parent.parent, check=True, capture_output=True, text=True).stdout


JAX = {"noise-jax.json": jax_noise}
